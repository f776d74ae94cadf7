// The other end of program.py: one JSON object a line in, one a line out. What is thrown while it answers is {"error": text}.
import { createInterface } from "node:readline";

const told = (_, value) => (typeof value === "bigint" ? `0x${value.toString(16)}` : value);

export async function serve(answer) {
  for await (const line of createInterface({ input: process.stdin })) {
    const made = await Promise.resolve(line).then(JSON.parse).then(answer).catch((error) => ({ error: error.details ?? error.message }));
    process.stdout.write(`${JSON.stringify(made, told)}\n`);
  }
}
