// Plays by a grant with an unmodified aa-sdk, in the lines of docs/dapps.md. Bundled for the browser (bundle.py), as a dApp's build does it.
import { LocalAccountSigner, split } from "@aa-sdk/core";
import { createModularAccountV2Client } from "@account-kit/smart-contracts";
import { custom, http } from "viem";
import { aaSdk } from "./latchkey.mjs";

const BUNDLER_METHODS = ["eth_sendUserOperation", "eth_estimateUserOperationGas", "eth_getUserOperationReceipt",
  "eth_getUserOperationByHash", "eth_supportedEntryPoints"];
const bundler = http("/bundler", { retryCount: 0 })({});
const SOON = { intervalMs: 50, multiplier: 1, maxRetries: 200 };

async function request(call) {
  const answer = await bundler.request(call);
  // This bundler estimates 0 for a paymaster that is not there, and the SDK wants all paymaster fields or none.
  if (call.method === "eth_estimateUserOperationGas") delete answer.paymasterVerificationGasLimit;
  return answer;
}

export async function player({ chain, key, grant }) {
  const transport = split({
    overrides: [{ methods: BUNDLER_METHODS, transport: custom({ request }) }], fallback: http(chain.rpcUrls.default.http[0]),
  });
  const signer = LocalAccountSigner.privateKeyToAccountSigner(key);
  const client = await createModularAccountV2Client({ mode: "default", chain, transport, signer, ...aaSdk(grant) });
  const play = async ({ to, data, value }) => {
    const { hash } = await client.sendUserOperation({ uo: { target: to, data, value } });
    const transaction = await client.waitForUserOperationTransaction({ hash, retries: SOON });
    return { success: (await client.getUserOperationReceipt(hash)).success, transaction };
  };
  return { address: client.account.address, play };
}
