import * as z from "zod";

// zod compiles parsers with `new Function`, which the content security policy refuses and reports. It looks when
// a schema is made, so this module comes before every other import.
z.config({ jitless: true });
