import { Hono } from "hono";
import { ARROW_STREAM } from "../../protocol/catalogs.ts";
import { AstroScaleError } from "../../protocol/errors.ts";
import type { Campaign } from "../campaign/campaign.ts";
import type { CatalogSource } from "../catalogs/catalog.ts";

/** `/catalogs…`: what there is to learn from, and its shards. Public: the data are. */
export function catalogRoutes(catalogs: readonly CatalogSource[], campaign: Campaign): Hono {
  const app = new Hono();
  const find = (id: string): CatalogSource => {
    const source = catalogs.find(({ catalog }) => catalog.id === id);
    if (!source) {
      throw new AstroScaleError(
        "not_found",
        `there is no catalog "${id}"; GET /catalogs lists those there are`,
      );
    }
    return source;
  };

  app.get("/", (c) => c.json({ catalogs: catalogs.map(({ catalog }) => catalog) }));
  app.get("/:catalog", (c) => c.json(find(c.req.param("catalog")).catalog));
  app.get("/:catalog/shards", (c) => {
    const { catalog, shards } = find(c.req.param("catalog"));
    return c.json({ catalog: catalog.id, shards });
  });
  app.get("/:catalog/shards/:shard", async (c) => {
    const source = find(c.req.param("catalog"));
    const id = c.req.param("shard");
    const shard = source.shards.find((candidate) => candidate.id === id);
    if (!shard) throw new AstroScaleError("not_found", `catalog ${source.catalog.id} has no shard "${id}"`);
    c.header("ETag", `"${shard.etag}"`);
    c.header("Cache-Control", "public, max-age=31536000, immutable");
    if (c.req.header("If-None-Match") === `"${shard.etag}"`) return c.body(null, 304);
    const bytes = await source.shardBytes(id);
    // A node says who it is, so that its round's traffic can be counted; anyone else may read too.
    const authorization = c.req.header("Authorization");
    if (authorization !== undefined) {
      campaign.task(campaign.authenticate(authorization).task).countServed(bytes.length);
    }
    c.header("Content-Type", ARROW_STREAM);
    return c.body(bytes);
  });
  return app;
}
