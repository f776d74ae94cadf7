// resources/dapp/ as a program: {"module", "call", "args"} is one call of an exported function; {"scan"} one Scanner's run. An Error is
// {"error": {"code", "message"}}.
import { serve } from "./lines.mjs";

async function answer({ module, call, args = [], scan }) {
  const exported = await import(module);
  if (!scan) return await exported[call](...args);
  const scanner = new exported.Scanner(), seen = [];
  for (const text of scan) {
    seen.push(await scanner.receive(text));
    const grant = await scanner.grant();
    if (grant) return { grant, seen };
  }
  return { seen };
}

await serve((request) => answer(request).then((value) => ({ value }), ({ code, message }) => ({ error: { code, message } })));
