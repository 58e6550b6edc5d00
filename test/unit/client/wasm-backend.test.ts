import { readFileSync } from "node:fs";
import { createWasmBackend } from "../../../client/backend/wasm.ts";
import { instantiateKernels } from "../../../wasm/index.ts";
import { describeBackend } from "../../conformance/backend.ts";

const bytes = readFileSync(new URL("../../../wasm/dist/kernels.wasm", import.meta.url));

describeBackend("wasm", async () => createWasmBackend(await instantiateKernels(bytes)));
