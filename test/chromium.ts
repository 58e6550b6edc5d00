import { existsSync } from "node:fs";

const CANDIDATES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/**
 * Chromium with WebGPU computed on the processor (SwiftShader), for browser and e2e tests alike.
 * Without `executablePath` Playwright takes its own browser.
 */
export const testLaunch = {
  ...executable(),
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

function executable(): { executablePath?: string } {
  const path = process.env["ASTROSCALE_CHROMIUM"] ?? CANDIDATES.find(existsSync);
  return path ? { executablePath: path } : {};
}
