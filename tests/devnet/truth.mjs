// Who has power over an account, worked out from the protocol text (Modular Account V2, sections 3, 6, 9 to 11) with viem alone:
// nothing of Latchkey is looked at.
//
// One JSON object a line in, one a line out. Run from the folder whose node_modules has viem.
//
//   {"rpc", "account", "block"}     the truth about the account at that block
import { createPublicClient, decodeEventLog, http, numberToHex, pad, parseAbi } from "viem";
import { serve } from "./lines.mjs";

const EP = "0x0000000071727De22E5E9d8BAf0edAc6f37da032";
const SS = "0x00000000000099DE0BF6fA90dEB851E2A2df7d83";
const WEBAUTHN = "0x0000000000001D9d34E07D9834274dF9ae575217";
const AL = "0x00000000003e826473a313e600b5b9b791f5a59a";
const AL_OLD = "0x0000000000002311eee9a2b887af1f144dbb4f6e";
const NT = "0x00000000000001e541f0D090868FBe24b59Fbe06";
const TR = "0x00000000000082B8e2012be914dFA4f62A0573eA";
const PG = "0x0000000000001aA7A7F7E29abe0be06c72FD42A1";
const HALF = 2147483647;
const DIRECT = 0xffffffff;
const ZERO = `0x${"0".repeat(40)}`;
const SLOT = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc";
const PROBES = 16;

const accountAbi = parseAbi([
  "struct Validation { uint8 flags; bytes25[] hooks; bytes25[] executionHooks; bytes4[] selectors; }",
  "struct Execution { address module; bool open; bool allowGlobal; bytes25[] hooks; }",
  "struct F { bytes4 selector; bool skip; bool global; }",
  "struct H { bytes4 selector; uint32 entityId; bool pre; bool post; }",
  "struct Manifest { F[] functions; H[] hooks; bytes4[] interfaces; }",
  "function getValidationData(bytes24 validationFunction) view returns (Validation)",
  "function getExecutionData(bytes4 selector) view returns (Execution)",
  "function getFallbackSignerData() view returns (address, bool)",
  "event ValidationInstalled(address indexed module, uint32 indexed entityId)",
  "event ValidationUninstalled(address indexed module, uint32 indexed entityId, bool onUninstallSucceeded)",
  "event ExecutionInstalled(address indexed module, Manifest manifest)",
  "event ExecutionUninstalled(address indexed module, bool onUninstallSucceeded, Manifest manifest)",
]);
const moduleAbi = parseAbi([
  "function limits(uint256 entityId, address account) view returns (uint256)",
  "function timeRanges(uint32 entityId, address account) view returns (uint48, uint48)",
  "function paymasters(uint32 entityId, address account) view returns (address)",
  "function signers(uint32 entityId, address account) view returns (address)",
  "function addressAllowlist(uint32 entityId, address target, address account) view returns (bool, bool, bool)",
  "function erc20SpendLimits(uint32 entityId, address token, address account) view returns (uint256)",
  "function selectorAllowlist(uint32 entityId, bytes4 selector, address target, address account) view returns (bool)",
  "function balanceOf(address account) view returns (uint256)",
  "event NativeTokenSpendLimitUpdated(uint32 indexed entityId, address indexed account, uint256 newLimit)",
  "event AddressAllowlistUpdated(uint32 indexed entityId, address indexed account, address indexed target, (bool,bool,bool) entry)",
  "event ERC20SpendLimitUpdated(uint32 indexed entityId, address indexed account, address indexed token, uint256 newLimit)",
  "event SelectorAllowlistUpdated(uint32 indexed entityId, address indexed account, bytes24 indexed targetAndSelector, bool allowed)",
  "event TimeRangeSet(uint32 indexed entityId, address indexed account, uint48 validUntil, uint48 validAfter)",
]);

const key = (module, entityId) => `${module.toLowerCase()}${entityId.toString(16).padStart(8, "0")}`;
const at = (log) => [Number(log.blockNumber), Number(log.logIndex)];
const before = (a, b) => b !== undefined && (a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]));
const hookOf = (hex) => ({
  module: hex.slice(0, 42).toLowerCase(), entityId: parseInt(hex.slice(42, 50), 16), flags: parseInt(hex.slice(50, 52), 16),
});
const same = (a, b) => a.toLowerCase() === b.toLowerCase();

class Truth {
  constructor({ rpc, account, block }) {
    this.account = account;
    this.blockNumber = BigInt(block);
    this.client = createPublicClient({ transport: http(rpc, { batch: true, retryCount: 0 }), cacheTime: 0 });
  }

