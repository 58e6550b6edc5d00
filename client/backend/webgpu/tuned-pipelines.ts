import type { Gpu } from "./device.ts";
import { Pipelines } from "./pipelines.ts";
import {
  PRODUCTS,
  type Product,
  type ProductForm,
  type ProductKernel,
  productKernelName,
  TILES,
} from "./products.ts";
import { fastestForm, type ProductShape } from "./tuning.ts";

/** A layer of a network: its widths, and the rows it usually sees. */
export interface LayerShape {
  readonly inputs4: number;
  readonly outputs4: number;
  readonly batchSize: number;
}

/** The products of one layer, compiled. */
export type LayerKernels = Readonly<Record<Product, ProductKernel>>;

/** One form for every product, or for each the one that `processorForm` gives or that turns out to be fastest. */
export type ProductChoice = ProductForm | "processor" | "measured";

/** Those to be measured; the first is taken where none is clearly faster. Larger tiles overflow a GPU's registers. */
const GPU_FORMS: readonly ProductForm[] = ["8x8", "4x4", "shared"];

/** Where a processor's time is in the products, not in compiling them: from 128 units a side. */
const WIDE4 = 32;

/** The form that suits a software adapter: larger tiles load less, but take half a second longer to compile. */
function processorForm({ inputs4, outputs4 }: LayerShape): ProductForm {
  return Math.min(inputs4, outputs4) >= WIDE4 ? "16x16" : "8x8";
}

/**
 * Kernels of one device, and those of products in the form that suits it. Forms give the same bits, so a choice by
 * time, which may fall differently the next time, changes no result.
 */
export class TunedPipelines extends Pipelines {
  readonly #choice: ProductChoice;
  readonly #forms = new Map<string, Promise<ProductForm>>();
  readonly #chosen = new Map<string, ProductForm>();
  #measuring: Promise<unknown> = Promise.resolve();

  /** @param choice left out, `measured` on a GPU and `processor` on a software adapter */
  constructor(gpu: Gpu, choice: ProductChoice = gpu.isSoftware ? "processor" : "measured") {
    super(gpu);
    this.#choice = choice;
  }

  /** The form that was chosen for each product and shape so far, for people who look into its speed. */
  get chosen(): ReadonlyMap<string, ProductForm> {
    return this.#chosen;
  }

  /** The products of a layer. @throws {AstroScaleError} as `Pipelines.get`; `device_lost` */
  async layer(shape: LayerShape): Promise<LayerKernels> {
    const [dense, inputGradient, weightGradient] = await Promise.all(
      PRODUCTS.map(async (product) => this.#compile(product, await this.#form({ product, ...shape }))),
    );
    if (!dense || !inputGradient || !weightGradient) throw new Error("unreachable: there are three products");
    return { dense, "dense-input-gradient": inputGradient, "dense-weight-gradient": weightGradient };
  }

  async #compile(product: Product, form: ProductForm): Promise<ProductKernel> {
    const { invocations } = TILES[form];
    const constants = invocations === 1 ? {} : { WORKGROUP_SIZE: invocations };
    const kernel = await this.get(productKernelName(product, form), constants);
    return { ...kernel, form };
  }

  #form(shape: ProductShape): Promise<ProductForm> {
    if (this.#choice === "processor") return Promise.resolve(processorForm(shape));
    if (this.#choice !== "measured") return Promise.resolve(this.#choice);
    const { product, inputs4, outputs4, batchSize } = shape;
    const key = `${product} ${batchSize} x ${4 * inputs4} x ${4 * outputs4}`;
    const known = this.#forms.get(key);
    if (known !== undefined) return known;
    const form = this.#measure(shape);
    this.#forms.set(key, form);
    form.then(
      (chosen) => this.#chosen.set(key, chosen),
      () => this.#forms.delete(key),
    );
    return form;
  }

  /** One after the other: two at once would measure each other. */
  async #measure(shape: ProductShape): Promise<ProductForm> {
    const kernels = await Promise.all(GPU_FORMS.map((form) => this.#compile(shape.product, form)));
    const measured = this.#measuring.then(() => fastestForm(this.gpu, shape, kernels));
    this.#measuring = measured.catch(() => {});
    return measured;
  }
}
