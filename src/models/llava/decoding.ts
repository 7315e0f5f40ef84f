/**
 * @file Decoding over a cache: one graph reads the prompts (one run over all their tokens) and then each new token. The cache lies on the
 * host and is fed as inputs with a named length; a run gives only the keys and values of its own tokens, so no step copies the cache.
 */
import { type CompiledGraph, input, reshape, slice, type Value } from '../../graph/index.ts';
import { hiddenPlaces, type PastTokens } from '../../nn/decoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type FloatTensor, floats, ints, joinFloats, type Tensor } from '../../tensor/tensor.ts';
import { KeyValueCache } from './cache.ts';
import type { LlavaConfig } from './config.ts';
import { familyOf } from './families.ts';
import { rowInputs } from './files.ts';
import { type LlavaTap, languageHead, languageModel, placeFeatures, type TokenValues } from './forward.ts';
import { nextPositions } from './mrope.ts';
import { joinPictured, type Pictured, type PictureLayout } from './pictures.ts';
import { imagesIn, MODALITY, type Placement } from './placement.ts';
import { decoderConfig } from './text-config.ts';

/** As `placeFeatures`. */
type Embed = (p: Parameters, config: LlavaConfig, tokens: TokenValues, features: Value) => Value;

/**
 * The graph of prompts and steps. Inputs: those of `tokenInputs` [batch, step], `image_features` [rows, width], `past_mask` [batch, past],
 * `past.key.i`, `past.value.i` [batch, key–value heads, past, D]. Outputs: `logits` [batch, vocabulary] of the last token of each row,
 * `key.i`, `value.i` [batch, key–value heads, step, D].
 * @param embed what the decoder reads, from the words and what `promptFeeds` gave; a step has `image_rows` of 0 and one row of zeros
 */
export function decoderGraph(p: Parameters, config: LlavaConfig, tap?: LlavaTap, embed: Embed = placeFeatures): Record<string, Value> {
  const { num_key_value_heads: groups, head_dim: width, num_hidden_layers: layers } = decoderConfig(config);
  const { hidden_size: hidden, vocab_size: vocabulary } = config.text_config;
  const tokens = rowInputs(config, 'batch', 'step');
  const mask = hiddenPlaces(input('past_mask', ['batch', 'past'], 'int32'));
  const past: PastTokens[] = Array.from({ length: layers }, (_, i) => ({
    key: input(`past.key.${i}`, ['batch', groups, 'past', width]),
    value: input(`past.value.${i}`, ['batch', groups, 'past', width]),
    mask,
  }));
  const embedded = embed(p, config, tokens, input('image_features', ['rows', hidden]));
  const run = languageModel(p, config, embedded, tokens, { tap, past });
  const logits = languageHead(p, config, slice(run.hidden.at(-1)!, 1, -1));
  return {
    logits: reshape(logits, ['batch', vocabulary]),
    ...Object.fromEntries(
      run.present.flatMap(({ key, value }, i) => [
        [`key.${i}`, key],
        [`value.${i}`, value],
      ]),
    ),
  };
}

/** A conversation to answer. */
export interface LlavaPrompt {
  /** Image tokens repeated for each feature of an image (see `expandImageTokens`) */
  readonly ids: readonly number[];
  /** [images, C, S, S] of this conversation only; another family's with their layouts */
  readonly pixelValues?: Pictured;
  /** Instead of pixels: what `imageFeatures` gave for them, [images, N, width], so that a picture of many questions is encoded once. */
  readonly imageFeatures?: Pictured;
}

/** Images of a prompt, in whichever form. */
const imagesOf = (config: LlavaConfig, { pixelValues, imageFeatures }: LlavaPrompt): number =>
  imageFeatures?.shape[0] ?? imagesIn(config, pixelValues);

const layoutsOf = ({ pixelValues, imageFeatures }: LlavaPrompt): readonly PictureLayout[] => (imageFeatures ?? pixelValues)?.layouts ?? [];

/** Features of all prompts' images where all are encoded already. @throws NarrowsError for a batch of both forms */
function encodedFeeds(config: LlavaConfig, prompts: readonly LlavaPrompt[]): Record<string, Tensor> | undefined {
  const encoded = prompts.flatMap(({ imageFeatures }) => (imageFeatures?.shape[0] ? [imageFeatures] : []));
  if (!encoded.length) return undefined;
  const pixels = prompts.findIndex(prompt => !prompt.imageFeatures && imagesOf(config, prompt) > 0);
  if (pixels >= 0)
    throw new NarrowsError(`Prompt ${pixels + 1} has pixels and others of its batch have image features; give all in one form.`);
  return { image_features: flat(joinFloats(encoded)) };
}

/** What decoding asks of a model. */
export interface DecodingModel {
  readonly config: LlavaConfig;
  /** As `placeImages`; throws as it does. */
  place(inputIds: Tensor, images: number, attentionMask?: Tensor, layouts?: readonly PictureLayout[]): Placement;
  /** Feeds of the decoder graph that read a prompt's images; they win over those of the placement. @param pixels [images, C, S, S] */
  promptFeeds(placement: Placement, pixels: Pictured | undefined, signal?: AbortSignal): Promise<Record<string, Tensor>>;
}

/** Stands for image features where there are none: one row of zeros. */
export const noFeatures = (config: LlavaConfig): FloatTensor =>
  floats([1, config.text_config.hidden_size], new Float32Array(config.text_config.hidden_size));