  view(address, functionName, args, abi = moduleAbi) {
    return this.client.readContract({ address, abi, functionName, args, blockNumber: this.blockNumber });
  }

  async mayRevert(...question) {
    try {
      return await this.view(...question);
    } catch (error) {
      if (/revert|returned no data/i.test(error.message)) return undefined;
      throw error;
    }
  }

  validation(module, entityId) {
    return this.mayRevert(this.account, "getValidationData", [key(module, entityId)], accountAbi);
  }

  async logs(address, abi, topics) {
    const found = await this.client.request({
      method: "eth_getLogs",
      params: [{ address, topics, fromBlock: "0x0", toBlock: numberToHex(this.blockNumber) }],
    });
    const events = [];
    for (const log of found) {
      try {
        events.push({ ...decodeEventLog({ abi, data: log.data, topics: log.topics }), log });
      } catch {
        // an event that says nothing about validations or limits
      }
    }
    return events;
  }

  // Everything the events name.
  async gather() {
    const me = pad(this.account, { size: 32 });
    const [own, modules, signers] = await Promise.all([
      this.logs(this.account, accountAbi, []),
      this.logs([AL, AL_OLD, NT, TR], moduleAbi, [null, null, me]),
      this.client.request({
        method: "eth_getLogs",
        params: [{ address: [SS, WEBAUTHN], topics: [me], fromBlock: "0x0", toBlock: numberToHex(this.blockNumber) }],
      }),
    ]);
    this.ids = new Set();
    this.installed = new Map(); // entity id -> the module of its newest install
    this.firstIn = new Map(); // entity id -> transaction of the first install since it was last gone
    this.gone = new Map(); // entity id -> where it was last uninstalled
    this.direct = new Set();
    this.selectors = new Set();
    for (const { eventName, args, log } of own) {
      if (eventName.startsWith("Execution")) {
        for (const f of [...args.manifest.functions, ...args.manifest.hooks]) this.selectors.add(f.selector);
      } else if (args.entityId === DIRECT) {
        this.direct.add(args.module.toLowerCase());
      } else {
        this.ids.add(args.entityId);
        if (eventName === "ValidationUninstalled") {
          this.gone.set(args.entityId, at(log));
          this.firstIn.delete(args.entityId);
        } else {
          this.installed.set(args.entityId, args.module);
          if (!this.firstIn.has(args.entityId)) this.firstIn.set(args.entityId, log.transactionHash);
        }
      }
    }
    for (const { topics } of signers) if (topics.length > 1) this.ids.add(Number(BigInt(topics[1])));
    this.listed = new Map(); // module, id -> target -> {place, selectors: selector -> place}
    this.limitSet = new Map(); // module, id, token -> {place, amount}
    for (const { eventName, args, log } of modules) this.fromModule(eventName, args, log);
  }

  fromModule(eventName, args, log) {
    const id = args.entityId;
    this.ids.add(id > HALF ? id - HALF : id);
    if (eventName === "TimeRangeSet") this.ids.add(id);
    const place = at(log);
    const list = key(log.address, id);
    const target = (address) => {
      if (!this.listed.has(list)) this.listed.set(list, new Map());
      const targets = this.listed.get(list);
      if (!targets.has(address)) targets.set(address, { selectors: new Map() });
      return targets.get(address);
    };
    if (eventName === "AddressAllowlistUpdated") {
      target(args.target.toLowerCase()).place = place;
    } else if (eventName === "ERC20SpendLimitUpdated") {
      target(args.token.toLowerCase()).place ??= place;
      this.limitSet.set(`${list} ${args.token.toLowerCase()}`, { place, amount: args.newLimit });
    } else if (eventName === "SelectorAllowlistUpdated") {
      const both = args.targetAndSelector;
      target(both.slice(0, 42).toLowerCase()).selectors.set(`0x${both.slice(42, 50)}`, place);
    }
  }

  async singles(id, all = this.ids.has(id) || this.live.has(id)) {
    const me = this.account;
    const [left, signer, [until, after], paymaster] = await Promise.all([
      this.view(NT, "limits", [BigInt(id), me]),
      all ? this.view(SS, "signers", [id, me]) : ZERO,
      all ? this.view(TR, "timeRanges", [id, me]) : [0, 0],
      all ? this.view(PG, "paymasters", [id, me]) : ZERO,
    ]);
    const found = [];
    if (signer !== ZERO) found.push({ module: SS, id, target: signer });
    if (until || after) found.push({ module: TR, id, amount: BigInt(until) });
    if (paymaster !== ZERO) found.push({ module: PG, id, target: paymaster });
    if (left) found.push({ module: NT, id, amount: left });
    return found;
  }

