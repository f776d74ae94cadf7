// aa-sdk as a program: one JSON object a line in, one a line out. It makes grants as a dApp's back end would, with the SDK's own
// account, client, permission builder and owner signature; the only stand-in is the network, which is asked for the chain id and the
// code of the account (none yet).
//
//   {"now", "owner"}                     sets the clock (seconds) and the owner's private key
//   {"grants": [DRAFT...]}               makes each; answers [{call, digest, blob} | {error}]
//   {"grants": [DRAFT...], "sign": false} the same without signature and blob
//
// Every answer has "seconds": the time spent making, without reading and writing lines; "cpu": the processor's share of it.
import { LocalAccountSigner } from "@aa-sdk/core";
import { createModularAccountV2Client } from "@account-kit/smart-contracts";
import { HookType, PaymasterGuardModule, PermissionBuilder, buildDeferredActionDigest, buildFullNonceKey,
  getDefaultPaymasterGuardModuleAddress } from "@account-kit/smart-contracts/experimental";
import { custom, defineChain, hashTypedData } from "viem";
import { serve } from "./lines.mjs";

let signer;
const clients = new Map();

async function clientFor(chainId, account) {
  const key = `${chainId} ${account}`;
  if (!clients.has(key)) clients.set(key, await newClient(chainId, account));
  return clients.get(key);
}

async function newClient(chainId, accountAddress) {
  const chain = defineChain({
    id: chainId, name: "local", nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 }, rpcUrls: { default: { http: [] } },
  });
  const request = async ({ method }) => {
    if (method === "eth_chainId") return `0x${chainId.toString(16)}`;
    if (method === "eth_getCode") return "0x"; // not deployed: the SDK then has nothing to ask it
    throw new Error(`${method}: there is no network here`);
  };
  return createModularAccountV2Client({ chain, transport: custom({ request }), signer, accountAddress, mode: "default" });
}

// Not a permission of the SDK's builder: its caller hands it over as a hook.
function paymasterGuard(chain, entityId, paymaster) {
  return {
    hookConfig: {
      address: getDefaultPaymasterGuardModuleAddress(chain), entityId, hookType: HookType.VALIDATION, hasPreHooks: true,
      hasPostHooks: false,
    },
    initData: PaymasterGuardModule.encodeOnInstallData({ entityId, paymaster }),
  };
}

async function make(draft, sign) {
  const client = await clientFor(draft.chainId, draft.account);
  const isGlobalValidation = draft.permissions.some((p) => p.type === "root");
  const nonceKey = buildFullNonceKey({
    nonceKey: BigInt(draft.nonceKey), entityId: draft.entityId, isGlobalValidation, isDeferredAction: true,
  });
  const guards = draft.permissions.filter((p) => p.type === "paymaster-guard");
  const builder = new PermissionBuilder({
    client, key: { publicKey: draft.sessionKey, type: "secp256k1" }, entityId: draft.entityId, deadline: draft.expiry,
    nonce: (nonceKey << 64n) | BigInt(draft.sequence), selectors: draft.selectors && [...draft.selectors],
    hooks: guards.map(({ data }) => paymasterGuard(client.chain, draft.entityId, data.paymaster)),
  });
  builder.addPermissions({ permissions: draft.permissions.filter((p) => p.type !== "paymaster-guard") });
  const { typedData, fullPreSignatureDeferredActionDigest } = await builder.compileDeferred();
  const made = { call: typedData.message.call, digest: hashTypedData(typedData) };
  if (sign) {
    const sig = await client.account.signTypedData(typedData);
    made.blob = buildDeferredActionDigest({ fullPreSignatureDeferredActionDigest, sig });
  }
  return made;
}

async function answer(call) {
  if (call.owner) {
    Date.now = () => call.now * 1000;
    signer = LocalAccountSigner.privateKeyToAccountSigner(call.owner);
    return {};
  }
  const made = [];
  const start = performance.now();
  const started = process.cpuUsage();
  for (const draft of call.grants) {
    try {
      made.push(await make(draft, call.sign !== false));
    } catch (error) {
      made.push({ error: error.constructor.name, message: error.message });
    }
  }
  const cpu = process.cpuUsage(started);
  return { seconds: (performance.now() - start) / 1000, cpu: (cpu.user + cpu.system) / 1e6, made };
}

await serve(answer);
