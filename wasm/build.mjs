// Compiles wasm/kernels/*.ts (AssemblyScript) to wasm/dist/kernels.wasm: `node wasm/build.mjs`.
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = "--runtime stub --enable simd --optimizeLevel 3 --converge --noAssert";
const { error } = await main(
  ["kernels/kernels.ts", "--baseDir", here, "--outFile", "dist/kernels.wasm", ...target.split(" ")],
  { stderr: process.stderr },
);
if (error !== null) process.exitCode = 1;