  // One allowlist under one id: everything that is stored there.
  list(module, id) {
    return Promise.all([...(this.listed.get(key(module, id)) ?? [])].map(async ([target, { place, selectors }]) => {
      const [[allowed, named, limited], limit, ...stand] = await Promise.all([
        this.view(module, "addressAllowlist", [id, target, this.account]),
        this.view(module, "erc20SpendLimits", [id, target, this.account]),
        ...[...selectors.keys()].map((s) => this.view(module, "selectorAllowlist", [id, s, target, this.account])),
      ]);
      const functions = [...selectors].map(([selector, when]) => ({ selector, when })).filter((_, i) => stand[i]);
      return { target, place, allowed, named, limited, limit, functions, set: this.limitSet.get(`${key(module, id)} ${target}`) };
    }));
  }

  async listEntries(module, id, hooks) {
    const mine = hooks.filter((h) => same(h.module, module) && h.entityId === id);
    const lists = mine.some((h) => h.flags & 1);
    const limits = mine.some((h) => !(h.flags & 1));
    const gone = [this.gone.get(id), this.gone.get(id - HALF)].filter(Boolean);
    const old = (place) => place !== undefined && gone.some((end) => before(place, end));
    const found = [];
    for (const e of await this.list(module, id)) {
      const everywhere = e.target === ZERO;
      const counts = lists && (e.allowed || everywhere);
      if (e.allowed || e.named || e.limited) {
        found.push({ module, id, target: e.target, used: counts || (limits && e.limited), old: old(e.place) });
      }
      if (e.limit) found.push({ module, id, target: e.target, amount: e.limit, used: limits && e.limited, old: old(e.set?.place) });
      for (const { selector, when } of e.functions) {
        const target = everywhere ? undefined : e.target;
        found.push({ module, id, target, selector, used: counts && (everywhere || e.named), old: old(when) });
      }
    }
    return found;
  }

  async stored(id, hooks) {
    const own = id <= HALF ? [id, id + HALF] : [id];
    const places = own.flatMap((i) => [AL, AL_OLD].map((m) => [m, i]));
    const found = [];
    for (const i of own) {
      for (const entry of await this.singles(i)) {
        const used = hooks.some((h) => same(h.module, entry.module) && h.entityId === i);
        found.push({ ...entry, used, old: false });
      }
    }
    for (const h of hooks) {
      if (own.includes(h.entityId)) continue;
      if ([AL, AL_OLD].some((m) => same(m, h.module))) {
        if (!places.some(([m, i]) => same(m, h.module) && i === h.entityId)) places.push([h.module, h.entityId]);
      } else if ([NT, TR, PG].some((m) => same(m, h.module))) {
        const all = await this.singles(h.entityId, true);
        const entry = all.find((e) => same(e.module, h.module));
        if (entry && !found.some((f) => f.id === entry.id && same(f.module, entry.module))) found.push({ ...entry, used: true, old: false });
      }
    }
    for (const [module, i] of places) found.push(...(await this.listEntries(module, i, hooks)));
    return found;
  }

  // What the key may do now, as section 9 has the hooks decide.
  async may(id, v, hooks, executionHooks) {
    const may = { flags: v.flags, until: "0", after: "0", native: null, gas: null, paymaster: null, listed: null, tokens: {} };
    const me = this.account;
    for (const h of hooks) {
      if (same(h.module, TR)) [may.until, may.after] = (await this.view(TR, "timeRanges", [h.entityId, me])).map(String);
      if (same(h.module, NT)) may.gas = (await this.view(NT, "limits", [BigInt(h.entityId), me])).toString();
      if (same(h.module, PG)) may.paymaster = (await this.view(PG, "paymasters", [h.entityId, me])).toLowerCase();
      if (same(h.module, AL)) may.listed = { ...may.listed, ...(await this.allowed(h.entityId)) };
    }
    for (const h of executionHooks) {
      if (!(h.flags & 4)) continue;
      if (same(h.module, NT)) may.native = (await this.view(NT, "limits", [BigInt(h.entityId), me])).toString();
      if (same(h.module, AL) || same(h.module, AL_OLD)) {
        for (const e of await this.list(h.module, h.entityId)) {
          if (e.limited) may.tokens[e.target] = { left: e.limit.toString(), granted: e.set ? e.set.amount.toString() : null };
        }
      }
    }
    return may;
  }

  async allowed(id) {
    const found = {};
    for (const e of await this.list(AL, id)) {
      const names = e.functions.map((f) => f.selector).sort();
      if (e.target === ZERO) {
        if (names.length) found.anywhere = names;
      } else if (e.allowed) {
        found[e.target] = e.named ? names : "any";
      }
    }
    return found;
  }

