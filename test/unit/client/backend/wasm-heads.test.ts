import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createWasmBackend } from "../../../../client/backend/wasm.ts";
import { instantiateKernels } from "../../../../wasm/index.ts";
import { gradientMismatch } from "../../../conformance/backend-training/gradients.ts";
import { problem } from "../../../conformance/samples.ts";

const bytes = readFileSync(new URL("../../../../wasm/dist/kernels.wasm", import.meta.url));
const HEADS = ["mean-squared-error", "huber", "gaussian"] as const;

// Rows are taken in vectors of four: the last one of a row reaches into what follows it, which for a Gaussian's
// means are its log-variances, for targets the next row's.
describe("heads whose vectors reach past their targets", () => {
  test.each(HEADS.flatMap((head) => [1, 2, 3, 4, 5, 6, 7, 8, 9].map((targets) => ({ head, targets }))))(
    "$head of $targets targets has its loss and gradient",
    async ({ head, targets }) => {
      const outputs = head === "gaussian" ? 2 * targets : targets;
      const given = problem({
        widths: [3, 6, outputs],
        head,
        activation: "tanh",
        rows: 13,
        seed: 90 + targets,
      });
      const backend = await createWasmBackend({ kernels: await instantiateKernels(bytes) });
      expect(await gradientMismatch(backend, given)).toBeNull();
    },
  );
});
