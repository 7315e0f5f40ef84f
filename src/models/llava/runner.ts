/** @file What every kind of LLaVA does alike once loaded: compiles its graphs once, checks pixels, and is released. */
import { type CompiledGraph, cacheKey, compile, GraphCache, input, type Value } from '../../graph/index.ts';
import type { CompileOptions, Feeds } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type FloatTensor, ints, type Tensor } from '../../tensor/tensor.ts';
import type { LlavaConfig } from './config.ts';
import { familyOf } from './families.ts';
import { pictureFeeds } from './files.ts';
import { nextTokenLoss } from './forward.ts';
import type { LlavaParts } from './load.ts';
import { noLayouts, type Pictured } from './pictures.ts';

/** A loaded model's graphs. Release it (or `await using`) when done. */
export class LlavaRunner<C extends LlavaConfig> implements AsyncDisposable {
  private readonly graphs = new GraphCache();

  constructor(readonly parts: LlavaParts<C>) {}

  get config(): C {
    return this.parts.config;
  }

  /** Compiles once by name. */
  protected compiled(name: string, trace: () => Record<string, Value>, options: CompileOptions = {}): Promise<CompiledGraph> {
    return this.graphs.keep(name, () => compile(this.parts.runtime, trace(), { prepack: this.parts.prepack, ...options }));
  }

  /** @throws NarrowsError for images of another size than the tower's */
  protected checkPixels({ shape, layouts }: Pick<Pictured, 'shape' | 'layouts'>): void {
    if (familyOf(this.config)?.tiled === false) {
      // Pictures of any size: their layouts say how many rows there must be.
      if (!layouts || layouts.reduce((sum, { pixels }) => sum + pixels, 0) !== shape[0]) throw noLayouts();
      return;
    }
    const { num_channels: channels, image_size: size } = this.config.vision_config;
    if (shape.length === 4 && shape[1] === channels && shape[2] === size && shape[3] === size) return;
    throw new NarrowsError(
      `Images of shape [${shape.join(', ')}] were given, but the vision tower takes [images, ${channels}, ${size}, ${size}]; let the model's own processor prepare them.`,
    );
  }

  /**
   * A whole forward pass: logits, the loss where there are labels, hidden states on request. @param trace the model's outputs
   * @param feeds the tokens @param extra further outputs of the graph, to be read from `out`
   */
  protected async runForward<O extends { readonly logits: Value; readonly hidden: readonly Value[] }>(
    { pixelValues, labels }: { readonly pixelValues?: Pictured; readonly labels?: Tensor },
    { hiddenStates = false }: { readonly hiddenStates?: boolean },
    trace: () => O,
    feeds: Feeds,
    extra: (outputs: O) => Record<string, Value> = () => ({}),
  ): Promise<{ out: Record<string, Tensor>; logits: FloatTensor; loss?: number; hiddenStates?: FloatTensor[] }> {
    const graph = await this.compiled(cacheKey('forward', { pixels: Boolean(pixelValues), labels: Boolean(labels), hiddenStates }), () => {
      const run = trace();
      return {
        logits: run.logits,
        ...extra(run),
        ...(labels ? { loss: nextTokenLoss(run.logits, input('labels', ['batch', 'seq'], 'int32')) } : {}),
        ...(hiddenStates ? Object.fromEntries(run.hidden.map((h, i) => [`hidden_states.${i}`, h])) : {}),
      };
    });
    const out = await graph.run({
      ...feeds,
      ...(pixelValues ? pictureFeeds(this.config, pixelValues) : {}),
      ...(labels ? { labels: ints(labels.shape, Int32Array.from(labels.data as Int32Array, Number)) } : {}),
    });
    const states = this.config.text_config.num_hidden_layers + 1;
    return {
      out,
      logits: out.logits as FloatTensor,
      ...(labels ? { loss: out.loss.data[0] as number } : {}),
      ...(hiddenStates ? { hiddenStates: Array.from({ length: states }, (_, i) => out[`hidden_states.${i}`] as FloatTensor) } : {}),
    };
  }

  /** Frees what was compiled. */
  async release(): Promise<void> {
    await this.graphs.release();
    if (this.parts.ownsRuntime) await this.parts.runtime.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
