// Compiles when the types fit what the modules are used for; tests/dapp/test_types.py runs the compiler.
import { aaSdk, announce, check, connect, LatchkeyError, newHandOverKey, openSessionKey, sessionRequest, walletApis } from "../../resources/dapp/latchkey.mjs";
import type { Grant, Hex, Session, SessionRequest } from "../../resources/dapp/latchkey.mjs";
import { read, Scanner, toLink, toQr } from "../../resources/dapp/latchkey-codec.mjs";

const address: Hex = "0x00000000000000000000000000000000000000aa";
const request: SessionRequest = sessionRequest({
  chainId: 8453,
  key: address,
  expirySec: 1,
  permissions: [{ type: "root" }, { type: "gas-limit", data: { limit: "0x1" } }],
  names: [{ address, decimals: 6 }],
});
// @ts-expect-error there is no such permission
sessionRequest({ permissions: [{ type: "everything" }] });

const provider = connect({ name: "Rooms", socket: true });
provider.on("sessionsChanged", (sessions: Session[]) => sessions.length).on("accountsChanged", ([first]: Hex[]) => first);
// @ts-expect-error there is no such event
provider.on("message", () => {});

export async function use(): Promise<string> {
  const { account } = await provider.pair((code) => console.log(code), { signal: AbortSignal.timeout(1) });
  const grant: Grant = await provider.createSession(request);
  const { accountAddress, deferredAction, initCode }: { accountAddress: Hex; deferredAction: Hex; initCode?: Hex } = aaSdk(check(grant, request));
  const [session] = await provider.sessions();
  const { state } = await provider.revokeSession(session);
  const { handOverKey, privateKey } = await newHandOverKey();
  const secret: Hex = await openSessionKey(grant, privateKey);
  const scanner = new Scanner();
  const percent: number = await scanner.receive("");
  const found: Grant | undefined = await scanner.grant();
  const error = new LatchkeyError(4001, "No");
  announce(provider)();
  return [account, accountAddress, deferredAction, initCode, state, handOverKey, secret, percent, found?.context, walletApis(grant).context,
    error.code, await toLink(request), ...(await toQr(request)), (await read("")).kind].join();
}
