import { defaultClientConditions, defineConfig, type UserConfig } from "vite";

/** The page and the workers in which backends and their peers are timed, built as users get them. */
const page: UserConfig = {
  root: "bench",
  // onnxruntime-web starts threads from its own file, which must therefore not be bundled.
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", ...defaultClientConditions] },
  build: {
    outDir: "../dist/bench/page",
    emptyOutDir: true,
    target: "es2023",
    // TensorFlow.js starts its threads from the source text of its own functions.
    minify: false,
  },
  worker: { format: "es" },
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
