import { defineConfig, type UserConfig } from "vite";

/** The page on which backends and their peers are timed, built as users get it. */
const page: UserConfig = {
  root: "bench",
  build: {
    outDir: "../dist/bench/page",
    emptyOutDir: true,
    target: "es2023",
    // TensorFlow.js starts its threads from the source text of its own functions.
    minify: false,
  },
};

/** What Node runs: the benchmark itself and the processes it starts. */
const programs: UserConfig = {
  build: {
    ssr: true,
    outDir: "dist/bench",
    emptyOutDir: true,
    target: "node20",
    rolldownOptions: {
      input: {
        bench: "bench/bench.ts",
        coordinator: "bench/coordinator.ts",
        crowd: "bench/crowd.ts",
        floor: "bench/floor.ts",
        load: "bench/load.ts",
      },
    },
  },
};

export default defineConfig(({ mode }) => (mode === "page" ? page : programs));
