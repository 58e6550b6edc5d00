import { createWasmBackend } from "../../client/backend/wasm.ts";
import { createWebgpuBackend } from "../../client/backend/webgpu.ts";
import { describeAgreement } from "../conformance/backend-agreement.ts";

describeAgreement("WebAssembly and WebGPU", [() => createWasmBackend(), createWebgpuBackend]);
