// What hardware wallets and the wallets that watch for them show each other, by the libraries they use themselves.
//
// One JSON object a line in, one a line out: {"do": name, ...} -> an object, {"error": text} where the library throws. Bytes are hexadecimal without 0x.
import bcUr from "@ngraveio/bc-ur";
import registry from "@keystonehq/bc-ur-registry-eth";
import HDKey from "hdkey";
import { serve } from "./lines.mjs";

const { UR, UREncoder, URDecoder } = bcUr;
const { CryptoAccount, CryptoCoinInfo, CryptoHDKey, CryptoKeypath, CryptoOutput, ETHSignature, EthSignRequest, PathComponent } = registry;
const bytes = (hex) => (hex === undefined ? undefined : Buffer.from(hex, "hex"));
const hex = (buffer) => buffer && Buffer.from(buffer).toString("hex");
const cbor = (item) => ({ cbor: hex(item.toCBOR()) });

function keypath(text, fingerprint, depth) {
  const steps = text.replace(/^m\/?/, "").split("/").filter(Boolean);
  const parts = steps.map((step) => {
    const hardened = step.endsWith("'");
    return new PathComponent(step.startsWith("*") ? { hardened } : { index: parseInt(step), hardened });
  });
  return new CryptoKeypath(parts, bytes(fingerprint), depth);
}

function hdkey({ seed, path, children, fingerprint, coin, name, note }) {
  const node = HDKey.fromMasterSeed(bytes(seed)).derive(path);
  const parent = Buffer.alloc(4);
  parent.writeUInt32BE(node.parentFingerprint);
  const item = new CryptoHDKey({
    isMaster: false,
    isPrivateKey: false,
    key: node.publicKey,
    chainCode: node.chainCode,
    useInfo: coin === undefined ? undefined : new CryptoCoinInfo(coin),
    origin: keypath(path, fingerprint),
    children: children && keypath(children),
    parentFingerprint: parent,
    name,
    note,
  });
  const address = (number) => registry.generateAddressFromXpub(node.publicExtendedKey, `m/0/${number}`);
  const about = { key: hex(node.publicKey), chainCode: hex(node.chainCode), parent: node.parentFingerprint };
  return { item, ...about, addresses: [0, 1, 2].map(address) };
}

const doing = {
  "sign-request": ({ data, type, path, fingerprint, uuid, chainId, address, origin }) =>
    cbor(EthSignRequest.constructETHRequest(bytes(data), type, path, fingerprint, uuid, chainId, address, origin)),
  "read-sign-request": (asked) => {
    const item = EthSignRequest.fromCBOR(bytes(asked.cbor));
    return {
      data: hex(item.getSignData()),
      type: item.getDataType(),
      path: item.getDerivationPath(),
      fingerprint: hex(item.getSourceFingerprint()),
      id: hex(item.getRequestId()),
      chainId: item.getChainId(),
      address: hex(item.getSignRequestAddress()),
      origin: item.getOrigin(),
    };
  },
  signature: ({ signature, id, origin }) => cbor(new ETHSignature(bytes(signature), bytes(id), origin)),
  "read-signature": (asked) => {
    const item = ETHSignature.fromCBOR(bytes(asked.cbor));
    return { signature: hex(item.getSignature()), id: hex(item.getRequestId()), origin: item.getOrigin() };
  },
  hdkey: (asked) => {
    const { item, ...about } = hdkey(asked);
    return { ...about, ...cbor(item) };
  },
  "read-hdkey": (asked) => {
    const item = CryptoHDKey.fromCBOR(bytes(asked.cbor));
    return { key: hex(item.getKey()), path: item.getOrigin().getPath(), children: item.getChildren().getPath(), xpub: item.getBip32Key() };
  },
  account: ({ fingerprint, keys, script }) => {
    const scripts = script ? [registry.ScriptExpressions[script]] : [];
    return cbor(new CryptoAccount(bytes(fingerprint), keys.map((key) => new CryptoOutput(scripts, hdkey(key).item))));
  },
  stream: ({ type, message, fragment, count }) => {
    const encoder = new UREncoder(new UR(bytes(message), type), fragment);
    return { parts: Array.from({ length: count }, () => encoder.nextPart()) };
  },
  gather: ({ parts }) => {
    const decoder = new URDecoder();
    let taken = 0;
    while (taken < parts.length && !decoder.isComplete()) decoder.receivePart(parts[taken++]);
    return decoder.isSuccess() ? { type: decoder.resultUR().type, message: hex(decoder.resultUR().cbor), taken } : { taken };
  },
};

await serve((asked) => doing[asked.do](asked));
