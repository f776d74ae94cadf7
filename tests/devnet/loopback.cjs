// Preloaded into the bundler, which listens on every interface and has no option for it: every server listens on loopback only.
const net = require("node:net");
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...wanted) {
  if (typeof wanted[0] === "object" && wanted[0] !== null) wanted[0] = { ...wanted[0], host: "127.0.0.1" };
  else if (typeof wanted[1] === "string") wanted[1] = "127.0.0.1";
  else wanted.splice(1, 0, "127.0.0.1");
  return listen.apply(this, wanted);
};
