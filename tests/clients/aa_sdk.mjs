// aa-sdk, unmodified, in the hands of an account's owner and of its sessions: it makes and signs operations, which others send.
//
// One JSON object a line in, one a line out. Run by tests/clients/sdk.py from the folder whose node_modules has the SDK.
//
//   {"rpc", "chainId", "account", "owner"}                       whom it works for from now on; `owner`: the private key
//   {"grant": DRAFT}                                             the owner signs a grant: {"blob"}
//   {"install": DRAFT}                                           the owner's operation that installs it: {"op"}
//   {"uninstall": {"module", "entityId", "data", "hookData"}}    the owner's operation that ends a validation: {"op"}
//   {"use": {"key", "entityId", "isGlobal", "blob", "calls"}}    a session's operation; `blob`: its grant where this is the first
//
// "gas": the fields of the operation that the SDK would otherwise ask a bundler for. An SDK error is {"error"}.
import { LocalAccountSigner } from "@aa-sdk/core";
import { createModularAccountV2Client } from "@account-kit/smart-contracts";
import { PermissionBuilder, buildDeferredActionDigest, buildFullNonceKey, installValidationActions } from "@account-kit/smart-contracts/experimental";
import { defineChain, http } from "viem";
import { serve } from "./lines.mjs";

let world;
let owner;

const signer = (key) => LocalAccountSigner.privateKeyToAccountSigner(key);

function newClient(extra) {
  const chain = defineChain({
    id: world.chainId, name: "practice", nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [world.rpc] } },
  });
  return createModularAccountV2Client({
    mode: "default", accountAddress: world.account, chain, transport: http(world.rpc),
    // No bundler to ask: gas is given.
    gasEstimator: async (uo, { overrides }) => ({ ...uo, ...overrides, paymasterVerificationGasLimit: undefined }),
    feeEstimator: async (uo) => uo, ...extra,
  });
}

async function signed(client, uo, gas) {
  const uoStruct = await client.buildUserOperation({ uo, overrides: gas });
  return { op: await client.signUserOperation({ uoStruct }) };
}

function builder(draft) {
  const isGlobalValidation = draft.permissions.some((p) => p.type === "root");
  const nonceKey = buildFullNonceKey({
    nonceKey: BigInt(draft.nonceKey), entityId: draft.entityId, isGlobalValidation, isDeferredAction: true,
  });
  const made = new PermissionBuilder({
    client: owner, key: { publicKey: draft.sessionKey, type: "secp256k1" }, entityId: draft.entityId, deadline: draft.expiry,
    nonce: (nonceKey << 64n) | BigInt(draft.sequence),
  });
  made.addPermissions({ permissions: draft.permissions });
  return made;
}

async function grant(draft) {
  const { typedData, fullPreSignatureDeferredActionDigest } = await builder(draft).compileDeferred();
  const sig = await owner.account.signTypedData(typedData);
  return { blob: buildDeferredActionDigest({ fullPreSignatureDeferredActionDigest, sig }) };
}

async function use({ key, entityId, isGlobal, blob, calls }, gas) {
  const session = await newClient({
    signer: signer(key), ...(blob ? { deferredAction: blob } : { signerEntity: { entityId, isGlobalValidation: isGlobal } }),
  });
  const uo = calls.map(({ target, data, value }) => ({ target, data, value: BigInt(value) }));
  return signed(session, uo.length === 1 ? uo[0] : uo, gas);
}

async function uninstall({ module, entityId, data, hookData }, gas) {
  const call = await owner.extend(installValidationActions).encodeUninstallValidation({
    moduleAddress: module, entityId, uninstallData: data, hookUninstallDatas: hookData,
  });
  return signed(owner, call, gas);
}

async function answer(request) {
  if (request.grant) return await grant(request.grant);
  if (request.install) return await signed(owner, await builder(request.install).compileRaw(), request.gas);
  if (request.uninstall) return await uninstall(request.uninstall, request.gas);
  if (request.use) return await use(request.use, request.gas);
  world = request;
  owner = await newClient({ signer: signer(request.owner) });
  return {};
}

await serve(answer);
