import { type ColumnStatistics, mergeStatistics, NO_STATISTICS } from "../../../protocol/statistics.ts";
import { Buffers } from "./buffers.ts";
import type { Gpu } from "./device.ts";
import { bind, runNow } from "./dispatch.ts";
import type { WebgpuMatrix } from "./matrix.ts";
import type { Constants, Kernel } from "./pipelines.ts";
import { readBytes } from "./readback.ts";

const CHUNK_ROWS = 256;
const FIELDS = 7; // vec4s of `Partial` in moments.wgsl

/** How `moments` needs its kernel compiled. */
export const MOMENTS_CONSTANTS: Constants = { CHUNK_ROWS };

/**
 * Statistics of every column: float32 sums of each chunk on the device, merged here in float64.
 *
 * @throws {AstroScaleError} `device_lost` when the device goes away; `too_large` as `Buffers.storage`
 */
export async function moments(gpu: Gpu, kernel: Kernel, x: WebgpuMatrix): Promise<ColumnStatistics[]> {
  const chunks = Math.ceil(x.rows / CHUNK_ROWS);
  const buffers = new Buffers(gpu);
  const bytes = chunks * x.cols4 * FIELDS * 16;
  const partials = buffers.storage(`moments of ${chunks} chunks`, bytes);
  const shape = buffers.shape("moments", [x.rows, x.cols4]);
  runNow(gpu, bind(gpu, kernel, [x.buffer, partials, shape]), chunks * x.cols4);
  const reading = readBytes(gpu, partials, bytes);
  buffers.dispose();
  const values = new Float32Array(await reading);
  return Array.from({ length: x.cols }, (_, c) => {
    let statistics = NO_STATISTICS;
    for (let chunk = 0; chunk < chunks; chunk++) {
      const rows = Math.min(CHUNK_ROWS, x.rows - chunk * CHUNK_ROWS);
      const at = (chunk * x.cols4 + Math.floor(c / 4)) * FIELDS * 4 + (c % 4);
      statistics = mergeStatistics(statistics, chunkStatistics(values, at, rows));
    }
    return statistics;
  });
}

/** One column of one chunk. @param at of its count; the other fields follow 4 values apart */
function chunkStatistics(values: Float32Array, at: number, rows: number): ColumnStatistics {
  const field = (index: number): number => values[at + 4 * index] ?? Number.NaN;
  const count = field(0);
  const missing = rows - count;
  if (count === 0) return { ...NO_STATISTICS, missing };
  const sum = field(3);
  return {
    count,
    missing,
    mean: field(1) + field(2) + sum / count, // shift, centre
    m2: Math.max(field(4) - (sum * sum) / count, 0),
    min: field(5),
    max: field(6),
  };
}
