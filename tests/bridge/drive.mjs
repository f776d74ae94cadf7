// A browser with one page, as a program: a JSON object a line in, one a line out. {"open": URL, "program", "sandbox", "args", "permissions"} ·
// {"run": SCRIPT, "with": VALUE} gives what the script returns, or its error · {"begin": SCRIPT, "with"} lets it run on; {"end": true} waits.
import { chromium } from "playwright-core";
import { serve } from "./lines.mjs";

let browser, page, running;

const settle = (promise) => promise.then((value) => ({ value }), (error) => ({ error: error.message }));
const run = (script, value) => settle(page.evaluate(`(async (given) => {${script}})(${JSON.stringify(value ?? null)})`));

const ACTS = {
  open: async ({ open, program, sandbox, args, permissions }) => {
    browser ??= await chromium.launch({ executablePath: program, chromiumSandbox: sandbox, args });
    const context = await browser.newContext({ ignoreHTTPSErrors: true, permissions });
    page = await context.newPage();
    await page.goto(open);
    return { value: await page.evaluate("isSecureContext") };
  },
  run: ({ run: script, with: value }) => run(script, value),
  begin: ({ begin, with: value }) => { running = run(begin, value); return { value: true }; },
  end: () => running,
};

await serve((request) => ACTS[Object.keys(request)[0]](request));
await browser?.close();
