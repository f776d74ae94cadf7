// A dApp that holds the module's provider: {"module", "connect": OPTIONS} · {"start": METHOD, "args"} begins a call and gives its number ·
// {"end": NUMBER} waits for what came of it · {"abort": NUMBER} takes it back · {"heard": true}: the events since the last time.
import { serve } from "./lines.mjs";

let provider, events = [], calls = [];
const shown = ({ code, message, data, name }) => ({ error: { code: code ?? name, message, data } });

const ACTS = {
  module: async ({ module, connect }) => {
    provider = (await import(module)).connect(connect);
    for (const event of ["connect", "disconnect", "accountsChanged", "sessionsChanged"]) {
      provider.on(event, (value) => events.push([event, value instanceof Error ? value.code : value]));
    }
    return {};
  },
  start: ({ start, args = [] }) => {
    const taken = new AbortController(), waiting = { signal: taken.signal };
    const all = start === "pair" ? [(code) => events.push(["code", code]), waiting] : [...args, waiting];
    calls.push({ taken, done: provider[start](...all).then((value) => ({ value }), shown) });
    return { value: calls.length - 1 };
  },
  end: ({ end }) => calls[end].done,
  abort: ({ abort }) => { calls[abort].taken.abort(); return {}; },
  heard: () => { const all = events; events = []; return { value: all }; },
  is: () => ({ value: provider.isPaired }),
  leave: () => { provider.disconnect(); return {}; },
};

await serve((request) => ACTS[Object.keys(request)[0]](request));
provider?.close();
