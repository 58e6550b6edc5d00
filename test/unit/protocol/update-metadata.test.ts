import { describe, expect, test } from "vitest";
import { UpdateMetadata } from "../../../protocol/rounds.ts";

const METADATA = {
  task: "sdss-class",
  round: "7",
  node: "0123456789abcdef",
  exampleCount: "800",
  baseModel: "ab".repeat(32),
  backend: "wasm",
  loss: "0.25",
  examplesPerSecond: "1e5",
};

function parse(change: Readonly<Record<string, unknown>>) {
  return UpdateMetadata.safeParse({ ...METADATA, ...change });
}

describe("an update's metadata", () => {
  test("are strings that become numbers", () => {
    expect(UpdateMetadata.parse(METADATA)).toEqual({
      ...METADATA,
      round: 7,
      exampleCount: 800,
      loss: 0.25,
      examplesPerSecond: 100_000,
    });
  });

  test("need no base model and no metrics", () => {
    const { baseModel: _model, loss: _loss, examplesPerSecond: _speed, ...needed } = METADATA;
    expect(UpdateMetadata.parse(needed)).toEqual({ ...needed, round: 7, exampleCount: 800 });
  });

  test.each([
    "-5",
    "0",
    "2.5",
    "NaN",
    "Infinity",
    "1e400",
    "1e3",
    "100 ",
    " 100",
    "+1",
    "007",
    "0x10",
    "",
    "٣",
  ])("are refused for an example count of %j", (exampleCount) => {
    expect(parse({ exampleCount }).success).toBe(false);
  });

  test.each(["1000000000000000", "99999999999999999999999999"])(
    "are refused for an example count of %s, which a float64 sum could not hold",
    (exampleCount) => {
      expect(parse({ exampleCount }).success).toBe(false);
    },
  );

  test.each(["-1", "1.0", "NaN", "", "01", "7\n"])("are refused for round %j", (round) => {
    expect(parse({ round }).success).toBe(false);
  });

  test("may be of round 0, which sends statistics", () => {
    expect(parse({ round: "0" }).data?.round).toBe(0);
  });

  test.each(["NaN", "Infinity", "-Infinity", "1e400", "", "  ", "broken"])(
    "have no loss when it says %j: a node's metric must not refuse its update",
    (loss) => {
      expect(parse({ loss }).data?.loss).toBeNull();
    },
  );

  test.each([
    ["a number where the format has strings", { exampleCount: 800 }],
    ["a loss of 41 characters", { loss: "1".repeat(41) }],
    ["a node id in capitals", { node: "0123456789ABCDEF" }],
    ["a short digest", { baseModel: "ab" }],
    ["a task that is no slug", { task: "SDSS class" }],
    ["an unknown backend", { backend: "cuda" }],
    ["an unknown key", { weight: "1000000" }],
  ])("are refused for %s", (_what, change) => {
    expect(parse(change).success).toBe(false);
  });
});
