import { type Logger, pino, stdSerializers } from "pino";
import { AstroScaleError } from "../../protocol/errors.ts";

/** One JSON line an event, on stderr: stdout belongs to the commands' answers. */
export type Log = Logger;

/** Stack traces are for debugging; otherwise an error is its code and message. */
function errorSerializer(debug: boolean): (error: unknown) => unknown {
  return (error) => {
    if (debug || !(error instanceof Error)) return stdSerializers.err(error as Error);
    const code = error instanceof AstroScaleError ? error.code : error.name;
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    return { code, message: error.message, cause };
  };
}

/** @param level pino's levels, `silent` for none */
export function createLog(level: string): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      serializers: { error: errorSerializer(level === "debug" || level === "trace") },
    },
    process.stderr,
  );
}
