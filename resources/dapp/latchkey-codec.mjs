// Requests and grants as links and QR codes, for a Latchkey on another computer or a phone's picture of one. See docs/hand-over.md.
import { LatchkeyError, fromHex, given, join, text, toHex } from "./latchkey.mjs";

/** A request as a link: the person clicks it, or pastes it. */
export async function toLink(request) {
  const link = LINK + toBase64Url(await encode(twinOf(request)));
  if (link.length > MAX_LINK) throw new LatchkeyError("TooLarge", "This request is too long for a link.");
  return link;
}

/** A request as QR codes: the text of each. One is enough where it fits; several are shown in turn, again and again. */
export async function toQr(request, fragment = 110) {
  const message = await encode(twinOf(request));
  const single = `ur:${TYPE}/${toBytewords(message)}`.toUpperCase();
  if (single.length <= MAX_SINGLE) return [single];
  const count = Math.ceil(message.length / fragment), size = Math.ceil(message.length / count);
  return Array.from({ length: count }, (_, i) => {
    const part = new Uint8Array(size);
    part.set(message.subarray(i * size, (i + 1) * size));
    const payload = toCbor([i + 1, count, message.length, crc32(message), part]);
    return `ur:${TYPE}/${i + 1}-${count}/${toBytewords(payload)}`.toUpperCase();
  });
}

/** The request as a hand-over's JSON: what links and QR codes hold. Texts as Latchkey writes them, on one line and cut. */
function twinOf({ account, chainId, expirySec, key, permissions, latchkey: { requestId, handOverKey, callback, ...claims } = {} }) {
  const { name, url, names, functions } = claims, decimals = (of) => given({ decimals: of.decimals });
  const words = given({
    name: line(name, 80),
    url: line(url, 256),
    names: names?.map((of) => ({ address: of.address, name: line(of.name ?? "", 80), symbol: line(of.symbol ?? "", 20), ...decimals(of) })),
    functions: functions?.map((one) => line(one, 200)),
  });
  return given({
    kind: "request", system: "modular_account", chainId: chainId && Number(chainId), account, permissions, expirySec,
    key: key && { ...key, type: key.type === "contract" ? "contract" : "secp256k1" },
    requestId, handOverKey, callback, claims: Object.keys(words).length ? words : undefined,
  });
}

const line = (value, limit) => value?.replace(/[\p{C}\p{Z}\s]+/gu, " ").trim().slice(0, limit).trim();

