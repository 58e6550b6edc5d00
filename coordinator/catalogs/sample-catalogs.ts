import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AstroScaleError } from "../../protocol/errors.ts";
import { isHeldOut } from "../../protocol/held-out.ts";
import {
  BOSS_DR10,
  BOSS_DR10_HELD_OUT_FILE,
  BOSS_DR10_LAYOUT,
  BOSS_DR10_TRAINING_FILES,
} from "./boss-dr10.ts";
import type { CatalogSource } from "./catalog.ts";
import { SDSS_DR14, SDSS_DR14_FILE, SDSS_DR14_LAYOUT } from "./sdss-dr14.ts";
import { readSurveyCsv, type SurveyCsvFile } from "./survey-csv.ts";
import { createTableCatalog } from "./table-catalog.ts";

/** How the bundled catalogs are cut. */
export interface SampleOptions {
  /** Shards of each catalog, at least 1. */
  readonly shards: number;
}

/**
 * The catalogs that ship with the product: `sdss-dr14` (a fifth of the rows held out by `isHeldOut`) and
 * `boss-dr10` (its eval file held out).
 *
 * @param directory the `samples` folder beside this file
 * @throws {AstroScaleError} `catalog_malformed` when a file cannot be read or is damaged
 */
export async function openSampleCatalogs(
  directory: string,
  { shards }: SampleOptions = { shards: 10 },
): Promise<CatalogSource[]> {
  return Promise.all([openSdss(directory, shards), openBoss(directory, shards)]);
}

async function openSdss(directory: string, shards: number): Promise<CatalogSource> {
  const table = readSurveyCsv([await readSample(directory, SDSS_DR14_FILE)], SDSS_DR14_LAYOUT);
  return createTableCatalog(table, { description: SDSS_DR14, isHeldOut, shards, cutRows: table.rows });
}

async function openBoss(directory: string, shards: number): Promise<CatalogSource> {
  const training = await Promise.all(BOSS_DR10_TRAINING_FILES.map((name) => readSample(directory, name)));
  const heldOut = await readSample(directory, BOSS_DR10_HELD_OUT_FILE);
  const table = readSurveyCsv([...training, heldOut], BOSS_DR10_LAYOUT);
  const trainingRows = table.rows - readSurveyCsv([heldOut], BOSS_DR10_LAYOUT).rows;
  return createTableCatalog(table, {
    description: BOSS_DR10,
    isHeldOut: (row) => row >= trainingRows,
    shards,
    cutRows: trainingRows,
  });
}

async function readSample(directory: string, name: string): Promise<SurveyCsvFile> {
  try {
    return { name, text: await readFile(join(directory, name), "utf8") };
  } catch (cause) {
    throw new AstroScaleError("catalog_malformed", `cannot read ${join(directory, name)}`, { cause });
  }
}
