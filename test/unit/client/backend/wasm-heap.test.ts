import { describe, expect, test } from "vitest";
import { createHeap } from "../../../../client/backend/wasm/heap.ts";
import { randomStream } from "../../../../protocol/random.ts";

const PAGE = 65_536;

describe("the heap in WebAssembly memory", () => {
  test("starts at a multiple of 16 above its base and keeps blocks apart", () => {
    const heap = createHeap(new WebAssembly.Memory({ initial: 1 }), 1001);
    expect([heap.allocate(1), heap.allocate(17), heap.allocate(0), heap.allocate(4)]).toEqual([
      1008, 1024, 1056, 1072,
    ]);
  });

  test.each([
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ])("blocks freed in the order %i, %i, %i become one again", (...order) => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const heap = createHeap(memory, 0);
    const third = Math.floor(PAGE / 48) * 16;
    const blocks = [heap.allocate(third), heap.allocate(third), heap.allocate(PAGE - 2 * third)];
    for (const index of order) heap.free(blocks[index] ?? -1);
    expect(heap.allocate(PAGE)).toBe(0);
    expect(memory.buffer.byteLength).toBe(PAGE);
  });

  test("grows only by what its last gap lacks, and contents stay", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const heap = createHeap(memory, 0);
    const at = heap.allocate(16);
    heap.words(at, 4).set([1, 2, 3, 4]);
    heap.allocate(2 * PAGE - 16);
    expect(memory.buffer.byteLength).toBe(2 * PAGE);
    expect([...heap.words(at, 4)]).toEqual([1, 2, 3, 4]);
  });

  test("blocks in use never overlap, and all of them freed leave no gap behind", () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const heap = createHeap(memory, 64);
    const next = randomStream(1, 1000);
    const blocks: { at: number; length: number; mark: number }[] = [];
    for (let mark = 1; mark <= 2000; mark++) {
      const length = next() % 500;
      const at = heap.allocate(length * 4);
      heap.words(at, length).fill(mark);
      blocks.push({ at, length, mark });
      if (next() % 5 < 3) {
        const [freed] = blocks.splice(next() % blocks.length, 1);
        if (freed !== undefined) heap.free(freed.at);
      }
    }
    for (const { at, length, mark } of blocks) {
      expect(heap.words(at, length).every((word) => word === mark)).toBe(true);
      heap.free(at);
    }
    const bytes = memory.buffer.byteLength;
    expect(heap.allocate(bytes - 64)).toBe(64);
    expect(memory.buffer.byteLength).toBe(bytes);
  });

  test("says how much was wanted when memory cannot grow, and goes on working", () => {
    const heap = createHeap(new WebAssembly.Memory({ initial: 1, maximum: 2 }), 0);
    expect(() => heap.allocate(64 * PAGE)).toThrowError(
      expect.objectContaining({
        code: "out_of_memory",
        message: "out of WebAssembly memory: wanted 4 MiB more than the 0 MiB in use",
      }),
    );
    expect(heap.allocate(2 * PAGE)).toBe(0);
  });

  test("hands out no address past the 32 bits of a pointer", () => {
    const heap = createHeap(new WebAssembly.Memory({ initial: 1 }), 0);
    expect(() => heap.allocate(65_536 * PAGE)).toThrowError(
      expect.objectContaining({ code: "out_of_memory" }),
    );
  });

  test("lies in a memory that threads share as in one of its own", () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true });
    const heap = createHeap(memory, 0);
    const at = heap.allocate(16);
    heap.floats(at, 4).set([1, 2, 3, 4]);
    heap.allocate(2 * PAGE);
    expect([...heap.floats(at, 4)]).toEqual([1, 2, 3, 4]);
    expect(() => heap.allocate(4 * PAGE)).toThrowError(expect.objectContaining({ code: "out_of_memory" }));
  });

  test("a block freed twice is an error", () => {
    const heap = createHeap(new WebAssembly.Memory({ initial: 1 }), 0);
    const at = heap.allocate(8);
    heap.free(at);
    expect(() => heap.free(at)).toThrowError("no block at 0");
  });
});
