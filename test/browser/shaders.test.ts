import { afterAll, beforeAll, expect, test } from "vitest";
import { WGSL } from "../../shaders/index.ts";

let device: GPUDevice | undefined;
beforeAll(async () => {
  const adapter = await navigator.gpu.requestAdapter();
  device = await adapter?.requestDevice();
});
afterAll(() => device?.destroy());

test.each(Object.entries(WGSL))("%s.wgsl compiles without a message", async (label, code) => {
  const info = await device?.createShaderModule({ label, code }).getCompilationInfo();
  expect(info?.messages.map(({ lineNum, message }) => `${label}.wgsl:${lineNum} ${message}`)).toEqual([]);
});

test("a fault is told with the kernel's own line", async () => {
  const code = WGSL.impute.replace("x[i] = select", "x[j] = select");
  const line = code.split("\n").findIndex((text) => text.includes("x[j]")) + 1;
  const info = await device?.createShaderModule({ code }).getCompilationInfo();
  expect(info?.messages.map(({ lineNum }) => lineNum)).toContain(line);
});
