import { expect, test } from "vitest";
import { loadConfig } from "../../../coordinator/config.ts";

test("the configuration has defaults, takes the environment, and lets the command line win", () => {
  expect(loadConfig({})).toMatchObject({ bindAddress: "127.0.0.1", port: 8081, corsOrigins: [] });
  const env = {
    ASTROSCALE_NODE_PORT: "9000",
    ASTROSCALE_SECURITY_CORS_ORIGINS: "https://a.example, http://b.example:81",
  };
  expect(loadConfig(env)).toMatchObject({
    port: 9000,
    corsOrigins: ["https://a.example", "http://b.example:81"],
  });
  expect(loadConfig(env, { port: 1234 }).port).toBe(1234);
});

test.each([
  ["ASTROSCALE_NODE_PORT", "abc"],
  ["ASTROSCALE_NODE_PORT", "65536"],
  ["ASTROSCALE_SECURITY_CORS_ORIGINS", "*"],
  ["ASTROSCALE_SECURITY_CORS_ORIGINS", "https://a.example/path"],
  ["ASTROSCALE_SECURITY_CORS_ORIGINS", "javascript:alert(1)"],
  ["LOG_LEVEL", "loud"],
])("%s=%s is refused by its name, in one line", (name, value) => {
  expect(() => loadConfig({ [name]: value })).toThrowError(new RegExp(`^environment: ${name}[^\\n]*$`));
});