  async session(id) {
    const v = this.live.get(id);
    const hooks = v.hooks.map(hookOf);
    const executionHooks = v.executionHooks.map(hookOf);
    const module = this.installed.get(id);
    return {
      id,
      module: module?.toLowerCase() ?? null,
      signer: module && same(module, SS) ? (await this.view(SS, "signers", [id, this.account])).toLowerCase() : null,
      selectors: v.selectors,
      hooks: v.hooks,
      executionHooks: v.executionHooks,
      installedIn: this.firstIn.get(id) ?? null,
      may: await this.may(id, v, hooks, executionHooks),
      stored: (await this.stored(id, [...hooks, ...executionHooks])).map((e) => {
        const own = same(e.module, SS) && module && same(module, SS) && e.id === id;
        return plain(e, own ? false : same(e.module, SS) ? true : e.old || !e.used);
      }).sort(),
    };
  }

  async answer() {
    await this.gather();
    const code = (await this.client.getCode({ address: this.account, blockNumber: this.blockNumber })) ?? "0x";
    const everyId = new Set([0, ...this.ids, ...Array.from({ length: PROBES + 1 }, (_, i) => i)]);
    this.live = new Map();
    const said = await Promise.all([...everyId].map((id) => (code === "0x" ? undefined : this.validation(ZERO, id))));
    for (const [i, id] of [...everyId].entries()) {
      const v = said[i];
      if (v && (v.flags || v.hooks.length || v.executionHooks.length || v.selectors.length)) this.live.set(id, v);
    }
    const live = this.live;
    const owner = code === "0x" ? undefined : await this.mayRevert(this.account, "getFallbackSignerData", [], accountAbi);
    const passkeys = [...live.keys()].filter((id) => id && same(this.installed.get(id) ?? ZERO, WEBAUTHN) && live.get(id).flags & 4);
    const ids = [...live.keys()].filter((id) => id && !passkeys.includes(id)).sort((a, b) => a - b);
    const sessions = [];
    for (const id of ids) sessions.push(await this.session(id));
    const left = [];
    const taken = new Set(sessions.flatMap((s) => s.stored.map((e) => e.replace(/ leftover$/, ""))));
    for (const id of [...this.ids].filter((id) => id && !live.has(id))) {
      for (const e of await this.stored(id, [])) {
        const text = plain(e, false);
        if (!taken.has(text)) left.push(text);
      }
    }
    return {
      deployed: code !== "0x",
      code: code.startsWith("0xef0100") ? `0x${code.slice(8)}` : null,
      implementation: await this.client.getStorageAt({ address: this.account, slot: SLOT, blockNumber: this.blockNumber }),
      owner: owner ? [owner[0].toLowerCase(), owner[1]] : null,
      ownerKey: owner ? null : live.has(0) ? (await this.view(SS, "signers", [0, this.account])).toLowerCase() : null,
      ownerHooks: live.has(0) ? [...live.get(0).hooks, ...live.get(0).executionHooks] : [],
      passkeys: passkeys.sort(),
      sessions,
      leftovers: [...new Set(left)].sort(),
      direct: await this.directCalls(),
      functions: await this.functions(),
      usedIds: [...new Set([...this.ids, ...live.keys()])].filter((id) => id).sort((a, b) => a - b),
      balance: (await this.client.getBalance({ address: this.account, blockNumber: this.blockNumber })).toString(),
      deposit: (await this.view(EP, "balanceOf", [this.account])).toString(),
    };
  }

  async directCalls() {
    const found = [];
    for (const module of this.direct) {
      const v = await this.validation(module, DIRECT);
      if (v && (v.flags || v.hooks.length || v.executionHooks.length || v.selectors.length)) {
        found.push({ module, global: Boolean(v.flags & 4), selectors: v.selectors, hooks: [...v.hooks, ...v.executionHooks] });
      }
    }
    return found.sort((a, b) => (a.module < b.module ? -1 : 1));
  }

  async functions() {
    const found = [];
    for (const selector of [...this.selectors].sort()) {
      const { module, open, hooks } = await this.view(this.account, "getExecutionData", [selector], accountAbi);
      const native = module === ZERO || same(module, this.account);
      if (!native || hooks.length) found.push({ selector, module: native ? null : module.toLowerCase(), open: !native && open, hooks: [...hooks] });
    }
    return found;
  }
}

function plain({ module, id, target, selector, amount }, leftover) {
  const parts = [module.toLowerCase(), id, target?.toLowerCase() ?? "-", selector ?? "-", amount?.toString() ?? "-"];
  return parts.join(" ") + (leftover ? " leftover" : "");
}

await serve((request) => new Truth(request).answer());
