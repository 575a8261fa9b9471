// Puts the compiled queries where images.js has its graphql tags.
import { readFileSync, writeFileSync } from "node:fs";
import { transformSync } from "@babel/core";

const { code } = transformSync(readFileSync("src/images.js", "utf8"), {
  configFile: false,
  plugins: [["relay", { eagerEsModules: true }]],
});
writeFileSync("src/images.js", code.replaceAll('.graphql"', '.graphql.js"'));
