import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { KERNEL_BINDINGS, STEP_BYTES } from "../../client/backend/webgpu/kernels.ts";
import { type KernelName, WGSL } from "../../shaders/index.ts";

const FOLDERS = ["preprocessing", "training"];
const BINDING = /@group\(0\) @binding\((\d+)\) var<(.+?)> (\w+): (\w+)/g;
const STEP = /struct Step \{([^}]*)\}/;

/** What the WGSL declares, in the terms of `KERNEL_BINDINGS`. */
function declaredBindings(source: string): string[] {
  return [...source.matchAll(BINDING)].map(([, index, storage, , type], position) => {
    expect(Number(index)).toBe(position);
    if (storage === "uniform") return type === "Step" ? "step" : "uniform";
    return storage === "storage, read_write" ? "write" : "read";
  });
}

describe.each(Object.entries(WGSL) as [KernelName, string][])("%s.wgsl", (name, source) => {
  test("has one entry point, called main", () => {
    expect(source.match(/@compute/g)).toHaveLength(1);
    expect(source).toMatch(/@compute @workgroup_size\(WORKGROUP_SIZE\)\nfn main\(/);
  });

  test("begins with its formula and tells its grid", () => {
    expect(source).toMatch(/^\/\/ \S/);
    expect(source).toMatch(/^\/\/ Grid: /m);
  });

  test("declares the bindings that the backend gives it", () => {
    expect(declaredBindings(source)).toEqual(KERNEL_BINDINGS[name]);
  });
});

test("every .wgsl file is a kernel of its name", () => {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(`shaders/${folder}`, { recursive: true, encoding: "utf8" }),
  )
    .map((file) => basename(file))
    .filter((file) => file.endsWith(".wgsl"));
  expect(files.toSorted()).toEqual(
    Object.keys(WGSL)
      .map((name) => `${name}.wgsl`)
      .toSorted(),
  );
});

test("a Step has the size that the backend binds", () => {
  const fields = WGSL.dense.match(STEP)?.[1]?.match(/^ {2}\w+: (u32|f32),/gm) ?? [];
  // 4 bytes each, and a uniform struct is bound in whole 16 bytes.
  expect(Math.ceil((fields.length * 4) / 16) * 16).toBe(STEP_BYTES);
});
