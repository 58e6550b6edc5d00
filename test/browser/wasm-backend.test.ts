import { createWasmBackend } from "../../client/backend/wasm.ts";
import { describeBackend } from "../conformance/backend.ts";

describeBackend("wasm in a browser", () => createWasmBackend());
