// resources/dapp/ as a program: {"module", "call", "args"} is one call of an exported function; {"scan"} one Scanner's run. An Error is
// {"error": {"code", "message"}}.
import { createInterface } from "node:readline";

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

for await (const line of createInterface({ input: process.stdin })) {
  const made = await answer(JSON.parse(line)).then((value) => ({ value }), ({ code, message }) => ({ error: { code, message } }));
  process.stdout.write(`${JSON.stringify(made)}\n`);
}
