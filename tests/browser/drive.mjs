// A browser as a program: one JSON object a line in, one a line out. {"open": URL, "program", "sandbox"} · {"click": SELECTOR} ·
// {"fill": SELECTOR, "text"} · {"shot": SELECTOR, "path"} · {"read": SELECTOR, "matching": PATTERN} waits for such a text ·
// {"link": SELECTOR} where it leads · {"look": CODE} what it is worth in the page.
import { chromium } from "playwright-core";
import { serve } from "./lines.mjs";

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

await serve((request) => ACTS[Object.keys(request)[0]](request)
  .then((text) => ({ text, problems }), (error) => ({ error: error.message, problems })));
await browser?.close();
