// For dApps: ask the Latchkey of this computer for a session, and hand the grant to aa-sdk or the Wallet APIs. See docs/dapps.md.
//
// No dependencies; for browsers and Node 22.13 or later. The session key is the page's own (viem's generatePrivateKey makes one), or Latchkey
// makes it and seals it to a hand-over key. What a session may do is enforced by the account's contracts, never by this file.
// Where Latchkey runs elsewhere, the same requests and grants travel as links and QR codes: latchkey-codec.mjs.

/** What went wrong. `code`: a number for the bridge's errors (EIP-1193, JSON-RPC), a word for the others. */
export class LatchkeyError extends Error {
  constructor(code, message, data) {
    super(message);
    this.name = "LatchkeyError";
    this.code = code;
    if (data !== undefined) this.data = data;
  }
}

// Requests and grants -------------------------------------------------------------------------------------------------------------

/** A request as every way takes it. `key`: the session key's address; without it Latchkey makes one and seals it to `handOverKey`.
 *  What is left out is the owner's to choose: the account, the network, the end. */
export function sessionRequest({ chainId, account, permissions, expirySec, key, keyType = "secp256k1", requestId, ...latchkey }) {
  return given({
    account,
    chainId: chainId === undefined ? undefined : `0x${BigInt(chainId).toString(16)}`,
    expirySec,
    key: key && { publicKey: key, type: keyType },
    permissions,
    latchkey: given({ requestId: requestId ?? crypto.randomUUID(), ...latchkey }),
  });
}

/** That a grant answers this request; returns it. It may give less (then `asked` says what was asked), and never more: the account
 *  enforces what is signed, so this guards against mistakes, not against thieves. */
export function check(grant, request) {
  const wrong = (what) => { throw new LatchkeyError("OtherGrant", `This grant is for another ${what}.`); };
  const same = (a, b) => String(a).toLowerCase() === String(b).toLowerCase();
  if (grant?.kind !== "signed-grant" || !grant.deferredAction) throw new LatchkeyError("NotGrant", "This is not a signed grant.");
  if (request.key && !same(grant.key?.publicKey, request.key.publicKey)) wrong("key");
  if (request.account && !same(grant.account, request.account)) wrong("account");
  if (request.chainId && grant.chainId !== Number(request.chainId)) wrong("network");
  if (request.latchkey?.requestId && grant.requestId !== request.latchkey.requestId) wrong("request");
  return grant;
}

/** For createModularAccountV2Client of @account-kit/smart-contracts, beside the signer, the chain and the transport. */
export const aaSdk = ({ account, deferredAction, initCode }) => given({ accountAddress: account, deferredAction, initCode });

/** For the Wallet APIs: `capabilities.permissions` of wallet_prepareCalls and wallet_sendPreparedCalls. */
export const walletApis = ({ context }) => ({ context });

// The bridge ----------------------------------------------------------------------------------------------------------------------

/** A provider (EIP-1193) for the Latchkey of this computer. `storage`: where the pairing's token is kept, localStorage unless told.
 *  `socket`: whether calls go over one WebSocket, which also tells when sessions change, instead of HTTP. */
export const connect = (options) => new Latchkey(options);

export class Latchkey {
  #port; #name; #storage; #useSocket; #socket; #line; #listeners = new Map(); #next = 1;

