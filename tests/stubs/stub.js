// Node: prints the addresses of a name (lookup: through the C library; resolve: through c-ares), or its SRV records.
//
// usage: stub.js lookup|resolve any|4|6|srv NAME
const dns = require("node:dns").promises;

const [way, family, name] = process.argv.slice(2);
const absent = (error) => {
  if (["ENOTFOUND", "ENODATA"].includes(error.code)) return [];
  throw error;
};

async function addresses() {
  if (family === "srv")
    return (await dns.resolveSrv(name)).map((r) => `${r.priority} ${r.weight} ${r.port} ${r.name}`);
  if (way === "lookup")
    return (await dns.lookup(name, { all: true, family: family === "any" ? 0 : Number(family) })).map((a) => a.address);
  const kinds = { any: [4, 6], 4: [4], 6: [6] }[family];
  const each = kinds.map((kind) => (kind === 4 ? dns.resolve4(name) : dns.resolve6(name)).catch(absent));
  return (await Promise.all(each)).flat();
}

addresses()
  .catch(absent)
  .then((lines) => console.log(lines.join("\n") || "not found"))
  .catch((error) => {
    console.log(`error: ${error.message}`);
    process.exitCode = 1;
  });
