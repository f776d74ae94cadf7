// A viem smart account that acts by a grant of Latchkey. All it takes is the hand-over's JSON and the session key.
import { concat, encodeFunctionData, parseAbi, slice } from "viem";
import { entryPoint07Abi, entryPoint07Address, getUserOperationHash, toSmartAccount } from "viem/account-abstraction";
import { readContract } from "viem/actions";

const ACCOUNT = parseAbi([
  "function execute(address target, uint256 value, bytes data)",
  "struct Call { address target; uint256 value; bytes data; }",
  "function executeBatch(Call[] calls)",
]);
const EXECUTE_USER_OP = "0x8dd7712f";
const FINAL_SEGMENT = "0xff00";
const STUB = "0xfffffffffffffffffffffffffffffff0000000000000000000000000000000007aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1c";

export function grantedAccount({ client, owner, handOver }) {
  // The blob: flag (1: calls are wrapped in executeUserOp), the nonce of the first operation, what that operation carries.
  const wraps = BigInt(slice(handOver.deferredAction, 0, 1)) === 1n;
  const grantNonce = BigInt(slice(handOver.deferredAction, 1, 33));
  const deferred = slice(handOver.deferredAction, 33);
  const laterKey = (BigInt(handOver.entityId) << 8n) | ((grantNonce >> 64n) & 1n);
  const signed = (nonce, signature) => concat([...(nonce === grantNonce ? [deferred] : []), FINAL_SEGMENT, signature]);
  const nextNonce = (key) => readContract(client, {
    address: entryPoint07Address, abi: entryPoint07Abi, functionName: "getNonce", args: [handOver.account, key],
  });
  const unsupported = async () => { throw new Error("A session key signs operations only."); };

  return toSmartAccount({
    client,
    entryPoint: { abi: entryPoint07Abi, address: entryPoint07Address, version: "0.7" },
    getAddress: async () => handOver.account,
    getFactoryArgs: async () => handOver.initCode
      ? { factory: slice(handOver.initCode, 0, 20), factoryData: slice(handOver.initCode, 20) } : {},
    getNonce: async () => (await nextNonce(grantNonce >> 64n)) === grantNonce ? grantNonce : nextNonce(laterKey),
    encodeCalls: async (calls) => {
      const full = calls.map(({ to, value = 0n, data = "0x" }) => ({ target: to, value, data }));
      const call = full.length === 1
        ? encodeFunctionData({ abi: ACCOUNT, functionName: "execute", args: Object.values(full[0]) })
        : encodeFunctionData({ abi: ACCOUNT, functionName: "executeBatch", args: [full] });
      return wraps ? concat([EXECUTE_USER_OP, call]) : call;
    },
    getStubSignature: async ({ nonce }) => signed(nonce, STUB),
    signUserOperation: async ({ chainId = client.chain.id, ...operation }) => {
      const hash = getUserOperationHash({
        chainId, entryPointAddress: entryPoint07Address, entryPointVersion: "0.7",
        userOperation: { ...operation, sender: handOver.account },
      });
      return signed(operation.nonce, await owner.signMessage({ message: { raw: hash } }));
    },
    signMessage: unsupported,
    signTypedData: unsupported,
  });
}
