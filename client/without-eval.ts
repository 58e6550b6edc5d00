/*
 * Imported first by every entry, before any schema is made: zod asks once, by `new Function("")`, whether it
 * may compile its parsers. The content security policy refuses that and reports it as a violation.
 */
import * as z from "zod";

z.config({ jitless: true });
