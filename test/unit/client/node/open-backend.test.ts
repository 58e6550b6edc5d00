import { describe, expect, test } from "vitest";
import { type BackendMakers, openBackend } from "../../../../client/backend/open.ts";
import { AstroScaleError } from "../../../../protocol/errors.ts";
import { FakeBackend } from "./fakes.ts";

const OPTIONS = { threads: 3 };
const noAdapter = (): Promise<never> =>
  Promise.reject(new AstroScaleError("device_unavailable", "no adapter"));
const noWebAssembly = (): Promise<never> => Promise.reject(new ReferenceError("WebAssembly is not defined"));

/** A machine with both backends, but for what the test replaces. */
function machine(parts: Partial<BackendMakers> = {}): BackendMakers {
  return {
    webgpu: async () => new FakeBackend("webgpu"),
    wasm: async () => new FakeBackend("wasm"),
    ...parts,
  };
}

describe("opening a backend", () => {
  test("auto opens webassembly, with the graphics processor as its rival", async () => {
    const { backend, notice, rival } = await openBackend("auto", OPTIONS, machine());
    expect([backend.name, notice, (await rival)?.name]).toEqual(["wasm", null, "webgpu"]);
  });

  test("auto does not wait for the rival", async () => {
    const endless = machine({ webgpu: () => new Promise(() => {}) });
    expect((await openBackend("auto", OPTIONS, endless)).backend.name).toBe("wasm");
  });

  test("auto has no rival where there is no adapter, and says nothing", async () => {
    const { backend, notice, rival } = await openBackend("auto", OPTIONS, machine({ webgpu: noAdapter }));
    expect([backend.name, notice, await rival]).toEqual(["wasm", null, null]);
  });

  test("auto takes the graphics processor alone where webassembly does not run", async () => {
    const { backend, rival } = await openBackend("auto", OPTIONS, machine({ wasm: noWebAssembly }));
    expect([backend.name, await rival]).toEqual(["webgpu", null]);
  });

  test("auto that cannot download its kernels leaves no graphics processor open behind", async () => {
    const rival = new FakeBackend("webgpu");
    const wasm = (): Promise<never> => Promise.reject(new TypeError("Failed to fetch"));
    const opening = openBackend("auto", OPTIONS, machine({ wasm, webgpu: async () => rival }));
    await expect(opening).rejects.toMatchObject({ code: "coordinator_unreachable" });
    await expect.poll(() => rival.disposed).toBe(true);
  });

  test.each(["webgpu", "wasm"] as const)(
    "%s where it exists opens that alone, without a word",
    async (choice) => {
      const { backend, notice, rival } = await openBackend(choice, OPTIONS, machine());
      expect([backend.name, notice, await rival]).toEqual([choice, null, null]);
    },
  );

  test("webgpu without an adapter opens webassembly and says so", async () => {
    const { backend, notice } = await openBackend("webgpu", OPTIONS, machine({ webgpu: noAdapter }));
    expect(backend.name).toBe("wasm");
    expect(notice).toBe("no WebGPU here (no adapter): computing with WebAssembly");
  });

  test("webassembly is told how many threads it may use", async () => {
    const told: number[] = [];
    const wasm: BackendMakers["wasm"] = async ({ threads }) => {
      told.push(threads);
      return new FakeBackend("wasm");
    };
    await openBackend("wasm", OPTIONS, machine({ wasm }));
    await openBackend("auto", OPTIONS, machine({ wasm }));
    expect(told).toEqual([3, 3]);
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
    await expect(openBackend("wasm", OPTIONS, machine({ wasm }))).rejects.toMatchObject({ code });
  });
});
