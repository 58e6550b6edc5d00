import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { MiddlewareHandler } from "hono";
import { AstroScaleError } from "../../protocol/errors.ts";

const TOKEN_BYTES = 32;
const OWNER_ONLY = 0o600;
const BEARER = /^Bearer ([A-Za-z0-9_-]{20,200})$/;

/** The administrator's token, and whether this start made it. */
export interface AdminToken {
  readonly token: string;
  readonly isNew: boolean;
}

/** The token in `admin-token` of the data directory, readable by its owner alone; made when absent. */
export async function openAdminToken(dataDirectory: string): Promise<AdminToken> {
  const path = join(dataDirectory, "admin-token");
  try {
    const token = (await readFile(path, "utf8")).trim();
    await chmod(path, OWNER_ONLY);
    return { token, isNew: false };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  await writeFile(path, `${token}\n`, { mode: OWNER_ONLY, flag: "wx" });
  return { token, isNew: true };
}

function hash(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Lets only the administrator pass. Compares hashes, so that time tells nothing about the token. */
export function requireAdmin(adminToken: string): MiddlewareHandler {
  const expected = hash(adminToken);
  return async (c, next) => {
    const [, given = ""] = BEARER.exec(c.req.header("Authorization") ?? "") ?? [];
    if (!timingSafeEqual(hash(given), expected)) {
      throw new AstroScaleError(
        "unauthorized",
        "this call needs the administrator's token, from the file admin-token in the data directory",
      );
    }
    await next();
  };
}