/** LLaVA's `promptFeeds`. */
export async function imageFeeds(
  model: { readonly config: LlavaConfig; imageFeatures(pixels: Pictured, options: { signal?: AbortSignal }): Promise<FloatTensor> },
  pixels: Pictured | undefined,
  signal?: AbortSignal,
): Promise<Record<string, Tensor>> {
  return { image_features: pixels ? flat(await model.imageFeatures(pixels, { signal })) : noFeatures(model.config) };
}

/** A batch of conversations being continued. */
export class LlavaDecoding {
  private last!: FloatTensor;
  private constructor(
    private readonly config: LlavaConfig,
    private readonly graph: CompiledGraph,
    private readonly cache: KeyValueCache,
    /** Per row, the position of its next token: how many it has, where positions are counted. */
    private lengths: number[],
  ) {}

  /** Reads prompts, shorter ones padded in front. See `LlavaModel.start`. */
  static async start(
    model: DecodingModel,
    graph: CompiledGraph,
    prompts: readonly LlavaPrompt[],
    signal?: AbortSignal,
  ): Promise<LlavaDecoding> {
    signal?.throwIfAborted();
    const { config } = model;
    const { num_key_value_heads: heads, head_dim: width, num_hidden_layers: layers } = decoderConfig(config);
    const empty = prompts.findIndex(({ ids }) => ids.length === 0);
    if (!prompts.length || empty >= 0)
      throw new NarrowsError(`Prompt ${Math.max(empty, 0) + 1} has no tokens; there is nothing to continue.`);
    const length = Math.max(...prompts.map(({ ids }) => ids.length));
    const ids = new Int32Array(prompts.length * length);
    const mask = new Int32Array(ids.length);
    prompts.forEach((prompt, b) => {
      const from = (b + 1) * length - prompt.ids.length;
      ids.set(prompt.ids, from);
      mask.fill(1, from, (b + 1) * length);
      // Each conversation's images must fit its own text, not only the sum.
      model.place(ints([1, prompt.ids.length], Int32Array.from(prompt.ids)), imagesOf(config, prompt), undefined, layoutsOf(prompt));
    });
    const pixels = prompts.flatMap(({ pixelValues }) => (pixelValues?.shape[0] ? [pixelValues] : []));
    const images = prompts.reduce((sum, prompt) => sum + imagesOf(config, prompt), 0);
    const shape = [prompts.length, length];
    const placement = model.place(ints(shape, ids), images, ints(shape, mask), prompts.flatMap(layoutsOf));
    const feeds = encodedFeeds(config, prompts) ?? (await model.promptFeeds(placement, images ? joinPictured(pixels) : undefined, signal));
    const cache = new KeyValueCache(layers, prompts.length, heads, width);
    const decoding = new LlavaDecoding(config, graph, cache, nextPositions(placement, placement.attentionMask));
    await decoding.run(placement, feeds, signal);
    return decoding;
  }

  /** How many conversations go on. */
  get size(): number {
    return this.lengths.length;
  }

  /** [B, vocabulary]: what each row's next token may be. */
  get logits(): FloatTensor {
    return this.last;
  }

  /** Adds one token to every row. @param tokens one id per row; an image token is taken as a word */
  async step(tokens: readonly number[], options: { readonly signal?: AbortSignal } = {}): Promise<FloatTensor> {
    const column = (of: (b: number) => number): Tensor =>
      ints(
        [tokens.length, 1],
        Int32Array.from(tokens, (_, b) => of(b)),
      );
    await this.run(
      {
        ids: column(b => tokens[b]),
        attentionMask: column(() => 1),
        modality: column(() => MODALITY.text),
        imageRows: column(() => 0),
        positions: column(b => this.lengths[b]),
        ...(familyOf(this.config)?.tokenGrid
          ? {
              spatial: ints(
                [tokens.length, 1, 2],
                this.lengths.flatMap(at => [at, at]),
              ),
            }
          : {}),
      },
      { image_features: noFeatures(this.config) },
      options.signal,
    );
    this.lengths = this.lengths.map(n => n + 1);
    return this.last;
  }

  /** Goes on with some rows only, in the order given. */
  keep(rows: readonly number[]): void {
    this.cache.keep(rows);
    this.lengths = rows.map(b => this.lengths[b]);
    const vocabulary = this.last.shape[1];
    const kept = new Float32Array(rows.length * vocabulary);
    rows.forEach((b, i) => {
      kept.set(this.last.data.subarray(b * vocabulary, (b + 1) * vocabulary), i * vocabulary);
    });
    this.last = floats([rows.length, vocabulary], kept);
  }

  private async run(placement: Placement, feeds: Readonly<Record<string, Tensor>>, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const out = await this.graph.run(
      {
        input_ids: placement.ids,
        modality: placement.modality,
        image_rows: placement.imageRows,
        position_ids: placement.positions,
        ...(placement.spatial ? { position_ids_spatial: placement.spatial } : {}),
        attention_mask: placement.attentionMask,
        ...feeds,
        ...this.cache.feeds(),
      },
      { signal },
    );
    this.cache.append(out, placement.attentionMask);
    this.last = out.logits as FloatTensor;
  }
}

/** [I, N, width] -> [I·N, width] */
const flat = ({ shape, data }: FloatTensor): FloatTensor => floats([shape[0] * shape[1], shape[2]], data);
