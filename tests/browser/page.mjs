// The dApp: its own key, its request over the bridge, as a link and as a QR code; the grant that comes back, whichever way; calls through a
// bundler, what came of them.
import { defineChain, encodeFunctionData, parseAbi, toFunctionSelector } from "viem";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { player } from "/player.mjs";
import { check, connect, sessionRequest } from "./latchkey.mjs";
import { read, toLink, toQr } from "./latchkey-codec.mjs";

const GAME = parseAbi(["function move(uint8 x, uint8 y)", "function buy() payable"]);
const world = await (await fetch("/world.json")).json(); // where chain and game are
const key = generatePrivateKey();
const find = (id) => document.querySelector(id);
const enable = (buttons) => { for (const button of document.querySelectorAll(buttons)) button.disabled = false; };
const show = (text) => { find("#result").textContent = text; };
const latchkey = connect({ name: "Practice game", socket: true });
let playing;

const request = sessionRequest({
  chainId: world.chainId,
  expirySec: Math.floor(Date.now() / 1000) + 3600,
  key: privateKeyToAddress(key),
  permissions: [{
    type: "functions-on-contract", data: { address: world.game, functions: GAME.map((f) => toFunctionSelector(f)) },
  }],
  name: "Practice game",
  url: location.origin,
});

function draw(rows) {
  const side = rows.length + 8; // with the quiet zone
  const path = rows.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + 4} ${y + 4}h1v1h-1z` : ""))).join("");
  return `<svg viewBox="0 0 ${side} ${side}" shape-rendering="crispEdges"><path d="${path}"/></svg>`;
}

async function take(grant) {
  check(grant, request);
  const chain = defineChain({
    id: grant.chainId, name: "practice", nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [world.chain] } },
  });
  playing = await player({ chain, key, grant });
  enable("#move, #spend");
  return `Ready: ${playing.address}`;
}

async function ask() {
  if (!latchkey.isPaired) await latchkey.pair((code) => { find("#code").textContent = code; });
  return take(await latchkey.createSession(request));
}

async function play(functionName, args, value) {
  const data = encodeFunctionData({ abi: GAME, functionName, args });
  const { success, transaction } = await playing.play({ to: world.game, data, value });
  return `${success ? "Done" : "Failed"}: ${transaction}`;
}

async function revoke() {
  const [session] = await latchkey.sessions();
  return `Ended: ${(await latchkey.revokeSession(session)).state}`;
}

function onClick(id, act) {
  find(id).onclick = async () => {
    show("Working…");
    try {
      show(await act());
    } catch (error) {
      show(`Refused: ${error.details ?? error.message}`);
    }
  };
}

onClick("#ask", ask);
onClick("#take", async () => take(await read(find("#grant").value)));
onClick("#move", () => play("move", [3, 4], 0n));
onClick("#spend", () => play("buy", [], 1n));
onClick("#list", async () => `Sessions: ${(await latchkey.sessions()).map((one) => one.state).join(", ")}`);
onClick("#revoke", revoke);
latchkey.on("sessionsChanged", (sessions) => { find("#news").textContent = sessions.map((one) => one.state).join(", "); });
find("#link").href = await toLink(request);
const [code] = await toQr(request);
find("#request").innerHTML = draw(await (await fetch("/qr", { method: "POST", body: code })).json());
enable("#ask, #take, #list, #revoke");
