import type { ZodError } from "zod";

/** Everything a schema found wrong, on one line: `port: wanted …; name: …`. */
export function problemsOf({ issues }: ZodError): string {
  return issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`))
    .join("; ");
}
