// Unpacks the npm package's browser into a folder: node unpack.mjs FOLDER
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

const [, , folder] = process.argv;
const packed = new URL("node_modules/@sparticuz/chromium/bin/", import.meta.url);
const unpack = (name) => brotliDecompressSync(readFileSync(new URL(name, packed)));

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "chromium"), unpack("chromium.br"), { mode: 0o755 });
for (const name of ["al2023.tar", "fonts.tar", "swiftshader.tar"]) {
  writeFileSync(join(folder, name), unpack(name + ".br"));
}
