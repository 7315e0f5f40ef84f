/** @file What every loaded image–text model does: features, full forward, other image sizes; weights stay in their file. */

import type { Checkpoint } from '../checkpoints/checkpoint.ts';
import { checkpointHash } from '../checkpoints/hash.ts';
import { readFloats } from '../checkpoints/safetensors.ts';
import { type CompiledGraph, cacheKey, compile, constant, type GraphCache, GraphCachePool, input, type Value } from '../graph/index.ts';
import { resampleBicubic } from '../inputs/image/bilinear.ts';
import type { ImageProcessor } from '../inputs/image/processor.ts';
import type { Tokenizer } from '../inputs/text/tokenizer.ts';
import type { LoadReport, Parameters } from '../nn/parameters.ts';
import type { Feeds, Runtime } from '../runtime/runtime.ts';
import { NarrowsError } from '../system/errors.ts';
import type { ModelFiles } from '../system/model-files.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../tensor/tensor.ts';
import type { DualEncoder, Tower, TowerInputs } from './dual-encoder.ts';
import { graphKey } from './graph-key.ts';
import type { ModelParts } from './load-parts.ts';
import { gridSize, type ModelConfig } from './model-config.ts';
import { rowBytes } from './row-bytes.ts';

/** One tower's values. `hiddenStates[0]` is the input of the first block, as in transformers. */
export interface TowerOutput {
  readonly hiddenStates: readonly Value[];
  readonly attentions: readonly Value[];
  /** transformers' pooler_output, [B, D]. */
  readonly poolerOutput: Value;
  /** In the shared space, not normalised, [B, E]. */
  readonly features: Value;
}

/** Normalised embeddings [B, E] and logits between them, [images, texts] and [texts, images]. */
export interface Similarity {
  readonly imageEmbeds: Value;
  readonly textEmbeds: Value;
  readonly logitsPerImage: Value;
  readonly logitsPerText: Value;
}

/** A full forward pass, names as in transformers. Embeddings are normalised. */
export interface ForwardOutput {
  readonly imageEmbeds: FloatTensor;
  readonly textEmbeds: FloatTensor;
  readonly logitsPerImage: FloatTensor;
  readonly logitsPerText: FloatTensor;
  /** On request; index 0 is the input of the first block. */
  readonly visionHiddenStates?: readonly FloatTensor[];
  readonly textHiddenStates?: readonly FloatTensor[];
  readonly visionAttentions?: readonly FloatTensor[];
  readonly textAttentions?: readonly FloatTensor[];
}

/** Interpolated position embeddings that are remembered. */
const TABLES = 4;
const POSITIONS = 'vision_model.embeddings.position_embedding.weight';

/** A model ready to run. Release it (or `await using`) when done. */
export abstract class DualEncoderModel<C extends ModelConfig = ModelConfig> implements DualEncoder, AsyncDisposable {
  abstract readonly image: Tower;
  abstract readonly text: Tower;
  readonly name: string;
  readonly config: C;
  readonly files: ModelFiles;
  readonly checkpoint: Checkpoint;
  readonly report: LoadReport;
  readonly processor: ImageProcessor;
  readonly warnings: readonly string[];
  readonly tokenizer: Tokenizer | NarrowsError;
  readonly parameters: Parameters;
  readonly runtime: Runtime;
  private readonly ownsRuntime: boolean;
  readonly keepSessions: boolean;
  /** Sessions by input size; every new size is one more. */
  private readonly graphs = new GraphCachePool();
  private readonly tables = new Map<string, Float32Array>();
  private sharedTable: Float32Array | undefined;
  private scale: number | undefined;

  constructor(parts: ModelParts<C>) {
    this.name = parts.name;
    this.config = parts.config;
    this.files = parts.files;
    this.checkpoint = parts.checkpoint;
    this.report = parts.report;
    this.processor = parts.processor;
    this.warnings = parts.warnings;
    this.tokenizer = parts.tokenizer;
    this.parameters = parts.parameters;
    this.runtime = parts.runtime;
    this.ownsRuntime = parts.ownsRuntime;
    this.keepSessions = parts.keepSessions;
  }

  /** Pixels [B, C, H, W] through the whole image tower over any parameters. `table`: position embeddings for another image size. */
  abstract imageTower(p: Parameters, pixels: Value, table?: Value): TowerOutput;

  /** Texts through the whole text tower; declares the graph inputs that `inputs` (of `textInputs`) has. @param batch name of the axis */
  abstract textTower(p: Parameters, inputs: TowerInputs, batch: string): TowerOutput;

  abstract similarity(p: Parameters, image: TowerOutput, text: TowerOutput): Similarity;

  /** @throws NarrowsError when a text is longer than the position embeddings, or an id is outside of the vocabulary */
  abstract textInputs(inputIds: Tensor, attentionMask?: Tensor): TowerInputs;

