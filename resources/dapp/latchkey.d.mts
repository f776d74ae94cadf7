// Types of latchkey.mjs.

export type Hex = `0x${string}`;

export type Permission =
  | { type: "native-token-transfer"; data: { allowance: Hex } }
  | { type: "erc20-token-transfer"; data: { address: Hex; allowance: Hex } }
  | { type: "gas-limit"; data: { limit: Hex } }
  | { type: "contract-access"; data: { address: Hex } }
  | { type: "account-functions"; data: { functions: Hex[] } }
  | { type: "functions-on-all-contracts"; data: { functions: Hex[] } }
  | { type: "functions-on-contract"; data: { address: Hex; functions: Hex[] } }
  | { type: "root" }
  | { type: "paymaster-guard"; data: { paymaster: Hex } };

export type KeyType = "secp256k1" | "ecdsa" | "contract";

/** What the person reads about you: your own words, shown as such. */
export interface Claims {
  name?: string;
  url?: string;
  names?: { address: Hex; name?: string; symbol?: string; decimals?: number }[];
  functions?: string[];
}

export interface Wishes extends Claims {
  permissions: Permission[];
  chainId?: number | bigint | Hex;
  account?: Hex;
  /** Seconds since 1970; 0 for never. */
  expirySec?: number;
  /** Address of the session key that you made. */
  key?: Hex;
  keyType?: KeyType;
  /** Where Latchkey seals a key that it makes, see newHandOverKey. */
  handOverKey?: Hex;
  requestId?: string;
  /** https address to which the person may send the grant back, see `read`. */
  callback?: string;
}

/** wallet_createSession's parameter, with Latchkey's own object. */
export interface SessionRequest {
  permissions: Permission[];
  chainId?: Hex;
  account?: Hex;
  expirySec?: number;
  key?: { publicKey: Hex; type: KeyType };
  latchkey?: Claims & { requestId?: string; handOverKey?: Hex; callback?: string };
}

/** A signed grant, as docs/hand-over.md describes it. */
export interface Grant {
  latchkey: 1;
  kind: "signed-grant";
  system: "modular_account";
  chainId: number;
  account: Hex;
  mode: "sma" | "ma" | "7702" | "address";
  owner?: Hex;
  salt?: Hex;
  /** Factory and its call data, when the account may have to be deployed by the first call. */
  initCode?: Hex;
  permissions: Permission[];
  expirySec: number;
  key: { publicKey: Hex; type: KeyType };
  entityId: number;
  nonce: Hex;
  deferredAction: Hex;
  context?: Hex;
  requestId?: string;
  handOverKey?: Hex;
  sealedSessionKey?: Hex;
  sessionKeystore?: string;
  claims?: Claims & { altered?: true };
  /** What you asked for, where less was granted. */
  asked?: { permissions: Permission[]; expirySec?: number };
}

export interface Session {
  chainId: Hex;
  account: Hex;
  entityId: number;
  requestId: string;
  key: Hex;
  permissions: Permission[];
  expirySec: number;
  state: "waiting" | "unused" | "active" | "used-up" | "revoking" | "expired" | "revoked" | "cancelled";
  /** Which block this rests on, and when it was read; left out where the chain was not asked yet. */
  asOf?: { block: number; time: number };
}

export class LatchkeyError extends Error {
  constructor(code: number | string, message: string, data?: unknown);
  code: number | string;
  data?: { path?: string };
}

export function sessionRequest(wishes: Wishes): SessionRequest;
export function check(grant: Grant, request: SessionRequest): Grant;
export function aaSdk(grant: Grant): { accountAddress: Hex; deferredAction: Hex; initCode?: Hex };
export function walletApis(grant: Grant): { context: Hex };
export function newHandOverKey(): Promise<{ handOverKey: Hex; privateKey: CryptoKey }>;
export function openSessionKey(grant: Grant, privateKey: CryptoKey): Promise<Hex>;

export interface Options {
  port?: number;
  /** What you call yourself when you ask to be let in. */
  name?: string;
  storage?: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  /** Calls over one WebSocket instead of HTTP; needed for "sessionsChanged". */
  socket?: boolean;
}

export interface Events {
  connect: { chainId: Hex | null };
  disconnect: LatchkeyError;
  accountsChanged: Hex[];
  sessionsChanged: Session[];
}

type Waiting = { signal?: AbortSignal };

export class Latchkey {
  constructor(options?: Options);
  readonly isPaired: boolean;
  pair(show: (code: string) => unknown, waiting?: Waiting): Promise<{ account: Hex | null; chainId: Hex | null }>;
  createSession(request: SessionRequest, waiting?: Waiting): Promise<Grant>;
  sessions(): Promise<Session[]>;
  revokeSession(session: Pick<Session, "chainId" | "account" | "entityId">, waiting?: Waiting): Promise<Pick<Session, "state">>;
  request(call: { method: string; params?: unknown[] }, waiting?: Waiting): Promise<any>;
  on<E extends keyof Events>(event: E, listener: (value: Events[E]) => unknown): this;
  removeListener<E extends keyof Events>(event: E, listener: (value: Events[E]) => unknown): this;
  disconnect(): void;
  close(): void;
}

export function connect(options?: Options): Latchkey;
export function announce(provider: Latchkey, icon?: string): () => void;
