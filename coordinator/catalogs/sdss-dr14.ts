import type { CatalogColumn } from "../../protocol/catalogs.ts";
import type { SurveyCsvLayout } from "./survey-csv.ts";
import type { CatalogDescription } from "./table-catalog.ts";

/** The survey's file in the samples directory. */
export const SDSS_DR14_FILE = "sdss-dr14/skyserver_dr14_class.csv";

/** What `samples/sdss-dr14/README.md` tells at length. */
export const SDSS_DR14: CatalogDescription = {
  id: "sdss-dr14",
  title: "SDSS DR14 spectroscopic objects",
  description:
    "10,000 stars, galaxies and quasars of the Sloan Digital Sky Survey with ugriz photometry, " +
    "spectroscopic redshift and class.",
  origin: "SkyServer query result of SDSS Data Release 14 (Abolfathi et al. 2018, ApJS 235, 42)",
  licence: "SDSS public data, in the public domain; acknowledge SDSS",
  acknowledgement:
    "Funding for the Sloan Digital Sky Survey IV has been provided by the Alfred P. Sloan Foundation, the U.S. " +
    "Department of Energy Office of Science, and the Participating Institutions. SDSS-IV acknowledges support " +
    "and resources from the Center for High-Performance Computing at the University of Utah. The SDSS web site " +
    "is www.sdss.org.",
};

const HEADER =
  "objid,ra,dec,u,g,r,i,z,run,rerun,camcol,field,specobjid,redshift,plate,mjd,fiberid,class".split(",");

type Facts = Omit<CatalogColumn, "name" | "sentinels">;

const NO_UNIT = { unit: null } as const;

function position(ucd: string, description: string): Facts {
  return { type: "float64", unit: "deg", ucd, description };
}

function magnitude(band: string, passband: string): Facts {
  const description = `Model magnitude in ${band} (asinh), not corrected for extinction`;
  return { type: "float32", unit: "mag", ucd: `phot.mag;em.opt.${passband}`, description };
}

const COLUMNS: Readonly<Record<string, Facts>> = {
  ra: position("pos.eq.ra;meta.main", "J2000 right ascension (r-band)"),
  dec: position("pos.eq.dec;meta.main", "J2000 declination (r-band)"),
  u: magnitude("u", "U"),
  g: magnitude("g", "B"),
  r: magnitude("r", "R"),
  i: magnitude("i", "I"),
  z: magnitude("z", "I"),
  redshift: { type: "float32", ...NO_UNIT, ucd: "src.redshift", description: "Final spectroscopic redshift" },
  plate: { type: "int32", ...NO_UNIT, ucd: "meta.id", description: "Plate number" },
  mjd: { type: "int32", unit: "d", ucd: "time.epoch", description: "Modified Julian date of observation" },
  fiberid: { type: "int32", ...NO_UNIT, ucd: "meta.id", description: "Fiber number on the plate" },
  class: {
    type: "category",
    ...NO_UNIT,
    ucd: "src.class",
    description: "Spectroscopic class (GALAXY, QSO or STAR)",
  },
};

const MISSING = -9999;

/** How the file is read: everything but the identifiers, which a spreadsheet destroyed, and the imaging run. */
export const SDSS_DR14_LAYOUT: SurveyCsvLayout = {
  header: HEADER.join(","),
  cells: HEADER.length,
  columns: Object.entries(COLUMNS).map(([name, facts]) => ({
    column: { name, ...facts, sentinels: facts.type === "category" ? [] : [MISSING] },
    cell: HEADER.indexOf(name),
    categories: facts.type === "category" ? ["GALAXY", "QSO", "STAR"] : [],
  })),
};
