import { expect, test } from "vitest";
import { choiceReason, measuredRates } from "../../../../client/page/backend-words.ts";
import type { BackendProbe } from "../../../../protocol/nodes.ts";

function probes(wasm: number | null, webgpu: number | null): BackendProbe[] {
  return [
    { backend: "wasm", device: "", examplesPerSecond: wasm },
    { backend: "webgpu", device: "", examplesPerSecond: webgpu },
  ];
}

test("the faster backend is named with how much faster it is and both rates", () => {
  expect(choiceReason("webgpu", probes(51_000, 210_000))).toBe(
    "WebGPU chosen: 4.1x as fast as WebAssembly here: 210,000 against 51,000 examples a second",
  );
  expect(choiceReason("wasm", probes(1_024_000, 79_500))).toBe(
    "WebAssembly chosen: 13x as fast as WebGPU here: 1,020,000 against 79,500 examples a second",
  );
  expect(choiceReason("wasm", probes(100_400, 100_000))).toContain("just as fast as WebGPU");
});

test("a backend that failed is why the other was chosen", () => {
  const reason = "WebAssembly chosen: WebGPU did not work here";
  expect(choiceReason("wasm", probes(51_000, null))).toBe(reason);
  expect(choiceReason("wasm", probes(null, null).slice(1))).toBe(reason);
});

test("no reason is given where nothing was measured, or where the measurement speaks for the other", () => {
  expect(choiceReason("wasm", [])).toBeNull();
  expect(choiceReason("wasm", probes(51_000, 210_000))).toBeNull();
  expect(choiceReason("webgpu", probes(51_000, null))).toBeNull();
});

test("measured rates are listed by backend, a failed one as such", () => {
  expect(measuredRates([])).toBeNull();
  expect(measuredRates(probes(51_000, 210_000))).toBe("WebAssembly 51,000/s, WebGPU 210,000/s");
  expect(measuredRates(probes(51_000, null))).toBe("WebAssembly 51,000/s, WebGPU failed");
});
