// Compiles wasm/kernels/*.ts (AssemblyScript) to the four binaries of wasm/dist: `node wasm/build.mjs`.
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = "--runtime stub --enable simd --optimizeLevel 3 --converge --noAssert";
const relaxed = "--enable relaxed-simd";
// A memory may have fewer pages than this at most. It comes as zeros: a lane must not write them again.
const shared = "--enable threads --importMemory --sharedMemory --maximumMemory 65536 --zeroFilledMemory";

const builds = {
  "kernels.wasm": target,
  "kernels-relaxed.wasm": `${target} ${relaxed}`,
  "kernels-shared.wasm": `${target} ${shared}`,
  "kernels-relaxed-shared.wasm": `${target} ${relaxed} ${shared}`,
};

for (const [file, options] of Object.entries(builds)) {
  const { error } = await main(
    ["kernels/kernels.ts", "--baseDir", here, "--outFile", `dist/${file}`, ...options.split(" ")],
    { stderr: process.stderr },
  );
  if (error !== null) process.exitCode = 1;
}
