import { InvalidArgumentError } from "commander";
import { Slug } from "../../protocol/catalogs.ts";
import { NodeName } from "../../protocol/nodes.ts";

/** The largest number a headless node's name ends in, with its hyphen: names have at most 64 characters. */
const LONGEST_SUFFIX = "-1000".length;

/**
 * Parser of a whole number within `[least, most]`, both ends included.
 *
 * @throws {InvalidArgumentError} from the parser, for anything else
 */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`wanted a whole number from ${least} to ${most}.`);
  };
}

/**
 * Origin of a coordinator, such as `http://127.0.0.1:8081`.
 *
 * @throws {InvalidArgumentError} when `text` is no http or https address, or has more than an origin
 */
export function coordinatorOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new InvalidArgumentError("wanted an address such as http://127.0.0.1:8081.");
  }
  if (url.href !== `${url.origin}/`) {
    throw new InvalidArgumentError(`wanted the coordinator's address alone, such as ${url.origin}.`);
  }
  return url.origin;
}

/** A task's id. @throws {InvalidArgumentError} when `text` cannot be one */
export function taskId(text: string): string {
  if (Slug.safeParse(text).success) return text;
  throw new InvalidArgumentError("wanted a task's id: lower-case letters, digits, dots and hyphens.");
}

/** What the names of a pool's nodes begin with. @throws {InvalidArgumentError} when `text` cannot */
export function namePrefix(text: string): string {
  const name = NodeName.safeParse(text);
  if (name.success && name.data.length + LONGEST_SUFFIX <= 64) return name.data;
  throw new InvalidArgumentError("wanted 1 to 59 characters, none of them control characters.");
}
