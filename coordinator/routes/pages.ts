import { serveStatic } from "@hono/node-server/serve-static";
import { Hono } from "hono";

/** `/` and `/dashboard`, and what they load. @param directory the built client */
export function pageRoutes(directory: string): Hono {
  const app = new Hono();
  app.get("/", serveStatic({ root: directory, path: "index.html" }));
  app.get("/dashboard", serveStatic({ root: directory, path: "dashboard.html" }));
  app.get(
    "/assets/*",
    serveStatic({
      root: directory,
      // Names in assets/ hold a hash of the content.
      onFound: (_path, c) => c.header("Cache-Control", "public, max-age=31536000, immutable"),
    }),
  );
  app.get("/favicon.svg", serveStatic({ root: directory }));
  return app;
}
