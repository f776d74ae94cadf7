// A dApp's back end on an unmodified aa-sdk: it holds the session key, takes Latchkey's hand-over, sends calls through a bundler.
// What it passes to the SDK beside the usual: accountAddress and deferredAction, and initCode where the hand-over has it (left to
// itself the SDK would make it from the session key, which is another account).
//
// One JSON object a line in, one a line out. Run by dapp.py from the folder whose node_modules has the SDK.
//
//   {"chain", "bundler", "key", "handOver"}   a new client; `handOver`: the JSON twin
//   {"calls": [{"target", "data", "value"}...], "overrides": {...}}
//                                             one operation, with these fields instead of the SDK's own; answers
//                                             {"success", "nonce"} or {"error"}
import { LocalAccountSigner, split } from "@aa-sdk/core";
import { createModularAccountV2Client } from "@account-kit/smart-contracts";
import { defineChain, http } from "viem";
import { serve } from "./lines.mjs";

const BUNDLER_METHODS = ["eth_sendUserOperation", "eth_estimateUserOperationGas", "eth_getUserOperationReceipt",
  "eth_getUserOperationByHash", "eth_supportedEntryPoints"];

let client;

function newClient({ chain, bundler, key, handOver }) {
  return createModularAccountV2Client({
    mode: "default",
    accountAddress: handOver.account,
    deferredAction: handOver.deferredAction,
    initCode: handOver.initCode,
    signer: LocalAccountSigner.privateKeyToAccountSigner(key),
    chain: defineChain({
      id: handOver.chainId, name: "practice", nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
      rpcUrls: { default: { http: [chain] } },
    }),
    transport: split({
      overrides: [{ methods: BUNDLER_METHODS, transport: http(bundler, { retryCount: 0 }) }], fallback: http(chain),
    }),
    // This bundler estimates 0 for a paymaster that is not there, and the SDK wants all paymaster fields or none.
    customMiddleware: async (uo) => (uo.paymaster ? uo : { ...uo, paymasterVerificationGasLimit: undefined }),
    opts: { txRetryIntervalMs: 50, txRetryMultiplier: 1, txMaxRetries: 200 },
  });
}

async function send({ calls, overrides }) {
  const uo = calls.map(({ target, data, value }) => ({ target, data, value: BigInt(value) }));
  const { hash } = await client.sendUserOperation({ uo: uo.length === 1 ? uo[0] : uo, overrides });
  await client.waitForUserOperationTransaction({ hash });
  const { success, nonce } = await client.getUserOperationReceipt(hash);
  return { success, nonce };
}

async function answer(request) {
  if (request.calls) return await send(request);
  client = await newClient(request);
  return {};
}

await serve(answer);
