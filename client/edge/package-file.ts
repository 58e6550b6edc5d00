import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Path of a file of AstroScale's package, from the sources as from the built files. @param path below its root */
export function packageFile(path: string): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("unreachable: the package has no package.json above its files");
    folder = parent;
  }
  return join(folder, path);
}
