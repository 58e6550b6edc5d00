import { createWasmBackend } from "../../client/backend/wasm.ts";
import { hasRelaxedSimd, loadKernels } from "../../wasm/index.ts";
import { describeBackend } from "../conformance/backend.ts";

for (const relaxed of hasRelaxedSimd() ? [false, true] : [false]) {
  describeBackend(`${relaxed ? "relaxed " : ""}wasm in a browser`, async () =>
    createWasmBackend({ kernels: await loadKernels({ relaxed, shared: false }) }),
  );
}
