import { localTraining } from "../protocol/local-training.ts";
import type { RoundRules, TaskSpec } from "../protocol/tasks.ts";

/** How many training rounds there are, and how close they follow each other. */
type TaskPace = Pick<RoundRules, "rounds" | "roundIntervalSecs">;

/** Inputs of the bundled task: three magnitudes and four colours. */
export const SDSS_FEATURES: TaskSpec["features"] = [
  { name: "g", plus: "g", minus: null },
  { name: "r", plus: "r", minus: null },
  { name: "i", plus: "i", minus: null },
  { name: "u-g", plus: "u", minus: "g" },
  { name: "g-r", plus: "g", minus: "r" },
  { name: "r-i", plus: "r", minus: "i" },
  { name: "i-z", plus: "i", minus: "z" },
];

/** Star, galaxy or quasar from SDSS photometry, over any number of nodes. */
function sdssClass(pace: TaskPace): TaskSpec {
  const classes = ["GALAXY", "QSO", "STAR"];
  return {
    id: "sdss-class",
    title: "Star, galaxy or quasar?",
    description:
      "Tells stars, galaxies and quasars apart from their brightness in five colours, as measured by the Sloan Digital Sky Survey.",
    catalog: "sdss-dr14",
    features: SDSS_FEATURES,
    label: { kind: "class", column: "class", classes },
    model: {
      inputs: SDSS_FEATURES.length,
      hidden: [64, 32],
      outputs: classes.length,
      activation: "relu",
      head: "softmax-cross-entropy",
    },
    training: localTraining({
      localEpochs: 2,
      batchSize: 64,
      localLearningRate: 0.1,
      optimizer: { kind: "sgd" },
    }),
    strategy: { kind: "fedavg" },
    rules: { ...pace, minNodes: 2, maxNodes: 1000, roundDeadlineSecs: 120, maxUpdateNorm: 100 },
    seed: 2,
    baselineOf: null,
  };
}

/** The tasks of a new coordinator: the bundled one, and its centralised run by one node with every shard. */
export function defaultTasks({ rounds, roundIntervalSecs }: TaskPace): TaskSpec[] {
  const task = sdssClass({ rounds, roundIntervalSecs });
  const central: TaskSpec = {
    ...task,
    id: `${task.id}.central`,
    title: `${task.title} (centralised)`,
    description: "The same model trained by one node on every shard: what the federated run is held against.",
    rules: { ...task.rules, minNodes: 1, maxNodes: 1, roundIntervalSecs: 0 },
    baselineOf: task.id,
  };
  return [task, central];
}
