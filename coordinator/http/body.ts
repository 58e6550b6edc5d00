import type { Context } from "hono";
import type * as z from "zod";
import { AstroScaleError } from "../../protocol/errors.ts";
import { problemsOf } from "../problems.ts";

/** Most bytes of a JSON request. */
const JSON_LIMIT = 64 * 1024;

function tooLarge(limit: number): AstroScaleError {
  return new AstroScaleError("too_large", `the body exceeds ${limit} bytes`);
}

/**
 * The request's body; reading stops at the limit, whether or not a length was announced.
 *
 * @throws {AstroScaleError} `too_large`; `invalid_request` when the body breaks off
 */
export async function readBytes(c: Context, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const announced = c.req.header("Content-Length");
  if (Number(announced ?? 0) > limit) throw tooLarge(limit);
  // HTTP ends the body at its announced length, so it can be taken whole, without a stream of chunks.
  if (announced !== undefined) return readWhole(c);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of c.req.raw.body ?? []) {
      length += chunk.byteLength;
      if (length > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof AstroScaleError) throw cause;
    throw new AstroScaleError("invalid_request", `the body broke off after ${length} bytes`, { cause });
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

async function readWhole(c: Context): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await c.req.arrayBuffer());
  } catch (cause) {
    throw new AstroScaleError("invalid_request", "the body broke off", { cause });
  }
}

/**
 * The request's JSON body, parsed by `schema`.
 *
 * @throws {AstroScaleError} `unsupported_media_type`, `too_large`, or `invalid_request` naming every problem
 */
export async function readJson<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  requireMediaType(c, ["application/json"]);
  const bytes = await readBytes(c, JSON_LIMIT);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new AstroScaleError("invalid_request", "the body is not JSON", { cause });
  }
  return parse(schema, value, "body");
}

/**
 * `value` as `schema` has it.
 *
 * @throws {AstroScaleError} `invalid_request` naming every problem
 */
export function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new AstroScaleError("invalid_request", `${what}: ${problemsOf(result.error)}`);
}

/** @throws {AstroScaleError} `unsupported_media_type` for another type, or for a compressed body */
export function requireMediaType(c: Context, allowed: readonly string[]): void {
  const type = (c.req.header("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (!allowed.includes(type)) {
    throw new AstroScaleError(
      "unsupported_media_type",
      `Content-Type is "${type}", wanted ${allowed.join(" or ")}`,
    );
  }
  const encoding = c.req.header("Content-Encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    throw new AstroScaleError("unsupported_media_type", `Content-Encoding "${encoding}" is not taken`);
  }
}
