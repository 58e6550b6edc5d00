export { withTrainer } from "./backend-run.ts";
