// @keystonehq/animated-qr, the React parts that wallets show and scan animated codes with: its own component turns the frames, its own scanner
// gathers them. Only the screen and the camera are left out.
//
// One JSON object a line in, one a line out:
//   {"do": "play", type, message, capacity?, count} -> {"parts": [...]}     what the component shows, tick by tick
//   {"do": "scan", type, parts} -> {type, message, taken, percent}          `message` missing while it is not complete
import { createRequire, registerHooks } from "node:module";
import { mock } from "node:test";
import { serve } from "./lines.mjs";

// It is written for bundlers, which find a file without its ending.
registerHooks({
  resolve(name, context, next) {
    const bare = name.startsWith("./") && context.parentURL?.includes("/animated-qr-base/") && !name.endsWith(".js");
    return next(bare ? `${name}.js` : name, context);
  },
});
globalThis.IS_REACT_ACT_ENVIRONMENT = true;
mock.timers.enable({ apis: ["setInterval"] });
const require = createRequire(import.meta.url);
const React = require("react");
const { act, create } = require("react-test-renderer");
const { withAnimatedQRCode } = require("@keystonehq/animated-qr");
const { getAnimatedScan } = await import("@keystonehq/animated-qr-base");

const TICK = 100; // ms, its own default

function play({ type, message, capacity, count }) {
  const parts = [];
  const Code = ({ text }) => (parts.push(text), null);
  function Page() {
    const Shown = withAnimatedQRCode({ WrappedComponent: Code });
    return React.createElement(Shown, { cbor: message, type, capacity });
  }
  let page;
  act(() => (page = create(React.createElement(Page))));
  parts.length = 1;
  while (parts.length < count) act(() => mock.timers.tick(TICK));
  act(() => page.unmount());
  return { parts };
}

function scan({ type, parts }) {
  let found;
  let percent = 0;
  const faults = [];
  const scanner = getAnimatedScan({
    urTypes: [type],
    handleScan: (ur) => (found = ur),
    handleError: (error) => faults.push(String(error)),
    onProgress: (share) => (percent = share),
  });
  let taken = 0;
  while (taken < parts.length && !found) scanner.handleScanSuccess(parts[taken++]);
  return { type: found?.type, message: found?.cbor, taken, percent, faults };
}

const doing = { play, scan };
await serve((asked) => doing[asked.do](asked));