  /** @throws NarrowsError where the checkpoint has no usable tokenizer */
  requireTokenizer(): Tokenizer {
    if (this.tokenizer instanceof NarrowsError) throw this.tokenizer;
    return this.tokenizer;
  }

  async logitScale(): Promise<number> {
    this.scale ??= Math.exp((await readFloats(this.checkpoint.entries.get('logit_scale')!))[0]);
    return this.scale;
  }

  /** Longest text, special tokens included. */
  get maxTextLength(): number {
    return Math.min(this.config.text_config.max_position_embeddings, this.requireTokenizer().maxLength);
  }

  get vocabularySize(): number {
    return this.config.text_config.vocab_size;
  }

  get padTokenId(): number | null {
    return this.config.text_config.pad_token_id;
  }

  imageInputs(pixelValues: FloatTensor): TowerInputs {
    return { pixel_values: pixelValues };
  }

  /** Makes ready for pixel inputs of another size than the config's: position embeddings are interpolated (bicubic, as transformers). */
  async prepareImageSize(height: number, width: number): Promise<void> {
    const vision = this.config.vision_config;
    const [rows, columns] = this.image.grid!(height, width);
    if (rows < 1 || columns < 1)
      throw new NarrowsError(`An image of ${width} x ${height} is smaller than one patch of ${vision.patch_size}; enlarge it.`);
    const grid = gridSize(vision);
    if (rows === grid && columns === grid) return;
    this.sharedTable ??= await readFloats(this.checkpoint.entries.get(POSITIONS)!);
  }

  /** Image features as transformers' get_image_features: [B, 3, H, W] -> [B, E], not normalised. */
  async imageFeatures(pixelValues: FloatTensor): Promise<FloatTensor> {
    return (await this.runTower(this.image, this.imageInputs(pixelValues), this.image.layers - 2)).features;
  }

  /** Text features as transformers' get_text_features: ids [B, T] -> [B, E], not normalised. */
  async textFeatures(inputIds: Tensor, attentionMask?: Tensor): Promise<FloatTensor> {
    return (await this.runTower(this.text, this.textInputs(inputIds, attentionMask), this.text.layers - 2)).features;
  }

  /** One run of a tower: the output of block `layer` and the features. Kept sessions repack weights for speed; ones that run once do not. */
  async runTower(tower: Tower, inputs: TowerInputs, layer: number): Promise<{ hidden: FloatTensor; features: FloatTensor }> {
    if (tower.modality === 'image') await this.prepareImageSize(inputs.pixel_values.shape[2], inputs.pixel_values.shape[3]);
    const key = graphKey('prefix', { modality: tower.modality, layer, inputs });
    const { hidden, features } = await this.runGraph(key, inputs, () => ({ ...tower.prefix(layer, inputs) }));
    if (features.data.some(v => !Number.isFinite(v))) throw new NarrowsError(await this.explainNotFinite(tower));
    return { hidden, features };
  }

  /** The whole model on B images and T texts. */
  async forward(
    feeds: { pixelValues: FloatTensor; inputIds: Tensor; attentionMask?: Tensor },
    want: { hiddenStates?: boolean; attentions?: boolean } = {},
  ): Promise<ForwardOutput> {
    const [, channels, height, width] = feeds.pixelValues.shape;
    await this.prepareImageSize(height, width);
    const inputs = this.textInputs(feeds.inputIds, feeds.attentionMask);
    const key = cacheKey('forward', { ...want, size: [channels, height, width], inputs: Object.keys(inputs) });
    const run = await this.runGraph(key, { pixel_values: feeds.pixelValues, ...inputs }, () => {
      const pixels = input('pixel_values', ['images', channels, height, width]);
      const image = this.imageTower(this.parameters, pixels, this.positions(height, width));
      const text = this.textTower(this.parameters, inputs, 'batch');
      const outputs: Record<string, Value> = { ...this.similarity(this.parameters, image, text) };
      for (const [tower, values] of [
        ['vision', image],
        ['text', text],
      ] as const) {
        if (want.hiddenStates) for (const [i, v] of values.hiddenStates.entries()) outputs[`${tower}HiddenStates.${i}`] = v;
        if (want.attentions) for (const [i, v] of values.attentions.entries()) outputs[`${tower}Attentions.${i}`] = v;
      }
      return outputs;
    });
    const list = (name: string, count: number): FloatTensor[] | undefined =>
      `${name}.0` in run ? Array.from({ length: count }, (_, i) => run[`${name}.${i}`]) : undefined;
    const { imageEmbeds, textEmbeds, logitsPerImage, logitsPerText } = run;
    return {
      imageEmbeds,
      textEmbeds,
      logitsPerImage,
      logitsPerText,
      visionHiddenStates: list('visionHiddenStates', this.image.layers + 1),
      textHiddenStates: list('textHiddenStates', this.text.layers + 1),
      visionAttentions: list('visionAttentions', this.image.layers),
      textAttentions: list('textAttentions', this.text.layers),
    };
  }

