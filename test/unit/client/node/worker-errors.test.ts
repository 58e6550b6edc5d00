import * as Comlink from "comlink";
import { afterEach, expect, test } from "vitest";
import { installErrorTransfer } from "../../../../client/worker/errors.ts";
import { AstroScaleError } from "../../../../protocol/errors.ts";

installErrorTransfer();
installErrorTransfer();

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

/** `thrown` as it arrives at the other side of a Comlink call. */
async function across(thrown: Error): Promise<unknown> {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  const shell = {
    fail(): void {
      throw thrown;
    },
  };
  Comlink.expose(shell, port1);
  const remote = Comlink.wrap<typeof shell>(port2);
  return remote.fail().catch((error: unknown) => error);
}

test("an error of ours arrives with its code and details", async () => {
  const details = { currentRound: 7 };
  const arrived = await across(new AstroScaleError("stale_round", "round 6 is over", { details }));
  expect(arrived).toBeInstanceOf(AstroScaleError);
  expect(arrived).toMatchObject({ code: "stale_round", message: "round 6 is over", details });
});

test("an error of ours without details arrives without", async () => {
  const arrived = await across(new AstroScaleError("device_lost", "gone"));
  expect(arrived).toMatchObject({ code: "device_lost", details: undefined });
});

test("another error arrives as an error with its message", async () => {
  const arrived = await across(new RangeError("out of range"));
  expect(arrived).toBeInstanceOf(Error);
  expect(arrived).toMatchObject({ name: "RangeError", message: "out of range" });
});
