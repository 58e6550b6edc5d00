// Compiles wasm/kernels/*.ts (AssemblyScript) to wasm/dist/kernels.wasm.
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const { error, stderr } = await asc.main([
  "kernels/kernels.ts",
  ...["--baseDir", fileURLToPath(new URL(".", import.meta.url))],
  ...["--outFile", "dist/kernels.wasm"],
  ...["--runtime", "stub", "--enable", "simd"],
  ...["--optimizeLevel", "3", "--noAssert", "--converge"],
]);
if (error !== null) {
  process.stderr.write(stderr.toString());
  process.exitCode = 1;
}
