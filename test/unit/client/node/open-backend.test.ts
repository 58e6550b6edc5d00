import { expect, test } from "vitest";
import { type BackendMakers, openBackend } from "../../../../client/backend/open.ts";
import { AstroScaleError } from "../../../../protocol/errors.ts";
import { FakeBackend } from "./fakes.ts";

function machine(has: { adapter: boolean; hardware: boolean }): BackendMakers {
  return {
    webgpu: has.adapter
      ? async () => new FakeBackend("webgpu")
      : () => Promise.reject(new AstroScaleError("device_unavailable", "no adapter")),
    wasm: async () => new FakeBackend("wasm"),
    hasHardwareAdapter: async () => has.hardware,
  };
}

const GPU = machine({ adapter: true, hardware: true });
const SOFTWARE = machine({ adapter: true, hardware: false });
const NONE = machine({ adapter: false, hardware: false });

test.each([
  { choice: "auto", on: "a GPU", makers: GPU, name: "webgpu" },
  { choice: "auto", on: "a software adapter", makers: SOFTWARE, name: "wasm" },
  { choice: "auto", on: "no adapter", makers: NONE, name: "wasm" },
  { choice: "webgpu", on: "a software adapter", makers: SOFTWARE, name: "webgpu" },
  { choice: "wasm", on: "a GPU", makers: GPU, name: "wasm" },
] as const)("$choice on $on opens $name without a word", async ({ choice, makers, name }) => {
  const { backend, notice } = await openBackend(choice, makers);
  expect(backend.name).toBe(name);
  expect(notice).toBeNull();
});

test("webgpu without an adapter opens webassembly and says so", async () => {
  const { backend, notice } = await openBackend("webgpu", NONE);
  expect(backend.name).toBe("wasm");
  expect(notice).toBe("no WebGPU here (no adapter): computing with WebAssembly");
});

test("a GPU that gives no device when it is wanted by auto becomes webassembly with a notice", async () => {
  const { backend, notice } = await openBackend("auto", machine({ adapter: false, hardware: true }));
  expect(backend.name).toBe("wasm");
  expect(notice).not.toBeNull();
});

test.each([
  {
    fault: "no WebAssembly",
    error: new ReferenceError("WebAssembly is not defined"),
    code: "device_unavailable",
  },
  { fault: "no network", error: new TypeError("Failed to fetch"), code: "coordinator_unreachable" },
])("a machine with $fault is told $code", async ({ error, code }) => {
  const wasm = (): Promise<never> => Promise.reject(error);
  await expect(openBackend("wasm", { ...NONE, wasm })).rejects.toMatchObject({ code });
});
