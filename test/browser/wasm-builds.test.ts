import { describe, expect, test } from "vitest";
import { createWasmBackend } from "../../client/backend/wasm.ts";
import { type Kernels, type KernelsBuild, loadKernels } from "../../wasm/index.ts";
import { describeProducts } from "../conformance/products.ts";
import { uniform } from "../conformance/samples.ts";

const BUILDS: readonly KernelsBuild[] = [
  { relaxed: false, shared: false },
  { relaxed: true, shared: false },
  { relaxed: false, shared: true },
  { relaxed: true, shared: true },
];

/** Statistics of columns with holes and far from 0, and what is made of them. */
async function preprocessed(kernels: Kernels): Promise<unknown> {
  const backend = await createWasmBackend({ kernels });
  const values = uniform(5003 * 3, 8).map((noise, i) => (i % 7 === 0 ? Number.NaN : 2_457_000 + noise * 90));
  const x = backend.matrix(values, 5003, 3);
  const statistics = await backend.moments(x);
  backend.impute(x, Float32Array.of(1, 2, 3));
  backend.standardise(
    x,
    Float32Array.from(statistics, ({ mean }) => mean),
    Float32Array.of(0.1, 0.2, 0.3),
  );
  return { statistics, after: await backend.moments(x), values: await backend.read(x) };
}

describe("builds of the kernels", () => {
  test.each(BUILDS)("a build says which it is: %o", async (build) => {
    expect(await loadKernels(build)).toMatchObject(build);
  });

  test("all builds export the same names", async () => {
    const names = await Promise.all(
      BUILDS.map(async (build) =>
        WebAssembly.Module.exports((await loadKernels(build)).module).map(
          ({ name, kind }) => `${name} ${kind}`,
        ),
      ),
    );
    expect(names[0]).toContain("runJob function");
    for (const others of names) expect(others).toEqual(names[0]);
  });

  test("shared builds take their memory and a way to sleep, others nothing", async () => {
    for (const build of BUILDS) {
      const { module } = await loadKernels(build);
      const imports = WebAssembly.Module.imports(module).map(({ module: from, name }) => `${from}.${name}`);
      expect(imports.toSorted()).toEqual(build.shared ? ["env.memory", "env.sleep"] : []);
    }
  });

  test("preprocessing gives the same bits in all builds", async () => {
    const [baseline, ...others] = await Promise.all(
      BUILDS.map(async (build) => preprocessed(await loadKernels(build))),
    );
    for (const other of others) expect(other).toEqual(baseline);
  });
});

describeProducts("the relaxed build", () => loadKernels({ relaxed: true, shared: false }));
