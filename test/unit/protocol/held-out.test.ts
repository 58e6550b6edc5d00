import { expect, test } from "vitest";
import { isHeldOut } from "../../../protocol/held-out.ts";

test("2,001 of 10,000 rows are held out, and they are the published ones", () => {
  const rows = Array.from({ length: 10_000 }, (_, row) => row).filter(isHeldOut);
  expect(rows).toHaveLength(2001);
  // CPython: [i for i in range(10000) if ((i * 2654435761) & 0xffffffff) / 2**32 < 0.2]
  expect(rows.slice(0, 8)).toEqual([0, 5, 10, 13, 18, 26, 31, 34]);
  expect(rows.slice(-3)).toEqual([9990, 9993, 9998]);
});
