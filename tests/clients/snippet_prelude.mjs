// What the snippets of docs/dapps.md find in Node: viem's `chain` and `transport` (a bundler among it), and `game`.
import { split } from "@aa-sdk/core";
import { custom, defineChain, http } from "viem";

const world = JSON.parse(process.argv[1]);
const game = world.game;
const chain = defineChain({
  id: world.chainId, name: "practice", nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
  rpcUrls: { default: { http: [world.chain] } },
});
const bundler = http(world.bundler, { retryCount: 0 })({});
const transport = split({
  overrides: [{
    methods: ["eth_sendUserOperation", "eth_estimateUserOperationGas", "eth_getUserOperationReceipt", "eth_getUserOperationByHash",
      "eth_supportedEntryPoints"],
    transport: custom({ // this bundler estimates 0 for a paymaster that is not there, and the SDK wants all of its fields or none
      request: async (call) => {
        const answer = await bundler.request(call);
        if (call.method === "eth_estimateUserOperationGas") delete answer.paymasterVerificationGasLimit;
        return answer;
      },
    }),
  }],
  fallback: http(world.chain),
});
