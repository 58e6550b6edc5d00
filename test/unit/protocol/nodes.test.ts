import { describe, expect, test } from "vitest";
import { JoinRequest, NodeName } from "../../../protocol/nodes.ts";

describe("a node's name", () => {
  test.each([
    ["letters of any script", "Обсерватория 天文台"],
    ["an emoji", "moon 🌕"],
    ["64 characters", "x".repeat(64)],
    ["markup, which is shown as text", "<b>me</b> & you"],
    ["quotes", 'O\'Neill "the nebula"'],
    ["combining marks", "Ångström"],
  ])("may have %s", (_what, name) => {
    expect(NodeName.parse(name)).toBe(name);
  });

  test("loses white space around it", () => {
    expect(NodeName.parse("  orion \n")).toBe("orion");
  });

  test.each([
    ["nothing", ""],
    ["white space alone", " \t\u00a0"],
    ["65 characters", "x".repeat(65)],
    ["a NUL", "a\0b"],
    ["a newline", "a\nb"],
    ["a carriage return", "a\rb"],
    ["an ANSI escape", "a\u001b[31mred"],
    ["a C1 control", "a\u009b31mred"],
    ["a DEL", "a\u007fb"],
    ["a right-to-left override", "a\u202egnp.exe"],
    ["a bidirectional isolate", "a\u2066b"],
    ["a zero-width space", "a\u200bb"],
    ["a zero-width joiner", "a\u200db"],
    ["a byte order mark inside", "a\ufeffb"],
    ["a soft hyphen", "a\u00adb"],
    ["a line separator", "a\u2028b"],
    ["a paragraph separator", "a\u2029b"],
    ["half a surrogate pair", "a\ud83cb"],
    ["a tag character", "a\u{e0041}b"],
  ])("is refused with %s", (_what, name) => {
    expect(NodeName.safeParse(name).success).toBe(false);
  });

  test("is text", () => {
    for (const name of [null, 7, ["a"], { toString: "a" }])
      expect(NodeName.safeParse(name).success).toBe(false);
  });
});

describe("a join request", () => {
  const request = {
    name: "orion",
    capabilities: { backend: "wasm", device: "4 threads", threads: 4, version: "0.1.0" },
  };

  test("may leave the task to the coordinator", () => {
    expect(JoinRequest.parse(request)).toEqual(request);
    expect(JoinRequest.parse({ ...request, task: "sdss-class" }).task).toBe("sdss-class");
  });

  test.each([
    ["a task that is no slug", { task: "../etc/passwd" }],
    ["an unknown key", { admin: true }],
    ["an unknown backend", { capabilities: { ...request.capabilities, backend: "cuda" } }],
    ["no threads", { capabilities: { ...request.capabilities, threads: 0 } }],
    ["a device of 201 characters", { capabilities: { ...request.capabilities, device: "x".repeat(201) } }],
  ])("is refused with %s", (_what, change) => {
    expect(JoinRequest.safeParse({ ...request, ...change }).success).toBe(false);
  });
});
