import { execFile } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { create, globals } from "webgpu";
import { createWebgpuBackend } from "../../client/backend/webgpu.ts";
import { findChromium } from "../../coordinator/headless/browser/chromium.ts";
import { thisMachine } from "../../coordinator/headless/browser/machine.ts";
import { describeBackend } from "../conformance/backend.ts";

const FILE = "test/e2e/webgpu-in-node.test.ts";
const VITEST = "node_modules/vitest/vitest.mjs";
const DRIVER = "vk_swiftshader_icd.json";

/** The folder where Chromium keeps its Vulkan, with a driver that computes on the processor; `null` without one. */
async function vulkanFolder(): Promise<string | null> {
  const chromium = await findChromium(thisMachine());
  const folders = [...(chromium === null ? [] : [dirname(realpathSync(chromium))]), "/usr/lib/chromium"];
  const holds = (folder: string): boolean =>
    ["libvulkan.so.1", DRIVER].every((file) => existsSync(join(folder, file)));
  return folders.find(holds) ?? null;
}

const isChild = process.env["ASTROSCALE_TEST_IN_VULKAN"] === "yes";
const folder = isChild ? null : await vulkanFolder();

// The loader reads its path when a process starts: the suite runs in one of its own.
describe.runIf(!isChild)("Node", () => {
  test.skipIf(folder === null)(
    "passes the suite of backends with the npm package webgpu and Chromium's Vulkan",
    async () => {
      const given = Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST"));
      const env = {
        ...Object.fromEntries(given),
        ASTROSCALE_TEST_IN_VULKAN: "yes",
        LD_LIBRARY_PATH: folder ?? "",
        VK_ICD_FILENAMES: join(folder ?? "", DRIVER),
      };
      const args = [VITEST, "run", "--project", "e2e", "--reporter", "dot", "--no-color", FILE];
      const run = promisify(execFile)(process.execPath, args, { env });
      const { stdout } = await run.catch((error: { stdout: string }) => error);
      expect(stdout).toMatch(/Tests +\d{3} passed \| 1 skipped/);
    },
  );
});

if (isChild) {
  // Kept to the end of the process in a global: what it made crashes once it is collected.
  const gpu = create([]);
  Object.assign(globalThis, globals, { gpu });
  describeBackend("webgpu in Node", () => createWebgpuBackend({ gpu }));
}