  sha256(): Promise<string> {
    return checkpointHash(this.checkpoint);
  }

  /** Closes the model's sessions (and its runtime, where it made it). */
  async release(): Promise<void> {
    await this.graphs.release();
    if (this.ownsRuntime) await this.runtime.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** Position embeddings [prefix + N, D] of an image size that was prepared; undefined for the config's own grid. */
  protected positions(height: number, width: number): Value | undefined {
    const { hidden_size: d } = this.config.vision_config;
    const grid = gridSize(this.config.vision_config);
    const [rows, columns] = this.image.grid!(height, width);
    if (rows === grid && columns === grid) return undefined;
    const key = `${rows}x${columns}`;
    const table = this.tables.get(key) ?? this.resizedTable(grid, rows, columns);
    this.tables.delete(key);
    this.tables.set(key, table);
    for (const oldest of this.tables.keys()) if (this.tables.size > TABLES) this.tables.delete(oldest);
    return constant(floats([table.length / d, d], table));
  }

  /** The checkpoint's own position embeddings, interpolated. */
  private resizedTable(grid: number, rows: number, columns: number): Float32Array {
    const { sharedTable } = this;
    if (!sharedTable) throw new Error('prepareImageSize was not called for this size.');
    const d = this.config.vision_config.hidden_size;
    const prefix = this.image.prefixTokens * d;
    const resized = this.resample(sharedTable.subarray(prefix), grid, d, rows, columns);
    const table = new Float32Array(prefix + resized.length);
    table.set(sharedTable.subarray(0, prefix));
    table.set(resized, prefix);
    return table;
  }

  /** A square grid of position embeddings brought to another one; bicubic, as transformers does. */
  protected resample(table: Float32Array, grid: number, width: number, rows: number, columns: number): Float32Array {
    return resampleBicubic(table, grid, grid, width, rows, columns);
  }

  /** Ids as int32. @throws NarrowsError when they are too many or unknown */
  protected checkedIds(inputIds: Tensor): Tensor & { readonly data: Int32Array } {
    const { max_position_embeddings: longest, vocab_size: vocabulary } = this.config.text_config;
    if (inputIds.shape[1] > longest)
      throw new NarrowsError(`A text of ${inputIds.shape[1]} tokens is longer than the ${longest} that ${this.name} takes; shorten it.`);
    const data = Int32Array.from(inputIds.data as Int32Array, Number);
    const outside = data.find(id => id < 0 || id >= vocabulary);
    if (outside !== undefined)
      throw new NarrowsError(
        `The token id ${outside} is outside of ${this.name}'s vocabulary of ${vocabulary}; the tokenizer belongs to another model.`,
      );
    return { ...ints(inputIds.shape, data), data };
  }

  /** Runs a graph, compiled at its first use; closes it where sessions are not kept. */
  private async runGraph(key: string, feeds: Feeds, outputs: () => Record<string, Value>): Promise<Record<string, FloatTensor>> {
    const group = feeds.pixel_values ? feeds.pixel_values.shape.slice(2).join('x') : 'text';
    const compiled = (): Promise<CompiledGraph> => compile(this.runtime, outputs(), { prepack: this.keepSessions });
    if (!this.keepSessions) {
      await using once = await compiled();
      return (await once.run(feeds)) as Record<string, FloatTensor>;
    }
    const run = async (graphs: GraphCache): Promise<Record<string, Tensor>> => (await graphs.keep(key, compiled)).run(feeds);
    const [height, width] = feeds.pixel_values?.shape.slice(2) ?? [0, 0];
    const [rows, columns] = feeds.pixel_values ? this.image.grid!(height, width) : [0, 0];
    const bytes = rowBytes(this.image, rows * columns, this.image.layers, false) * (feeds.pixel_values?.shape[0] ?? 0);
    return (await this.graphs.use(group, run, bytes)) as Record<string, FloatTensor>;
  }

  /** Names the first tensor with NaN or infinity; reading all weights is worth it only once something went wrong. */
  private async explainNotFinite(tower: Tower): Promise<string> {
    for (const entry of this.checkpoint.entries.values()) {
      if ((await readFloats(entry)).some(v => !Number.isFinite(v)))
        return `The tensor "${entry.name}" in ${entry.file} has NaN or infinite values; the checkpoint is damaged.`;
    }
    return `The ${tower.modality} features of ${this.name} are not finite, though its weights are; is the input finite?`;
  }
}
