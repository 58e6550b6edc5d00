import { findChromium } from "../coordinator/headless/browser/chromium.ts";
import { thisMachine } from "../coordinator/headless/browser/machine.ts";

const executablePath = await findChromium(thisMachine());

/**
 * Chromium with WebGPU computed on the processor (SwiftShader), for browser and e2e tests alike.
 * Without `executablePath` Playwright says itself what is missing.
 */
export const testLaunch = {
  ...(executablePath === null ? {} : { executablePath }),
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
  ],
};
