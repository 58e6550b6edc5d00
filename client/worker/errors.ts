import * as Comlink from "comlink";
import { AstroScaleError, type ErrorCode } from "../../protocol/errors.ts";

type Thrown = { value: unknown };
type Wire = { code: ErrorCode; message: string; details: Details } | { original: unknown };
type Details = AstroScaleError["details"];

/**
 * Keeps `AstroScaleError`'s code and details across the worker boundary: Comlink's own handler keeps only
 * `name`, `message` and `stack`. Call on both sides, before the first `wrap` or `expose`; calling again
 * changes nothing.
 */
export function installErrorTransfer(): void {
  const builtIn = Comlink.transferHandlers.get("throw") as Comlink.TransferHandler<Thrown, unknown>;
  if (installed.has(builtIn)) return;
  const handler: Comlink.TransferHandler<Thrown, Wire> = {
    canHandle: (value): value is Thrown => builtIn.canHandle(value),
    serialize(thrown) {
      const { value } = thrown;
      if (value instanceof AstroScaleError) {
        return [{ code: value.code, message: value.message, details: value.details }, []];
      }
      const [original, transferables] = builtIn.serialize(thrown);
      return [{ original }, transferables];
    },
    deserialize(wire) {
      if ("code" in wire) {
        const { code, message, details } = wire;
        throw new AstroScaleError(code, message, details === undefined ? {} : { details });
      }
      return builtIn.deserialize(wire.original);
    },
  };
  installed.add(handler);
  Comlink.transferHandlers.set("throw", handler);
}

const installed = new WeakSet<object>();
