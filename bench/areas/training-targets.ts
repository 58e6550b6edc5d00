import type { Side, TrainingContest } from "../page/sides.ts";

/** Two sides of a contest, and how many times as fast the first has to be; `null` where nothing is asked. */
export interface Pair {
  readonly side: Side;
  readonly peer: Side;
  readonly least: number | null;
}

const PROGRAMS: Record<Side["program"], string> = {
  ours: "AstroScale",
  tensorflow: "TF.js",
  jax: "jax-js",
  onnxruntime: "onnxruntime-web",
};

/** `"wasm, 2 threads"` for ours, `"TF.js wasm"` for a peer. */
export function sideName({ program, backend, threads }: Side): string {
  if (program !== "ours") return `${PROGRAMS[program]} ${backend}`;
  if (backend === "webgpu") return backend;
  return `${backend}, ${threads} ${threads === 1 ? "thread" : "threads"}`;
}

/** Which sides are compared, each of ours with each peer and two threads with one. @param adapter WebGPU's description */
export function trainingPairs({ shape, sides }: TrainingContest, adapter: string): Pair[] {
  const ours = sides.filter(({ program }) => program === "ours");
  const peers = sides.filter(({ program }) => program !== "ours");
  const [one, two] = ours;
  const pairs = ours.flatMap((side) =>
    peers.map((peer) => ({ side, peer, least: leastOf(side, peer, { shape, adapter }) })),
  );
  if (!one || !two) return pairs;
  const scaled = width(shape) >= 256 && shape.batchSize >= 8192;
  return [...pairs, { side: two, peer: one, least: scaled ? 1.7 : null }];
}

function width({ widths }: TrainingContest["shape"]): number {
  return Math.max(...widths);
}

function leastOf(
  { backend, threads }: Side,
  { program }: Side,
  { shape, adapter }: { readonly shape: TrainingContest["shape"]; readonly adapter: string },
): number | null {
  const tensorflow = program === "tensorflow";
  if (backend === "webgpu") {
    if (!tensorflow) return null;
    if (!adapter.includes("(software)")) return 3;
    return width(shape) >= 256 ? 12 : 20;
  }
  const usual = shape.widths.join("-") === "16-64-64-3" && shape.batchSize === 1024;
  if (tensorflow) return threads > 1 ? null : usual ? 12 : 10;
  if (threads > 1) return 2;
  return usual ? 4 : 1;
}
