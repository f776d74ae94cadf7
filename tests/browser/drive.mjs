// A browser as a program: one JSON object a line in, one a line out. {"open": URL, "program", "sandbox"} · {"click": SELECTOR} ·
// {"fill": SELECTOR, "text"} · {"shot": SELECTOR, "path"} · {"read": SELECTOR, "matching": PATTERN} waits for such a text ·
// {"link": SELECTOR} where it leads · {"look": CODE} what it is worth in the page.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

let browser, page;
const problems = [];

const ACTS = {
  open: async ({ open, program, sandbox }) => {
    browser = await chromium.launch({ executablePath: program, chromiumSandbox: sandbox });
    page = await browser.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(open);
  },
  click: ({ click }) => page.click(click),
  fill: ({ fill, text }) => page.fill(fill, text),
  shot: async ({ shot, path }) => { await page.locator(shot).screenshot({ path }); },
  link: ({ link }) => page.locator(link).getAttribute("href"),
  look: ({ look }) => page.evaluate(look),
  read: ({ read, matching }) => page.locator(read, { hasText: new RegExp(matching) }).textContent(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const act = ACTS[Object.keys(request)[0]];
  const answer = await act(request).then((text) => ({ text }), (error) => ({ error: error.message }));
  process.stdout.write(`${JSON.stringify({ ...answer, problems })}\n`);
}
await browser?.close();
