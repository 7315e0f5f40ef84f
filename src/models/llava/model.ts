/** @file LLaVA over a checkpoint's files: image features, whole forward passes, and decoding over a cache. */

import { readConfigFrom } from '../../checkpoints/config.ts';
import { type CompiledGraph, cacheKey, compile, input } from '../../graph/index.ts';
import type { RunOptions } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { fileIn, type ModelFiles } from '../../system/model-files.ts';
import { type FloatTensor, floats, sizeOf, type Tensor } from '../../tensor/tensor.ts';
import { LlavaAnswers } from './answer.ts';
import type { LlavaConfig } from './config.ts';
import { decoderGraph, imageFeeds, LlavaDecoding, type LlavaPrompt } from './decoding.ts';
import { familyOf } from './families.ts';
import { pictureFeeds, pixelInput, rowInputs } from './files.ts';
import { imageFeatures, llavaForward, projectFeatures, towerFeatures } from './forward.ts';
import { type LlavaOpenOptions, type LlavaParts, loadLlava } from './load.ts';
import type { Pictured, PictureLayout } from './pictures.ts';
import { imagesIn, type Placement, placeImages } from './placement.ts';
import { LlavaRunner } from './runner.ts';
import { queryParts, towerParts } from './tower-parts.ts';

/** A batch for a whole forward pass. */
export interface LlavaInputs {
  /** int32 [B, T], image tokens repeated for each feature of an image (see `expandImageTokens`) */
  readonly inputIds: Tensor;
  /** integers [B, T], 1 = token, 0 = padding on either side; all tokens by default */
  readonly attentionMask?: Tensor;
  /** [images, C, S, S], in the order of their image tokens; another family's with their layouts (see `Pictured`) */
  readonly pixelValues?: Pictured;
  /** integers [B, T], −100 = not supervised; asks for the loss */
  readonly labels?: Tensor;
}

/** Results of a forward pass. */
export interface LlavaResult {
  /** [B, T, vocabulary] */
  readonly logits: FloatTensor;
  /** nats */
  readonly loss?: number;
  /** Decoder blocks + 1 of [B, T, width]; the last is normalised. */
  readonly hiddenStates?: FloatTensor[];
  readonly placement: Placement;
}

/** The tensors that graphs of `tokenInputs` are fed with. */
export const placementFeeds = (placement: Placement): Record<string, Tensor> => ({
  input_ids: placement.ids,
  modality: placement.modality,
  image_rows: placement.imageRows,
  position_ids: placement.positions,
  ...(placement.spatial ? { position_ids_spatial: placement.spatial } : {}),
  attention_mask: placement.attentionMask,
});

/** A LLaVA ready to run. Release it (or `await using`) when done. */
export class LlavaModel extends LlavaRunner<LlavaConfig> {
  protected constructor(
    parts: LlavaParts,
    private readonly tap: LlavaOpenOptions['tap'],
  ) {
    super(parts);
  }

  /**
   * Opens a checkpoint in Hugging Face's format. (By a name or a directory: `fromPretrained` of models/pretrained.ts.)
   * @throws NarrowsError as `loadLlava` says, and for one whose config names a bottleneck where `options.tap` brings none: it would be
   *   ignored in silence
   */
  static async fromFiles(files: ModelFiles, options: LlavaOpenOptions): Promise<LlavaModel> {
    const { bottleneck_config: bottleneck } = await readConfigFrom(files);
    if (bottleneck !== undefined && bottleneck !== null && !options.tap)
      throw new NarrowsError(
        `${fileIn(files, 'config.json')} has a bottleneck_config; open the model with openLlava, which brings its bottleneck, or remove the key to run plain LLaVA.`,
      );
    return new LlavaModel(await loadLlava(files, options), options.tap);
  }

  /**
   * Pixels [I, C, S, S] -> [I, N, width of the decoder]; another family's -> [F, 1, width], a row per image token, with the same layouts.
   * @throws NarrowsError for images of another size than the tower's
   */
  async imageFeatures(pixelValues: Pictured, options: RunOptions = {}): Promise<Pictured> {
    this.checkPixels(pixelValues);
    const { parameters, config } = this.parts;
    if (familyOf(config)) return this.familyFeatures(pixelValues, options);
    const graph = await this.compiled('images', () => ({ features: imageFeatures(parameters, config, pixelInput(config)) }));
    return (await graph.run({ pixel_values: pixelValues }, { signal: options.signal })).features as FloatTensor;
  }

