import { AstroScaleError } from "../../../protocol/errors.ts";

const ALIGNMENT = 16;
const PAGE_BYTES = 65_536;
const MIB = 2 ** 20;
/** One page less than 32 bits can name: an address just past a block is never 0. */
const MAX_BYTES = 65_535 * PAGE_BYTES;

/**
 * Blocks of a WebAssembly memory, shared or not. Views are good until the next `allocate`, which may move the
 * memory.
 */
export interface Heap {
  /**
   * The first byte of a block that is free to use, a multiple of 16; its contents are arbitrary.
   *
   * @throws {AstroScaleError} `out_of_memory` when the memory cannot grow so far
   */
  allocate(bytes: number): number;
  /** Gives a block back. @param at what `allocate` gave */
  free(at: number): void;
  floats(at: number, length: number): Float32Array;
  words(at: number, length: number): Uint32Array;
  doubles(at: number, length: number): Float64Array;
}

interface Block {
  at: number;
  bytes: number;
}

/** A heap over the bytes of `memory` from `base`: first fit, neighbouring free blocks joined. */
export function createHeap(memory: WebAssembly.Memory, base: number): Heap {
  const start = roundUp(base);
  const used = new Map<number, number>();
  /** By address; no two touch. */
  const gaps: Block[] = [{ at: start, bytes: memory.buffer.byteLength - start }];

  const allocate = (wanted: number): number => {
    const bytes = Math.max(roundUp(wanted), ALIGNMENT);
    const index = gaps.findIndex((gap) => gap.bytes >= bytes);
    const gap = gaps[index];
    if (gap === undefined) {
      grow(memory, gaps, bytes);
      return allocate(wanted);
    }
    const { at } = gap;
    gap.at += bytes;
    gap.bytes -= bytes;
    if (gap.bytes === 0) gaps.splice(index, 1);
    used.set(at, bytes);
    return at;
  };

  return {
    allocate,
    free(at) {
      const bytes = used.get(at);
      if (bytes === undefined) throw new Error(`unreachable: no block at ${at}`);
      used.delete(at);
      insert(gaps, { at, bytes });
    },
    floats: (at, length) => new Float32Array(memory.buffer, at, length),
    words: (at, length) => new Uint32Array(memory.buffer, at, length),
    doubles: (at, length) => new Float64Array(memory.buffer, at, length),
  };
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Adds a free block, joining it with those it touches. */
function insert(gaps: Block[], block: Block): void {
  const found = gaps.findIndex((gap) => gap.at > block.at);
  const index = found === -1 ? gaps.length : found;
  const before = gaps[index - 1];
  const after = gaps[index];
  const joinsAfter = after !== undefined && block.at + block.bytes === after.at;
  const bytes = block.bytes + (joinsAfter ? after.bytes : 0);
  if (before !== undefined && before.at + before.bytes === block.at) {
    before.bytes += bytes;
    if (joinsAfter) gaps.splice(index, 1);
  } else {
    gaps.splice(index, joinsAfter ? 1 : 0, { at: block.at, bytes });
  }
}

/** Grows the memory until its last gap holds `bytes`. */
function grow(memory: WebAssembly.Memory, gaps: Block[], bytes: number): void {
  const end = memory.buffer.byteLength;
  const last = gaps.at(-1);
  const spare = last !== undefined && last.at + last.bytes === end ? last.bytes : 0;
  const pages = Math.ceil((bytes - spare) / PAGE_BYTES);
  try {
    if (end + pages * PAGE_BYTES > MAX_BYTES) throw new RangeError("past the last address");
    memory.grow(pages);
  } catch (cause) {
    throw new AstroScaleError(
      "out_of_memory",
      `out of WebAssembly memory: wanted ${Math.ceil((pages * PAGE_BYTES) / MIB)} MiB more ` +
        `than the ${Math.floor(end / MIB)} MiB in use`,
      { cause },
    );
  }
  insert(gaps, { at: end, bytes: pages * PAGE_BYTES });
}