/** A grant from whatever the person brings back: JSON, a latchkey: link, the text of one QR code, or `location.hash` after a callback. */
export async function read(text) {
  text = text.trim();
  if (text.startsWith("{")) return parsed(text);
  const returned = new URLSearchParams(text.replace(/^#/, ""));
  if (returned.has("latchkey-refused")) {
    throw new LatchkeyError(returned.get("latchkey-refused"), returned.get("reason") || "The request was refused.");
  }
  if (returned.has("latchkey")) return decode(fromBase64Url(returned.get("latchkey")));
  if (text.toLowerCase().startsWith(LINK)) return decode(fromBase64Url(text.slice(LINK.length)));
  const scanner = new Scanner();
  await scanner.receive(text);
  const found = await scanner.grant();
  if (!found) throw new LatchkeyError("OnePartOfMany", "This is one part of several: scan all of them with a Scanner.");
  return found;
}

// The bytes of a hand-over ---------------------------------------------------------------------------------------------------------

const TYPE = "latchkey-grant", LINK = "latchkey:grant/";
const MAX_LINK = 24_000, MAX_SINGLE = 1_800; // characters

async function encode(twin) {
  const head = join([0x84], toCbor("latchkey"), [1], toCbor(toCbor(BODY.pack(twin))));
  return join(head, toCbor(await checksum(head)));
}

async function decode(raw) {
  const outer = fromCbor(raw);
  if (!Array.isArray(outer) || outer.length !== 4 || outer[0] !== "latchkey") throw new LatchkeyError("NotHandOver", "This is no hand-over.");
  if (toHex(outer[3]) !== toHex(await checksum(raw.subarray(0, -9)))) throw damaged();
  if (outer[1] !== 1) throw new LatchkeyError("UnknownVersion", "This was written by a newer Latchkey.");
  const { context, ...twin } = BODY.unpack(fromCbor(outer[2]));
  if (context === undefined) return { latchkey: 1, ...twin };
  return { latchkey: 1, ...twin, context: context === LOCAL ? `0x01${twin.deferredAction.slice(2)}` : context };
}

function parsed(json) {
  let twin;
  try { twin = JSON.parse(json); } catch { throw damaged(); }
  if (twin.latchkey !== 1) throw new LatchkeyError("NotHandOver", "This is no hand-over.");
  return twin;
}

const checksum = async (head) => new Uint8Array(await crypto.subtle.digest("SHA-256", head)).subarray(0, 8);
const damaged = () => new LatchkeyError("Damaged", "This is damaged: copy or scan it again.");

// A shape says how a JSON value stands in CBOR, both ways.
const plain = { pack: (value) => value, unpack: (value) => value };
const hex = { pack: fromHex, unpack: toHex };
const zeros = { pack: (value) => squeeze(fromHex(value)), unpack: (value) => toHex(unsqueeze(value)) };
const amount = { pack: (value) => fromHex(bare(value)), unpack: (value) => `0x${toHex(value).slice(2).replace(/^0+/, "") || "0"}` };
const word = { pack: amount.pack, unpack: (value) => `0x${toHex(value).slice(2).padStart(64, "0")}` };
const flag = { pack: Number, unpack: Boolean };
const list = (item) => ({ pack: (values) => values.map(item.pack), unpack: (values) => values.map(item.unpack) });
const row = (...columns) => ({
  pack: (value) => columns.filter(([name]) => name in value).map(([name, shape]) => shape.pack(value[name])),
  unpack: (values) => Object.fromEntries(values.map((value, i) => [columns[i][0], columns[i][1].unpack(value)])),
});
const record = (...columns) => ({ // [number, name, shape]; the numbers ascend
  pack: (value) => new Map(columns.filter(([, name]) => value[name] !== undefined).map(([n, name, shape]) => [n, shape.pack(value[name])])),
  unpack: (map) => Object.fromEntries([...map].map(([n, value]) => {
    const column = columns.find(([number]) => number === n);
    if (!column) throw new LatchkeyError("UnknownField", "This was written by a newer Latchkey.");
    return [column[1], column[2].unpack(value)];
  })),
});

const PERMISSIONS = {
  1: ["native-token-transfer", row(["allowance", amount])],
  2: ["erc20-token-transfer", row(["address", hex], ["allowance", amount])],
  3: ["gas-limit", row(["limit", amount])],
  4: ["contract-access", row(["address", hex])],
  5: ["account-functions", row(["functions", list(hex)])],
  6: ["functions-on-all-contracts", row(["functions", list(hex)])],
  7: ["functions-on-contract", row(["address", hex], ["functions", list(hex)])],
  8: ["root", row()],
  9: ["paymaster-guard", row(["paymaster", hex])],
};
const permission = {
  pack: ({ type, data = {} }) => {
    const [code, [, shape]] = Object.entries(PERMISSIONS).find(([, [name]]) => name === type)
      ?? (() => { throw new LatchkeyError("UnknownPermission", `There is no permission ${type}.`); })();
    return [Number(code), ...shape.pack(data)];
  },
  unpack: ([code, ...values]) => {
    const [type, shape] = PERMISSIONS[code] ?? (() => { throw new LatchkeyError("UnknownPermission", "This was written by a newer Latchkey."); })();
    return values.length ? { type, data: shape.unpack(values) } : { type };
  },
};
const CLAIMS = record(
  [1, "name", plain], [2, "url", plain], [3, "names", list(row(["address", hex], ["name", plain], ["symbol", plain], ["decimals", plain]))],
  [4, "functions", list(plain)], [5, "altered", flag],
);
const LOCAL = 1; // the context 0x01 || deferredAction
const BODY = record(
  [1, "kind", plain], [2, "system", plain], [3, "chainId", plain], [4, "account", hex], [5, "mode", plain], [6, "owner", hex],
  [7, "salt", amount], [8, "initCode", zeros], [9, "permissions", list(permission)], [10, "expirySec", plain],
  [11, "key", row(["publicKey", hex], ["type", plain])], [12, "entityId", plain], [13, "nonce", word], [14, "unsigned", zeros],
  [15, "deferredAction", zeros], [16, "context", { pack: fromHex, unpack: (value) => (value === LOCAL ? LOCAL : toHex(value)) }],
  [17, "requestId", plain], [18, "handOverKey", hex], [19, "sealedSessionKey", hex], [20, "sessionKeystore", plain], [21, "claims", CLAIMS],
  [22, "asked", record([1, "permissions", list(permission)], [2, "expirySec", plain])], [27, "callback", plain],
);

// Each run of 1 to 256 zero bytes is one zero byte and the run's length less one.
function squeeze(bytes) {
  const out = [];
  for (let i = 0; i < bytes.length;) {
    let run = 0;
    while (bytes[i + run] === 0 && run < 256) run += 1;
    if (run) out.push(0, run - 1); else out.push(bytes[i]);
    i += run || 1;
  }
  return Uint8Array.from(out);
}

function unsqueeze(bytes) {
  const out = [];
  for (let i = 0; i < bytes.length; i += 1) {
    if (bytes[i]) out.push(bytes[i]);
    else for (let n = bytes[i += 1] + 1; n > 0; n -= 1) out.push(0);
  }
  return Uint8Array.from(out);
}

// CBOR, as far as it is used: whole numbers, bytes, text, arrays, maps ------------------------------------------------------------

function toCbor(value) {
  const head = (major, n) => {
    if (n < 24) return [major << 5 | n];
    const size = n < 2 ** 8 ? 1 : n < 2 ** 16 ? 2 : n < 2 ** 32 ? 4 : 8;
    return join([major << 5 | 24 + Math.log2(size)], fromHex(BigInt(n).toString(16).padStart(2 * size, "0")));
  };
  if (Number.isSafeInteger(value) && value >= 0) return join(head(0, value));
  if (value instanceof Uint8Array) return join(head(2, value.length), value);
  if (typeof value === "string") return join(head(3, text(value).length), text(value));
  if (Array.isArray(value)) return join(head(4, value.length), ...value.map(toCbor));
  if (value instanceof Map) return join(head(5, value.size), ...[...value].flat().map(toCbor));
  throw new LatchkeyError("BadValue", "A request holds whole numbers, texts, lists and objects.");
}

function fromCbor(bytes) {
  let at = 0;
  const take = (n) => {
    if (at + n > bytes.length) throw damaged();
    return bytes.subarray(at, at += n);
  };
  const item = (depth) => {
    const [first] = take(1), major = first >> 5, low = first & 31;
    if (low > 27 || depth > 8) throw damaged();
    const n = low < 24 ? low : Number(BigInt(toHex(take(1 << low - 24))));
    if (major >= 4 && n > bytes.length) throw damaged();
    switch (major) {
      case 0:
        if (!Number.isSafeInteger(n)) throw new LatchkeyError("BadValue", "A number in this is larger than pages can tell apart.");
        return n;
      case 2: return take(n);
      case 3: return new TextDecoder("utf-8", { fatal: true }).decode(take(n));
      case 4: return Array.from({ length: n }, () => item(depth + 1));
      case 5: return new Map(Array.from({ length: n }, () => [item(depth + 1), item(depth + 1)]));
      default: throw damaged();
    }
  };
  const value = item(0);
  if (at !== bytes.length) throw damaged();
  return value;
}

// QR codes: UR (BCR-2020-005) with minimal bytewords (BCR-2020-012) ---------------------------------------------------------------

/** Gathers the parts of an animated QR code, in any order. */
export class Scanner {
  #kind; #rows = new Map(); #message;

  /** How much is there, 0 to 100. */
  get percent() { return this.#message ? 100 : this.#kind ? Math.floor(100 * this.#rows.size / this.#kind.count) : 0; }

  /** The text of one code; how much is there now. Raises LatchkeyError for what is none of Latchkey's. */
  async receive(code) {
    const [, number, count, words] = /^ur:latchkey-grant\/(?:(\d+)-(\d+)\/)?([a-z]+)$/.exec(code.trim().toLowerCase())
      ?? (() => { throw new LatchkeyError("NotUr", "This is no QR code of Latchkey."); })();
    const body = fromBytewords(words);
    if (number === undefined) this.#message = body;
    if (this.#message) return this.percent;
    const [seq, parts, length, sum, data] = fromCbor(body);
    if (seq !== Number(number) || parts !== Number(count) || parts > 1000 || length > data.length * parts) throw damaged();
    this.#kind ??= { count: parts, length, sum, size: data.length, choose: chooser(parts, sum) };
    if (this.#kind.sum !== sum || this.#kind.count !== parts) throw new LatchkeyError("OtherCode", "This is a part of another code.");
    this.#add(await this.#kind.choose(seq), data);
    return this.percent;
  }

  /** The grant, once all of it is there; undefined before. */
  async grant() { return this.#message && decode(this.#message); }

  // Each part is the XOR of some fragments. Rows are kept so that each begins with a fragment that no other begins with.
  #add(fragments, data) {
    data = data.slice();
    while (fragments.size) {
      const first = Math.min(...fragments), known = this.#rows.get(first);
      if (!known) { this.#rows.set(first, { fragments, data }); break; }
      for (const one of known.fragments) if (!fragments.delete(one)) fragments.add(one);
      known.data.forEach((byte, i) => { data[i] ^= byte; });
    }
    if (this.#rows.size < this.#kind.count) return;
    const { count, size, length, sum } = this.#kind, whole = new Uint8Array(count * size);
    for (let i = count - 1; i >= 0; i -= 1) {
      const { fragments: mixed, data: part } = this.#rows.get(i);
      for (const other of mixed) if (other !== i) for (let n = 0; n < size; n += 1) part[n] ^= whole[other * size + n];
      whole.set(part, i * size);
    }
    const message = whole.subarray(0, length);
    if (crc32(message) !== sum) { this.#rows.clear(); this.#kind = undefined; throw damaged(); }
    this.#message = message;
  }
}

// Which fragments part number `seq` is made of: fixed by the specification, drawn by xoshiro256** from the number and the checksum.
function chooser(count, sum) {
  const draw = sampler(Array.from({ length: count }, (_, i) => 1 / (i + 1)));
  return async (seq) => {
    if (seq <= count) return new Set([seq - 1]);
    const random = await xoshiro(fromHex(seq.toString(16).padStart(8, "0") + sum.toString(16).padStart(8, "0")));
    const left = Array.from({ length: count }, (_, i) => i), chosen = new Set();
    for (let degree = draw(random) + 1; degree > 0; degree -= 1) chosen.add(left.splice(Math.floor(random() * left.length), 1)[0]);
    return chosen;
  };
}

// Draws an index by weight (the alias method, its table built in the order the specification fixes).
function sampler(weights) {
  const total = weights.reduce((sum, weight) => sum + weight), shares = weights.map((weight) => (weight * weights.length) / total);
  const indices = shares.map((_, i) => i).reverse();
  const small = indices.filter((i) => shares[i] < 1), large = indices.filter((i) => shares[i] >= 1);
  const chance = shares.map(() => 1), alias = shares.map(() => 0);
  while (small.length && large.length) {
    const low = small.pop(), high = large.pop();
    chance[low] = shares[low];
    alias[low] = high;
    shares[high] += shares[low] - 1;
    (shares[high] < 1 ? small : large).push(high);
  }
  return (random) => {
    const [first, second] = [random(), random()], index = Math.floor(shares.length * first);
    return second < chance[index] ? index : alias[index];
  };
}

async function xoshiro(seed) {
  const digest = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", seed))).slice(2);
  const u64 = (value) => BigInt.asUintN(64, value), rotate = (value, by) => u64((value << by) | (value >> (64n - by)));
  let [a, b, c, d] = [0, 16, 32, 48].map((at) => BigInt(`0x${digest.slice(at, at + 16)}`));
  return () => {
    const next = u64(rotate(u64(b * 5n), 7n) * 9n);
    [a, b, c, d] = [a ^ d ^ b, b ^ c ^ a, c ^ a ^ u64(b << 17n), rotate(d ^ b, 45n)];
    return Number(next) / 2 ** 64;
  };
}

function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

const sealed = (bytes) => join(bytes, fromHex(crc32(bytes).toString(16).padStart(8, "0")));
const toBytewords = (bytes) => Array.from(sealed(bytes), (byte) => WORDS[4 * byte] + WORDS[4 * byte + 3]).join("");

function fromBytewords(letters) {
  const values = (letters.match(/../g) ?? []).map((pair) => BYTE.get(pair) ?? -1);
  const bytes = Uint8Array.from(values), body = bytes.subarray(0, -4);
  if (letters.length % 2 || values.includes(-1) || toHex(sealed(body)) !== toHex(bytes)) throw damaged();
  return body;
}

// The specification's 256 words of four letters; the first and the last letter stand for a byte.
const WORDS = [
  "ableacidalsoapexaquaarchatomauntawayaxisbackbaldbarnbeltbetabiasbluebodybragbrewbulbbuzzcalmcashcatschefcityclawcodecolacookcost",
  "cruxcurlcuspcyandarkdatadaysdelidicedietdoordowndrawdropdrumdulldutyeacheasyechoedgeepicevenexamexiteyesfactfairfernfigsfilmfish",
  "fizzflapflewfluxfoxyfreefrogfuelfundgalagamegeargemsgiftgirlglowgoodgraygrimgurugushgyrohalfhanghardhawkheathelphighhillholyhope",
  "hornhutsicedideaidleinchinkyintoirisironitemjadejazzjoinjoltjowljudojugsjumpjunkjurykeepkenokeptkeyskickkilnkingkitekiwiknoblamb",
  "lavalazyleaflegsliarlimplionlistlogoloudloveluaulucklungmainmanymathmazememomenumeowmildmintmissmonknailnavyneednewsnextnoonnote",
  "numbobeyoboeomitonyxopenovalowlspaidpartpeckplaypluspoempoolposepuffpumapurrquadquizraceramprealredorichroadrockroofrubyruinruns",
  "rustsafesagascarsetssilkskewslotsoapsolosongstubsurfswantacotasktaxitenttiedtimetinytoiltombtoystriptunatwinuglyundouniturgeuser",
  "vastveryvetovialvibeviewvisavoidvowswallwandwarmwaspwavewaxywebswhatwhenwhizwolfworkyankyawnyellyogayurtzapszerozestzinczonezoom",
].join("");
const BYTE = new Map(Array.from({ length: 256 }, (_, byte) => [WORDS[4 * byte] + WORDS[4 * byte + 3], byte]));

const bare = (amount) => { const digits = amount.replace(/^0x0*/i, ""); return digits.length % 2 ? `0${digits}` : digits; };
const toBase64Url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

function fromBase64Url(value) {
  try {
    return Uint8Array.from(atob(value.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  } catch {
    throw damaged();
  }
}