  /** The tower part by part, then the projector over all of it. */
  private async familyFeatures(pixelValues: Pictured, { signal }: RunOptions): Promise<Pictured> {
    const { parameters, config } = this.parts;
    const all = await this.throughTower(pixelValues, signal);
    const shape = all.shape.map((n, i) => (i === 0 ? (familyOf(config)?.towerRows?.(config) ?? 'rows') : n));
    const projector = await this.compiled(cacheKey('projector', { shape }), () => ({
      features: projectFeatures(parameters, config, input('tower_features', shape)),
    }));
    const { features } = await projector.run({ ...pictureFeeds(config, pixelValues), tower_features: all }, { signal });
    const { layouts } = pixelValues;
    return { ...(features as FloatTensor), ...(layouts ? { layouts } : {}) };
  }

  /** What the tower gives of pictures, part by part. A model too large to be repacked closes it behind them: what its runs took is given back. */
  private async throughTower(pixelValues: Pictured, signal: AbortSignal | undefined): Promise<FloatTensor> {
    const { parameters, config, runtime, prepack } = this.parts;
    const trace = (rows?: number, parts?: number) => ({
      features: towerFeatures(parameters, config, pixelInput(config, rows), rows && parts ? { each: rows, parts } : undefined),
    });
    // Its runs are large: a block for their values would come on top of what the first one took.
    const options = { prepack, memoryPlan: false };
    let tower: CompiledGraph | undefined;
    try {
      let all: FloatTensor | undefined;
      let at = 0;
      for (const part of towerParts(config, pixelValues)) {
        const feeds = part.layouts ? pictureFeeds(config, part) : { pixel_values: part };
        const parts = queryParts(config, part);
        const run = async (graph: CompiledGraph) => (await graph.run(feeds, { signal })).features as FloatTensor;
        const inParts = async () => {
          // Of this picture's size only, so that it is not kept.
          await using graph = await compile(runtime, trace(part.shape[0], parts), { ...options, prepack: false });
          return run(graph);
        };
        if (parts === 1) tower ??= prepack ? await this.compiled('tower', trace, options) : await compile(runtime, trace(), options);
        const features = parts === 1 ? await run(tower!) : await inParts();
        const rows = [pixelValues.shape[0], ...features.shape.slice(1)];
        all ??= floats(rows, new Float32Array(sizeOf(rows)));
        all.data.set(features.data, at);
        at += features.data.length;
      }
      return all!;
    } finally {
      if (!prepack) await tower?.release();
    }
  }

  /** Whole forward pass of a batch. @throws NarrowsError for images that do not fit the text (see `placeImages`) */
  async forward(inputs: LlavaInputs, options: { readonly hiddenStates?: boolean } = {}): Promise<LlavaResult> {
    const { inputIds, attentionMask, pixelValues } = inputs;
    if (pixelValues) this.checkPixels(pixelValues);
    const placement = placeImages(
      this.config,
      inputIds,
      imagesIn(this.config, pixelValues),
      attentionMask,
      undefined,
      pixelValues?.layouts,
    );
    const { parameters, config } = this.parts;
    const trace = () => llavaForward(parameters, config, rowInputs(config), pixelValues && pixelInput(config), this.tap);
    const { out: _, ...result } = await this.runForward(inputs, options, trace, placementFeeds(placement));
    return { ...result, placement };
  }

  /**
   * Reads prompts (any lengths, images or none) into a cache. @returns the decoding, whose `logits` are those of each first new token.
   * @throws NarrowsError for images that do not fit the text, or an empty prompt
   */
  async start(prompts: readonly LlavaPrompt[], options: { readonly signal?: AbortSignal } = {}): Promise<LlavaDecoding> {
    const graph = await this.compiled('decode', () => decoderGraph(this.parts.parameters, this.config, this.tap));
    return LlavaDecoding.start(this, graph, prompts, options.signal);
  }

  /** The model as attribution of answers sees it, its bottleneck included. */
  answers(): LlavaAnswers {
    return new LlavaAnswers(this.parts, this.tap);
  }

  /** See `placeImages`. */
  place(inputIds: Tensor, images: number, attentionMask?: Tensor, layouts?: readonly PictureLayout[]): Placement {
    return placeImages(this.config, inputIds, images, attentionMask, undefined, layouts);
  }

  /** What decoding asks of a prompt's images. */
  promptFeeds(_placement: Placement, pixels: Pictured | undefined, signal?: AbortSignal): Promise<Record<string, Tensor>> {
    return imageFeeds(this, pixels, signal);
  }
}
