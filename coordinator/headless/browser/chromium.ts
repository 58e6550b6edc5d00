import { posix, win32 } from "node:path";
import { AstroScaleError } from "../../../protocol/errors.ts";
import type { Machine } from "./machine.ts";

const LINUX_NAMES = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "microsoft-edge",
  "microsoft-edge-stable",
];
const LINUX_FOLDERS = ["/usr/bin", "/usr/local/bin", "/snap/bin"];
const MAC_APPS = ["Chromium", "Google Chrome", "Microsoft Edge"];
const WINDOWS_PROGRAMS = [
  "Chromium\\Application\\chrome.exe",
  "Google\\Chrome\\Application\\chrome.exe",
  "Microsoft\\Edge\\Application\\msedge.exe",
];
const WINDOWS_FOLDERS = ["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"];

/** How a person mends a machine without a browser. */
export const CHROMIUM_REMEDY =
  "run `npx playwright install chromium`, or install Chromium, Chrome or Edge and set ASTROSCALE_CHROMIUM to its path";

/**
 * Path of the browser for headless nodes, or `null` when there is none. In this order: `ASTROSCALE_CHROMIUM`,
 * Playwright's own, then the system's Chromium, Chrome and Edge. One that does not start is passed over.
 *
 * @throws {AstroScaleError} `chromium_missing` when `ASTROSCALE_CHROMIUM` names a file that is not there or
 * does not start: another browser would not be what was asked for
 */
export async function findChromium(machine: Machine): Promise<string | null> {
  const wanted = machine.env["ASTROSCALE_CHROMIUM"];
  if (wanted) {
    if (await usable(machine, wanted)) return wanted;
    const fault = machine.exists(wanted) ? "which does not start" : "which does not exist";
    throw new AstroScaleError("chromium_missing", `ASTROSCALE_CHROMIUM is ${wanted}, ${fault}`);
  }
  const own = await machine.playwrightChromium();
  for (const path of [...(own ? [own] : []), ...systemChromiums(machine)]) {
    if (await usable(machine, path)) return path;
  }
  return null;
}

async function usable(machine: Machine, path: string): Promise<boolean> {
  return machine.exists(path) && (await machine.starts(path));
}

/** Where the system keeps Chromium, Chrome and Edge, in this order. */
function systemChromiums({ platform, env }: Machine): string[] {
  if (platform === "win32") {
    const folders = WINDOWS_FOLDERS.flatMap((name) => env[name] ?? []);
    return pairs(WINDOWS_PROGRAMS, folders, (program, folder) => win32.join(folder, program));
  }
  if (platform === "darwin") {
    const folders = ["/Applications", ...(env["HOME"] ? [posix.join(env["HOME"], "Applications")] : [])];
    return pairs(MAC_APPS, folders, (app, folder) => posix.join(folder, `${app}.app/Contents/MacOS/${app}`));
  }
  const path = (env["PATH"] ?? "").split(posix.delimiter).filter((folder) => posix.isAbsolute(folder));
  const folders = [...new Set([...path, ...LINUX_FOLDERS])];
  return pairs(LINUX_NAMES, folders, (name, folder) => posix.join(folder, name));
}

/** Every name in every folder; all folders for the first name first. */
function pairs(
  names: readonly string[],
  folders: readonly string[],
  join: (name: string, folder: string) => string,
): string[] {
  return names.flatMap((name) => folders.map((folder) => join(name, folder)));
}
