import * as z from "zod";
import { AstroScaleError } from "../../../protocol/errors.ts";
import { ModelSpec } from "../../../protocol/model.ts";
import { Feature, FittedPreprocessing } from "../../../protocol/preprocessing.ts";
import { decodeSafeTensors } from "../../../protocol/safetensors.ts";
import { Label } from "../../../protocol/tasks.ts";
import { flattenWeights } from "../../../protocol/weights.ts";

const json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.issues.push({ code: "custom", input: text, message: "wanted JSON" });
    return z.NEVER;
  }
});

/** What a global model's file says beside its tensors. */
const ModelMetadata = z.object({
  format: z.literal("astroscale-model-1"),
  round: z.string().regex(/^\d+$/).transform(Number),
  model: json.pipe(ModelSpec),
  features: json.pipe(z.array(Feature)),
  label: json.pipe(Label),
  preprocessing: json.pipe(FittedPreprocessing),
});

/** A global model with everything needed to use it. */
export interface ModelFile extends Omit<z.infer<typeof ModelMetadata>, "format"> {
  /** `[parameterCount]` */
  readonly parameters: Float32Array<ArrayBuffer>;
}

/**
 * The global model in a file of `GET /federated/model`.
 *
 * @throws {AstroScaleError} `malformed_safetensors` when it is no such file; `shape_mismatch` when its tensors are
 * not its model's
 */
export function readModelFile(bytes: Uint8Array): ModelFile {
  const file = decodeSafeTensors(bytes);
  const metadata = ModelMetadata.safeParse(file.metadata);
  if (!metadata.success) {
    const [issue] = metadata.error.issues;
    const what = `metadata "${issue?.path.join(".")}": ${issue?.message}`;
    throw new AstroScaleError("malformed_safetensors", `not a global model: ${what}`);
  }
  const { format: _format, ...known } = metadata.data;
  return { ...known, parameters: flattenWeights(known.model, file) };
}
