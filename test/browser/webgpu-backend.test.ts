import { createWebgpuBackend } from "../../client/backend/webgpu.ts";
import { describeBackend } from "../conformance/backend.ts";

describeBackend("webgpu", createWebgpuBackend);
