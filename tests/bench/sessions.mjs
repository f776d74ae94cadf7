// Reading an account's sessions with viem in the ordinary way: events first, then readContract for every view, all at once.
// It reads what Latchkey reads of a session (its rights, key, limits, time, lists), and nothing of what Latchkey reads besides (owner,
// other powers, leftovers, code).
//
// One JSON object a line in, one a line out. Run by sessions.py from the folder whose node_modules has viem.
//
//   {"rpc", "account", "batch"}   `batch`: viem's own batching of requests; answers {"sessions", "seconds", "requests"}
import { createPublicClient, http, parseAbi } from "viem";
import { serve } from "./lines.mjs";

const SS = "0x00000000000099DE0BF6fA90dEB851E2A2df7d83";
const AL = "0x00000000003e826473a313e600b5b9b791f5a59a";
const NT = "0x00000000000001e541f0D090868FBe24b59Fbe06";
const TR = "0x00000000000082B8e2012be914dFA4f62A0573eA";
const HALF = 2147483647;

const abi = parseAbi([
  "struct Validation { uint8 flags; bytes25[] hooks; bytes25[] executionHooks; bytes4[] selectors; }",
  "function getValidationData(bytes24 validationFunction) view returns (Validation)",
  "function limits(uint256 entityId, address account) view returns (uint256)",
  "function timeRanges(uint32 entityId, address account) view returns (uint48, uint48)",
  "function signers(uint32 entityId, address account) view returns (address)",
  "function addressAllowlist(uint32 entityId, address target, address account) view returns (bool, bool, bool)",
  "function erc20SpendLimits(uint32 entityId, address token, address account) view returns (uint256)",
  "function selectorAllowlist(uint32 entityId, bytes4 selector, address target, address account) view returns (bool)",
  "event ValidationInstalled(address indexed module, uint32 indexed entityId)",
  "event ValidationUninstalled(address indexed module, uint32 indexed entityId, bool onUninstallSucceeded)",
  "event AddressAllowlistUpdated(uint32 indexed entityId, address indexed account, address indexed target, (bool,bool,bool) entry)",
  "event SelectorAllowlistUpdated(uint32 indexed entityId, address indexed account, bytes24 indexed targetAndSelector, bool allowed)",
]);
const event = (name) => abi.find((item) => item.type === "event" && item.name === name);

async function read({ rpc, account, batch }) {
  let requests = 0;
  const transport = http(rpc, { batch, onFetchRequest: () => { requests += 1; } });
  const client = createPublicClient({ transport });
  const start = performance.now();
  const blockNumber = await client.getBlockNumber();
  const view = (address, functionName, args) => client.readContract({ address, abi, functionName, args, blockNumber });
  const range = { fromBlock: 0n, toBlock: blockNumber };
  const [own, targets, functions] = await Promise.all([
    client.getLogs({ address: account, events: [event("ValidationInstalled"), event("ValidationUninstalled")], ...range }),
    client.getLogs({ address: AL, event: event("AddressAllowlistUpdated"), args: { account }, ...range }),
    client.getLogs({ address: AL, event: event("SelectorAllowlistUpdated"), args: { account }, ...range }),
  ]);
  const ids = [...new Set(own.map((log) => log.args.entityId))];
  const of = (logs, id) => logs.filter((log) => log.args.entityId === id || log.args.entityId === id + HALF);
  const sessions = await Promise.all(ids.map(async (id) => {
    const located = `${SS}${id.toString(16).padStart(8, "0")}`;
    const [validation, signer, native, gas, [until, after], listed, chosen] = await Promise.all([
      view(account, "getValidationData", [located]),
      view(SS, "signers", [id, account]),
      view(NT, "limits", [BigInt(id), account]),
      view(NT, "limits", [BigInt(id + HALF), account]),
      view(TR, "timeRanges", [id, account]),
      Promise.all(of(targets, id).map(async ({ args: { entityId, target } }) => [
        target, await view(AL, "addressAllowlist", [entityId, target, account]),
        (await view(AL, "erc20SpendLimits", [entityId, target, account])).toString(),
      ])),
      Promise.all(of(functions, id).map(({ args: { entityId, targetAndSelector: both } }) =>
        view(AL, "selectorAllowlist", [entityId, `0x${both.slice(42, 50)}`, both.slice(0, 42), account]))),
    ]);
    return { id, signer, flags: validation.flags, native: native.toString(), gas: gas.toString(), until, after, listed, chosen };
  }));
  return { sessions, requests, seconds: (performance.now() - start) / 1000 };
}

await serve(read);
