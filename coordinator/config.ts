import { join, resolve } from "node:path";
import * as z from "zod";
import { AstroScaleError } from "../protocol/errors.ts";
import { packageRoot } from "./package-root.ts";
import { problemsOf } from "./problems.ts";

/** How a coordinator runs. */
export interface CoordinatorConfig {
  /** For people, in `/status`. */
  readonly name: string;
  readonly bindAddress: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataDirectory: string;
  readonly samplesDirectory: string;
  /** The built client, or `null` to serve the API alone. */
  readonly pagesDirectory: string | null;
  readonly corsOrigins: readonly string[];
  readonly logLevel: string;
  /** Shards that each bundled catalog is cut into. */
  readonly shards: number;
  /** Training rounds of the bundled task. */
  readonly rounds: number;
  /** Least time from the opening of one of its training rounds to that of the next. */
  readonly roundIntervalSecs: number;
}

const Origin = z
  .string()
  .refine(
    (text) => /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text,
    "wanted an origin such as https://example.org",
  );

const Environment = z.object({
  ASTROSCALE_NODE_NAME: z.string().min(1).max(64).default("coordinator"),
  ASTROSCALE_NODE_BIND_ADDRESS: z.string().min(1).default("127.0.0.1"),
  ASTROSCALE_NODE_PORT: z.coerce.number().int().min(0).max(65_535).default(8081),
  ASTROSCALE_STORAGE_DATA_DIR: z.string().min(1).default("data"),
  ASTROSCALE_SECURITY_CORS_ORIGINS: z
    .string()
    .default("")
    .transform((text) => text.split(",").flatMap((part) => part.trim() || []))
    .pipe(z.array(Origin)),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("warn"),
});

/**
 * The configuration from the environment, with `overrides` (the command line) on top.
 *
 * @throws {AstroScaleError} `invalid_request` naming every variable that is wrong
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  overrides: Partial<CoordinatorConfig> = {},
): CoordinatorConfig {
  const parsed = Environment.safeParse(env);
  if (!parsed.success) {
    throw new AstroScaleError("invalid_request", `environment: ${problemsOf(parsed.error)}`);
  }
  const root = packageRoot();
  return {
    name: parsed.data.ASTROSCALE_NODE_NAME,
    bindAddress: parsed.data.ASTROSCALE_NODE_BIND_ADDRESS,
    port: parsed.data.ASTROSCALE_NODE_PORT,
    dataDirectory: resolve(parsed.data.ASTROSCALE_STORAGE_DATA_DIR),
    samplesDirectory: join(root, "coordinator/catalogs/samples"),
    pagesDirectory: join(root, "dist/client"),
    corsOrigins: parsed.data.ASTROSCALE_SECURITY_CORS_ORIGINS,
    logLevel: parsed.data.LOG_LEVEL,
    shards: 10,
    rounds: 60,
    roundIntervalSecs: 0,
    ...overrides,
  };
}