  constructor({ port = 41571, name, storage = globalThis.localStorage, socket = false } = {}) {
    [this.#port, this.#name, this.#storage, this.#useSocket] = [port, name, storage ?? memory(), socket];
  }

  /** Whether this page was let in before; the person may have taken it back since. */
  get isPaired() { return this.#token !== ""; }

  /** Ask to be let in. `show`: shows the six digits that the person compares with Latchkey's. Waits for the person. */
  async pair(show, { signal } = {}) {
    const code = String(crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000).padStart(6, "0");
    show(code);
    const { token, account, chainId } = await this.request({ method: "latchkey_pair", params: [given({ code, name: this.#name })] }, { signal });
    this.#token = token;
    this.#emit("connect", { chainId });
    this.#emit("accountsChanged", account ? [account] : []);
    return { account, chainId };
  }

  /** Waits until the person has decided: a grant that answers the request, or an error (4001: refused). `signal`: takes it back. */
  async createSession(request, { signal } = {}) {
    return check(await this.request({ method: "wallet_createSession", params: [request] }, { signal }), request);
  }

  /** What was granted to this page, and what became of it. */
  sessions() { return this.request({ method: "latchkey_getSessions" }); }

  /** Ask the person to end one of them. */
  revokeSession({ chainId, account, entityId }, { signal } = {}) {
    return this.request({ method: "latchkey_revokeSession", params: [{ chainId, account, entityId }] }, { signal });
  }

  /** EIP-1193. Beside it `signal`, an AbortSignal that takes a question back. */
  async request({ method, params = [] }, { signal } = {}) {
    signal?.throwIfAborted();
    const call = { jsonrpc: "2.0", id: this.#next++, method, params };
    const { result, error } = await (this.#useSocket ? this.#overSocket(call, signal) : this.#overHttp(call, signal));
    if (!error) return result;
    if (error.code === 4100 && this.isPaired) this.disconnect();
    throw new LatchkeyError(error.code, error.message, error.data);
  }

  on(event, listener) {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  removeListener(event, listener) {
    this.#listeners.set(event, (this.#listeners.get(event) ?? []).filter((one) => one !== listener));
    return this;
  }

  /** Forget the pairing here; Latchkey's list of pages is the person's. */
  disconnect() {
    this.#token = "";
    this.close();
    this.#emit("accountsChanged", []);
    this.#emit("disconnect", new LatchkeyError(4900, "Not paired with Latchkey any more."));
  }

  /** Let go of the socket. */
  close() {
    this.#socket?.close();
    this.#socket = this.#line = undefined;
  }

  async #overHttp(call, signal) {
    const headers = given({ "content-type": "application/json", authorization: this.isPaired ? `Bearer ${this.#token}` : undefined });
    try {
      const reply = await fetch(`http://127.0.0.1:${this.#port}/`, { method: "POST", headers, body: JSON.stringify(call), signal });
      return await reply.json(); // spaces come before it for as long as the person takes
    } catch (fault) {
      throw signal?.aborted ? signal.reason : away(fault);
    }
  }

  async #overSocket(call, signal) {
    const { socket, waiting } = await (this.#line ??= this.#open());
    return new Promise((resolve, reject) => {
      const stop = () => { this.close(); reject(signal.reason); }; // the end of the connection takes back what it asked
      signal?.addEventListener("abort", stop, { once: true });
      const done = (end) => (value) => { signal?.removeEventListener("abort", stop); end(value); };
      waiting.set(call.id, { resolve: done(resolve), reject: done(reject) });
      socket.send(JSON.stringify(call));
    });
  }

  async #open() {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}/`), waiting = new Map();
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.method === "latchkey_sessionsChanged") this.#emit("sessionsChanged", message.params);
      waiting.get(message.id)?.resolve(message);
      waiting.delete(message.id);
    };
    socket.onclose = () => {
      for (const { reject } of waiting.values()) reject(away());
      if (this.#socket !== socket) return; // let go of on purpose
      this.#socket = this.#line = undefined;
      this.#emit("disconnect", away());
    };
    await new Promise((opened, failed) => { socket.onopen = opened; socket.onerror = () => failed(away()); });
    if (this.isPaired) {
      const admitted = new Promise((resolve, reject) => { waiting.set(0, { resolve, reject }); });
      socket.send(JSON.stringify({ jsonrpc: "2.0", id: 0, method: "latchkey_authenticate", params: [{ token: this.#token }] }));
      await admitted; // an error comes again with the call that needs the pairing
    }
    return { socket, waiting };
  }

  #emit(event, value) { for (const listener of this.#listeners.get(event) ?? []) listener(value); }

  get #token() { return this.#storage.getItem(`latchkey-${this.#port}`) ?? ""; }

  set #token(token) {
    if (token) this.#storage.setItem(`latchkey-${this.#port}`, token);
    else this.#storage.removeItem(`latchkey-${this.#port}`);
  }
}

/** Offer the provider to the page's wallet list (EIP-6963). Returns a function that takes it back. */
export function announce(provider, icon = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>") {
  const info = Object.freeze({ uuid: crypto.randomUUID(), name: "Latchkey", icon, rdns: "latchkey.desktop" });
  const say = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }));
  addEventListener("eip6963:requestProvider", say);
  say();
  return () => removeEventListener("eip6963:requestProvider", say);
}

const away = (cause) => Object.assign(
  new LatchkeyError(4900, "Latchkey does not answer on this computer: is it running, and its bridge switched on?"), { cause });

const memory = (kept = new Map()) =>
  ({ getItem: (name) => kept.get(name), setItem: (name, value) => kept.set(name, value), removeItem: (name) => kept.delete(name) });

// A session key that Latchkey makes -----------------------------------------------------------------------------------------------

/** A key pair for one request: its `handOverKey` goes into it. The private part can be kept in IndexedDB and never be read. */
export async function newHandOverKey() {
  const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"]);
  return { handOverKey: toHex(new Uint8Array(await crypto.subtle.exportKey("raw", publicKey))), privateKey };
}

/** The session's private key out of a grant: HPKE (RFC 9180), base mode, X25519, HKDF-SHA256, AES-256-GCM. */
export async function openSessionKey({ sealedSessionKey, handOverKey, chainId, account, requestId = "" }, privateKey) {
  if (!sealedSessionKey) throw new LatchkeyError("NoSealedKey", "This grant brings no key.");
  const sealed = fromHex(sealedSessionKey), enc = sealed.subarray(0, 32);
  const info = join(text("latchkey session key v1\0"), fromHex(chainId.toString(16).padStart(16, "0")), fromHex(account), text(requestId));
  const kem = join(text("KEM"), [0, 0x20]), suite = join(text("HPKE"), [0, 0x20, 0, 1, 0, 2]);
  const dh = await crypto.subtle.deriveBits({ name: "X25519", public: await x25519(enc) }, privateKey, 256);
  const prk = await extract(kem, [], "eae_prk", new Uint8Array(dh));
  const shared = await expand(kem, prk, "shared_secret", join(enc, fromHex(handOverKey)), 32);
  const context = join([0], await extract(suite, [], "psk_id_hash", []), await extract(suite, [], "info_hash", info));
  const secret = await extract(suite, shared, "secret", []);
  const key = await crypto.subtle.importKey("raw", await expand(suite, secret, "key", context, 32), "AES-GCM", false, ["decrypt"]);
  const iv = await expand(suite, secret, "base_nonce", context, 12);
  try {
    return toHex(new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, key, sealed.subarray(32))));
  } catch {
    throw new LatchkeyError("OtherKey", "This key was sealed for another request.");
  }
}

const x25519 = (raw) => crypto.subtle.importKey("raw", raw, { name: "X25519" }, false, []);

async function hmac(key, data) {
  const imported = await crypto.subtle.importKey("raw", join(key.length ? key : [0]), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

const extract = (suite, salt, label, ikm) => hmac(salt, join(text("HPKE-v1"), suite, text(label), ikm));
const expand = async (suite, prk, label, info, size) =>
  (await hmac(prk, join([0, size], text("HPKE-v1"), suite, text(label), info, [1]))).subarray(0, size); // one block is enough

// Bytes ---------------------------------------------------------------------------------------------------------------------------

export const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
export const text = (value) => new TextEncoder().encode(value);
export const toHex = (bytes) => `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
export const given = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

export function fromHex(value) {
  const digits = value.replace(/^0x/i, "");
  if (digits.length % 2 || /[^0-9a-f]/i.test(digits)) throw new LatchkeyError("BadValue", "This is not hexadecimal.");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
