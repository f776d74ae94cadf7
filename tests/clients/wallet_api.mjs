// Alchemy's Wallet APIs on loopback, as far as a session is concerned: their published schema (npm @alchemy/wallet-api-types) judges what
// comes in and what goes out, aa-sdk's PermissionBuilder compiles. And their published client (@alchemy/wallet-apis), to compare with.
//
// One JSON object a line in, one a line out. Run by wallet_api.py from the folder whose node_modules has the packages.
//
//   {"serve": {"rpc", "chainId", "owner", "key"}}   from now on it answers at {"url"}; `owner`: private key of every account, `key`: the API key
//   {"next": {"entityId", "nonceKey", "sessionId", "spoil"}}
//                                                   what it makes next; `spoil`: fields to put over the answer
//   {"grant": REQUEST}                              the published client's grantPermissions, signed by the owner: {"context"}
//   {"decode": CONTEXT}                             as the service reads it
//   {"seen": true}                                  what came in since the last time
import { createServer } from "node:http";
import { LocalAccountSigner } from "@aa-sdk/core";
import { createModularAccountV2Client } from "@account-kit/smart-contracts";
import { PermissionBuilder, buildFullNonceKey } from "@account-kit/smart-contracts/experimental";
import { decodePermissionsContext } from "@alchemy/wallet-api-types/capabilities";
import { wallet_createSession } from "@alchemy/wallet-api-types/rpc";
import { alchemyWalletTransport, createSmartWalletClient } from "@alchemy/wallet-apis";
import { defineChain, hashTypedData, http, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { serve } from "./lines.mjs";

let world, chain, url, next, seen = [];

const withBigInts = ({ type, data }) => (data
  ? { type, data: Object.fromEntries(Object.entries(data).map(([k, v]) => [k, ["allowance", "limit"].includes(k) ? BigInt(v) : v])) } : { type });

async function compiled({ account, key, permissions, expirySec = 0 }) {
  const client = await createModularAccountV2Client({
    mode: "default", accountAddress: account, chain, transport: http(world.rpc), signer: LocalAccountSigner.privateKeyToAccountSigner(world.owner),
  });
  const isGlobalValidation = permissions.some((p) => p.type === "root");
  const nonceKey = buildFullNonceKey({
    nonceKey: BigInt(next.nonceKey), entityId: next.entityId, isGlobalValidation, isDeferredAction: true,
  });
  const builder = new PermissionBuilder({
    client, key: { publicKey: key.publicKey, type: "secp256k1" }, entityId: next.entityId, deadline: expirySec, nonce: nonceKey << 64n,
  });
  const { typedData } = await builder.addPermissions({ permissions }).compileDeferred();
  return typedData;
}

async function createSession(params) {
  const { params: [asked] } = wallet_createSession.shape.Request.decode({ method: "wallet_createSession", params });
  const data = await compiled({ ...asked, permissions: params[0].permissions });
  const answer = {
    sessionId: next.sessionId,
    chainId: toHex(world.chainId),
    signatureRequest: {
      type: "eth_signTypedData_v4",
      data: { ...data, message: { ...data.message, nonce: toHex(data.message.nonce) } },
      rawPayload: hashTypedData(data),
    },
  };
  wallet_createSession.shape.ReturnType.decode(answer);
  const { signatureRequest = {}, ...rest } = next.spoil ?? {};
  return { ...answer, ...rest, signatureRequest: { ...answer.signatureRequest, ...signatureRequest } };
}

async function answered(headers, body) {
  const { id, method, params } = JSON.parse(body);
  seen.push({ method, params, authorization: headers.authorization });
  const error = (code, message) => ({ jsonrpc: "2.0", id, error: { code, message } });
  if (headers.authorization !== `Bearer ${world.key}`) return [401, error(-32600, "Must be authenticated!")];
  if (method !== "wallet_createSession") return [200, error(-32601, "Method not found")];
  try {
    return [200, { jsonrpc: "2.0", id, result: await createSession(params) }];
  } catch (fault) {
    return [400, error(-32602, fault.message)];
  }
}

const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part)).on("end", async () => {
    const [status, answer] = await answered(request.headers, Buffer.concat(parts));
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
});

const ACTS = {
  serve: async ({ serve }) => {
    world = serve;
    chain = defineChain({
      id: world.chainId, name: "practice", nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
      rpcUrls: { default: { http: [world.rpc] } },
    });
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    url = `http://127.0.0.1:${server.address().port}/v2`;
    return { url };
  },
  next: (request) => { next = request.next; return {}; },
  grant: ({ grant: { account, expirySec, key, permissions } }) => createSmartWalletClient({
    signer: privateKeyToAccount(world.owner), chain, account, transport: alchemyWalletTransport({ url, apiKey: world.key }),
  }).grantPermissions({ expirySec, key, permissions: permissions.map(withBigInts) }),
  decode: ({ decode }) => decodePermissionsContext({ context: decode }),
  seen: () => { const all = seen; seen = []; return { all }; },
};

await serve((request) => ACTS[Object.keys(request)[0]](request));
server.close();
server.closeAllConnections();
