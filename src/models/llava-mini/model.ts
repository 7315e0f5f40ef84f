/** @file LLaVA-Mini over a checkpoint's files: whole forward passes, and decoding over LLaVA's cache. */

import { equal, gather, unsqueeze, type Value, where } from '../../graph/index.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { ModelFiles } from '../../system/model-files.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../../tensor/tensor.ts';
import type { LlavaConfig } from '../llava/config.ts';
import type { LlavaPrompt } from '../llava/decoding.ts';
import { decoderGraph, LlavaDecoding, noFeatures } from '../llava/decoding.ts';
import { pixelInput } from '../llava/files.ts';
import { placeFeatures, type TokenValues, towerFeatures } from '../llava/forward.ts';
import { type LlavaOpenOptions, type LlavaParts, loadLlavaKind } from '../llava/load.ts';
import type { LlavaInputs, LlavaResult } from '../llava/model.ts';
import type { Placement } from '../llava/placement.ts';
import { LlavaRunner } from '../llava/runner.ts';
import { MiniAnswers } from './answer.ts';
import type { LlavaMiniConfig } from './config.ts';
import { LLAVA_MINI, miniFeeds, miniTokenInputs } from './files.ts';
import { embedConversation, llavaMiniForward } from './forward.ts';
import { instructionOf, type MiniPlacement, placeMini } from './placement.ts';

/** A batch for a whole forward pass; an image token is repeated C² times (`compressedTokens`) per image. */
export interface LlavaMiniInputs extends LlavaInputs {
  /** integers [B, T], 1 = part of an instruction, and so fused; by default what `labels` does not supervise, or everything */
  readonly instruction?: Tensor;
}

/** Results of a forward pass. */
export interface LlavaMiniResult extends LlavaResult {
  /** [I, C², N²]: how much each compressed token takes of each vision token */
  readonly compression?: FloatTensor;
  readonly placement: MiniPlacement;
}

/** Row 0 of the features means "a word": what the decoder reads of prompts comes ready, that of steps is looked up. */
function embedPrepared(p: Parameters, config: LlavaConfig, tokens: TokenValues, features: Value): Value {
  return where(unsqueeze(equal(tokens.imageRows, 0), -1), placeFeatures(p, config, tokens), gather(features, tokens.imageRows));
}

/** A LLaVA-Mini ready to run. Release it (or `await using`) when done. */
export class LlavaMiniModel extends LlavaRunner<LlavaMiniConfig> {
  protected constructor(
    parts: LlavaParts<LlavaMiniConfig>,
    private readonly tap: LlavaOpenOptions['tap'],
  ) {
    super(parts);
  }

  /**
   * Opens a checkpoint: config.json as `parseLlavaMiniConfig` reads it, tensors under LLaVA's names (either layout) or the published
   * checkpoint's, with the vision tower among them. (By a name or a directory: `fromPretrained` of models/pretrained.ts.)
   * @throws NarrowsError as `loadLlava`
   */
  static async fromFiles(files: ModelFiles, options: LlavaOpenOptions): Promise<LlavaMiniModel> {
    return new LlavaMiniModel(await loadLlavaKind(LLAVA_MINI, files, options), options.tap);
  }

  /** Whole forward pass of a batch. @throws NarrowsError for images that do not fit the text (see `placeMini`) */
  async forward(inputs: LlavaMiniInputs, options: { readonly hiddenStates?: boolean } = {}): Promise<LlavaMiniResult> {
    const { inputIds, attentionMask, pixelValues, labels } = inputs;
    if (pixelValues) this.checkPixels(pixelValues);
    const instruction = inputs.instruction ?? (labels && instructionOf(labels));
    const placement = placeMini(this.config, inputIds, pixelValues?.shape[0] ?? 0, { attentionMask, instruction });
    const { parameters, config } = this.parts;
    const trace = () => llavaMiniForward(parameters, config, miniTokenInputs(), pixelValues && pixelInput(config), this.tap);
    const { out, ...result } = await this.runForward(inputs, options, trace, miniFeeds(placement), ({ compression }) =>
      compression ? { compression } : ({} as Record<string, Value>),
    );
    return { ...result, placement, ...(pixelValues ? { compression: out.compression as FloatTensor } : {}) };
  }

  /** As `LlavaModel.start`: prompts are fused whole, tokens that follow are words. */
  async start(prompts: readonly LlavaPrompt[], options: { readonly signal?: AbortSignal } = {}): Promise<LlavaDecoding> {
    if (prompts.some(({ imageFeatures }) => imageFeatures))
      throw new NarrowsError('A LLaVA-Mini fuses pictures with the words of each question, so it needs their pixels, not their features.');
    const graph = await this.compiled('decode', () => decoderGraph(this.parts.parameters, this.config, this.tap, embedPrepared));
    return LlavaDecoding.start(this, graph, prompts, options.signal);
  }

  /** The model as attribution of answers sees it. */
  answers(): MiniAnswers {
    return new MiniAnswers(this.parts, this.tap);
  }

  /** See `placeMini`. */
  place(inputIds: Tensor, images: number, attentionMask?: Tensor): MiniPlacement {
    return placeMini(this.config, inputIds, images, { attentionMask });
  }

  /** What decoding asks of prompts: everything that the decoder reads, row 0 left free (see `embedPrepared`). */
  async promptFeeds(placement: Placement, pixels: FloatTensor | undefined, signal?: AbortSignal): Promise<Record<string, Tensor>> {
    const { ids } = placement;
    const { parameters, config } = this.parts;
    // Then every row is 0, a word.
    if (!pixels) return { image_features: noFeatures(config) };
    this.checkPixels(pixels);
    const graph = await this.compiled('embed', () => {
      const tower = towerFeatures(parameters, config, pixelInput(config));
      return { embedded: embedConversation(parameters, config, miniTokenInputs(), tower).embedded };
    });
    const { embedded } = await graph.run({ ...miniFeeds(placement as MiniPlacement), pixel_values: pixels }, { signal });
    const width = config.text_config.hidden_size;
    const rows = new Float32Array(width + embedded.data.length);
    rows.set(embedded.data as Float32Array, width);
    return {
      image_features: floats([1 + ids.data.length, width], rows),
      image_rows: ints(
        ids.shape,
        Int32Array.from(ids.data as Int32Array, (_, i) => i + 1),
      ),
    };
  }
}
