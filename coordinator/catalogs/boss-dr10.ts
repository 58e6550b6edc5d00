import type { CatalogColumn } from "../../protocol/catalogs.ts";
import type { SurveyCsvColumn, SurveyCsvLayout } from "./survey-csv.ts";
import type { CatalogDescription } from "./table-catalog.ts";

/** Files whose rows are handed to nodes, in the order of their row numbers. */
export const BOSS_DR10_TRAINING_FILES = [0, 1, 3].map((n) => `boss-dr10/annz_train_boss_dr10_${n}.csv`);

/** The file that is held out whole; its rows follow the training files'. */
export const BOSS_DR10_HELD_OUT_FILE = "boss-dr10/annz_eval_boss_dr10_eval0.csv";

/** What `samples/boss-dr10/README.md` tells at length. */
export const BOSS_DR10: CatalogDescription = {
  id: "boss-dr10",
  title: "BOSS DR10 galaxies",
  description:
    "20,000 galaxies of the Baryon Oscillation Spectroscopic Survey with ugriz photometry and spectroscopic redshift.",
  origin:
    "Example data of ANNZ (Sadeh, Abdalla and Lahav 2016, PASP 128, 104502), from SDSS Data Release 10 " +
    "(Ahn et al. 2014, ApJS 211, 17)",
  licence: "SDSS public data, in the public domain; acknowledge SDSS-III",
  acknowledgement:
    "Funding for SDSS-III has been provided by the Alfred P. Sloan Foundation, the Participating Institutions, " +
    "the National Science Foundation, and the U.S. Department of Energy Office of Science. The SDSS-III web " +
    "site is http://www.sdss3.org/.",
};

const PASSBANDS = { U: "U", G: "B", R: "R", I: "I", Z: "I" } as const;
const MISSING = -9999;
const FACTS = { type: "float32", unit: "mag", sentinels: [MISSING] } satisfies Partial<CatalogColumn>;

function bandColumns([band, passband]: readonly [string, string], index: number): SurveyCsvColumn[] {
  const ucd = `phot.mag;em.opt.${passband}`;
  const name = `MAG_${band}`;
  const error = `MAGERR_${band}`;
  const letter = band.toLowerCase();
  return [
    {
      column: { name, ...FACTS, ucd, description: `Magnitude in ${letter}` },
      cell: 2 * index,
      categories: [],
    },
    {
      column: {
        name: error,
        ...FACTS,
        ucd: `stat.error;${ucd}`,
        description: `Error of the ${letter} magnitude`,
      },
      cell: 2 * index + 1,
      categories: [],
    },
  ];
}

const PHOTOMETRY = Object.entries(PASSBANDS).flatMap(bandColumns);

/** How the files are read. The header types and separates its names differently from the rows. */
export const BOSS_DR10_LAYOUT: SurveyCsvLayout = {
  header: `#${PHOTOMETRY.map(({ column }) => `F:${column.name}`).join(";")};D:Z`,
  cells: PHOTOMETRY.length + 1,
  columns: [
    ...PHOTOMETRY,
    {
      column: {
        name: "Z",
        type: "float32",
        unit: null,
        ucd: "src.redshift",
        description: "Spectroscopic redshift",
        sentinels: [MISSING],
      },
      cell: PHOTOMETRY.length,
      categories: [],
    },
  ],
};
