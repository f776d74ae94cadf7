// The dApp: its own key, its request as a QR code, the grant pasted back, calls through a bundler, what came of them.
import { createClient, defineChain, encodeFunctionData, http, parseAbi, toFunctionSelector } from "viem";
import { createBundlerClient } from "viem/account-abstraction";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { grantedAccount } from "/granted_account.mjs";

const GAME = parseAbi(["function move(uint8 x, uint8 y)", "function buy() payable"]);
const world = await (await fetch("/world.json")).json(); // where chain and game are
const owner = privateKeyToAccount(generatePrivateKey());
const show = (text) => { document.querySelector("#result").textContent = text; };
let bundler;

const request = JSON.stringify({
  chainId: `0x${world.chainId.toString(16)}`,
  expirySec: Math.floor(Date.now() / 1000) + 3600,
  key: { publicKey: owner.address, type: "secp256k1" },
  permissions: [{
    type: "functions-on-contract", data: { address: world.game, functions: GAME.map((f) => toFunctionSelector(f)) },
  }],
  latchkey: { name: "Practice game", url: location.origin, requestId: crypto.randomUUID() },
});

function draw(rows) {
  const side = rows.length + 8; // with the quiet zone
  const path = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + 4} ${y + 4}h1v1h-1z` : ""))).join("");
  return `<svg viewBox="0 0 ${side} ${side}" shape-rendering="crispEdges"><path d="${path}"/></svg>`;
}

async function take() {
  const handOver = JSON.parse(document.querySelector("#grant").value);
  if (handOver.key?.publicKey !== owner.address) throw new Error("This grant is for another key.");
  const chain = defineChain({
    id: handOver.chainId, name: "practice", nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [world.chain] } },
  });
  const client = createClient({ chain, transport: http() });
  const account = await grantedAccount({ client, owner, handOver });
  bundler = createBundlerClient({ account, client, transport: http("/bundler"), pollingInterval: 50 });
  for (const button of document.querySelectorAll("button")) button.disabled = false;
  return `Ready: ${account.address}`;
}

async function play(functionName, args, value) {
  const data = encodeFunctionData({ abi: GAME, functionName, args });
  const hash = await bundler.sendUserOperation({ calls: [{ to: world.game, data, value }] });
  const { success, receipt } = await bundler.waitForUserOperationReceipt({ hash });
  return `${success ? "Done" : "Failed"}: ${receipt.transactionHash}`;
}

function onClick(id, act) {
  document.querySelector(id).onclick = async () => {
    show("Working…");
    try {
      show(await act());
    } catch (error) {
      show(`Refused: ${error.details ?? error.message}`);
    }
  };
}

onClick("#take", take);
onClick("#move", () => play("move", [3, 4], 0n));
onClick("#spend", () => play("buy", [], 1n));
document.querySelector("#request").innerHTML = draw(await (await fetch("/qr", { method: "POST", body: request })).json());
