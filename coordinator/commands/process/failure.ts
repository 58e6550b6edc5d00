import { AstroScaleError } from "../../../protocol/errors.ts";

/** `0` a command did what it says, `1` it failed, `2` it was called wrongly. */
export type ExitCode = 0 | 1 | 2;

/**
 * What a failed command prints: one sentence with its code; with `LOG_LEVEL=debug` also where it came from.
 */
export function failureLines(error: unknown, logLevel: string | undefined): string[] {
  const sentence = `error: ${messageOf(error)} (${codeOf(error)})`;
  if (logLevel !== "debug" || !(error instanceof Error)) return [sentence];
  return [sentence, error.stack ?? error.message, ...causes(error)];
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split("\n", 1)[0] ?? message).replace(/\.$/, "");
}

/** Our own code, `interrupted`, or the operating system's such as `EACCES`. */
function codeOf(error: unknown): string {
  if (error instanceof AstroScaleError) return error.code;
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "internal";
}

function causes(error: Error): string[] {
  if (!(error.cause instanceof Error)) return [];
  return [`caused by: ${error.cause.stack ?? error.cause.message}`, ...causes(error.cause)];
}
