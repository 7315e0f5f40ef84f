/** @file CLIP loaded from a directory or the hub: features, full forward, saving; weights stay in their file, mapped by the runtime. */

import { join } from 'node:path';
import { type Checkpoint, openCheckpoint } from '../../checkpoints/checkpoint.ts';
import { readConfig, readJson } from '../../checkpoints/config.ts';
import { checkpointHash } from '../../checkpoints/hash.ts';
import type { ResolveOptions } from '../../checkpoints/hub/hub.ts';
import { readFloats, readTensor } from '../../checkpoints/safetensors.ts';
import { saveCheckpoint } from '../../checkpoints/save.ts';
import { type CompiledGraph, compile, constant, input, type Value } from '../../graph/index.ts';
import { resampleBicubic } from '../../inputs/image/bilinear.ts';
import { ImageProcessor } from '../../inputs/image/processor.ts';
import { Tokenizer } from '../../inputs/text/tokenizer.ts';
import { frozenParameters, type LoadReport, loadReport, type Parameters, reportSentence } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import type { Feeds, Runtime } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { makeDirectory } from '../../system/files.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../../tensor/tensor.ts';
import { findModel } from '../bundled.ts';
import type { DualEncoder, Tower, TowerInputs } from '../dual-encoder.ts';
import { type CLIPConfig, parseCLIPConfig } from './config.ts';
import { copySideFiles, wantedTensors } from './files.ts';
import { similarity, textTower, visionTower } from './forward.ts';
import { eosPositions } from './text.ts';
import { textTowerView, visionTowerView } from './towers.ts';
import { gridSize } from './vision.ts';

/** How a checkpoint is found and run. */
export interface LoadOptions extends ResolveOptions {
  /** ONNX Runtime in this thread by default. */
  readonly runtime?: Runtime;
  /**
   * Keep compiled towers for further inputs. Default true; false suits a process that encodes once: each tower's session is closed after
   * its run, and with it the mapped pages of its weights leave memory.
   */
  readonly keepSessions?: boolean;
}

/** A full forward pass, names as in transformers' CLIPOutput. Embeddings are normalised. */
export interface CLIPOutput {
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

/** A CLIP ready to run. Release it (or `await using`) when done. */
export class CLIPModel implements DualEncoder, AsyncDisposable {
  readonly image: Tower;
  readonly text: Tower;
  private readonly graphs = new Map<string, Promise<CompiledGraph>>();
  private readonly tables = new Map<string, Float32Array>();
  private ownTable: Float32Array | undefined;
  private scale: number | undefined;

  private constructor(
    readonly name: string,
    readonly config: CLIPConfig,
    readonly checkpoint: Checkpoint,
    readonly report: LoadReport,
    readonly processor: ImageProcessor,
    readonly tokenizer: Tokenizer | NarrowsError,
    readonly parameters: Parameters,
    readonly runtime: Runtime,
    private readonly ownsRuntime: boolean,
    private readonly keepSessions: boolean,
  ) {
    this.image = visionTowerView(parameters, config, (height, width) => this.tables.get(`${height}x${width}`));
    this.text = textTowerView(parameters, config);
  }

  /**
   * Loads a checkpoint in Hugging Face's format. @param reference a shipped model's name, a directory, or `org/name[@revision]`.
   * @throws NarrowsError for a directory without config, another `model_type`, missing or mis-shaped tensors, pickled weights alone.
   */
  static async fromPretrained(reference: string, options: LoadOptions = {}): Promise<CLIPModel> {
    const { directory, name } = await findModel(reference, options);
    const config = parseCLIPConfig(await readConfig(directory), join(directory, 'config.json'));
    const checkpoint = await openCheckpoint(directory);
    const report = loadReport(wantedTensors(config), checkpoint.entries);
    const problem = reportSentence(report, directory);
    if (problem) throw new NarrowsError(problem);
    const preprocessor = await readJson(join(directory, 'preprocessor_config.json')).catch(error => {
      if (error?.cause?.code === 'ENOENT')
        return { size: { shortest_edge: config.vision_config.image_size }, crop_size: config.vision_config.image_size };
      throw error;
    });
    const processor = ImageProcessor.fromConfig(preprocessor, join(directory, 'preprocessor_config.json'));
    // A model without a tokenizer still serves images and ids; the sentence is told when a text is given.
    const tokenizer = await Tokenizer.fromDirectory(directory).catch(error => {
      if (error instanceof NarrowsError) return error;
      throw error;
    });
    const parameters = frozenParameters(checkpoint.entries, directory);
    return new CLIPModel(
      name,
      config,
      checkpoint,
      report,
      processor,
      tokenizer,
      parameters,
      options.runtime ?? nodeRuntime(),
      !options.runtime,
      options.keepSessions ?? true,
    );
  }

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

  imageInputs(pixelValues: FloatTensor): TowerInputs {
    return { pixel_values: pixelValues };
  }

  /** @throws NarrowsError when a text is longer than the position embeddings, or an id is outside of the vocabulary */
  textInputs(inputIds: Tensor, attentionMask?: Tensor): TowerInputs {
    const { max_position_embeddings: longest, vocab_size: vocabulary } = this.config.text_config;
    if (inputIds.shape[1] > longest)
      throw new NarrowsError(`A text of ${inputIds.shape[1]} tokens is longer than the ${longest} that ${this.name} takes; shorten it.`);
    const ids = ints(inputIds.shape, Int32Array.from(inputIds.data as Int32Array, Number));
    const outside = (ids.data as Int32Array).find(id => id < 0 || id >= vocabulary);
    if (outside !== undefined)
      throw new NarrowsError(
        `The token id ${outside} is outside of ${this.name}'s vocabulary of ${vocabulary}; the tokenizer belongs to another model.`,
      );
    const padded = attentionMask && (attentionMask.data as Int32Array).some(m => Number(m) === 0);
    return {
      input_ids: ids,
      eos: eosPositions(this.config.text_config, ids),
      ...(padded ? { attention_mask: ints(attentionMask.shape, Int32Array.from(attentionMask.data as Int32Array, Number)) } : {}),
    };
  }

  /** Makes ready for pixel inputs of another size than the config's: position embeddings are interpolated (bicubic, as transformers). */
  async prepareImageSize(height: number, width: number): Promise<void> {
    const vision = this.config.vision_config;
    const key = `${height}x${width}`;
    const [rows, columns] = this.image.grid!(height, width);
    if (rows < 1 || columns < 1)
      throw new NarrowsError(`An image of ${width} x ${height} is smaller than one patch of ${vision.patch_size}; enlarge it.`);
    const grid = gridSize(vision);
    if ((height === vision.image_size && width === vision.image_size) || this.tables.has(key)) return;
    this.ownTable ??= await readFloats(this.checkpoint.entries.get('vision_model.embeddings.position_embedding.weight')!);
    const d = vision.hidden_size;
    const resized = resampleBicubic(this.ownTable.subarray(d), grid, grid, d, rows, columns);
    const table = new Float32Array(d + resized.length);
    table.set(this.ownTable.subarray(0, d));
    table.set(resized, d);
    this.tables.set(key, table);
  }

  /** Image features as transformers' get_image_features: [B, 3, H, W] -> [B, projection_dim], not normalised. */
  async imageFeatures(pixelValues: FloatTensor): Promise<FloatTensor> {
    return (await this.runTower(this.image, this.imageInputs(pixelValues), this.image.layers - 2)).features;
  }

  /** Text features as transformers' get_text_features: ids [B, T] -> [B, projection_dim], not normalised. */
  async textFeatures(inputIds: Tensor, attentionMask?: Tensor): Promise<FloatTensor> {
    return (await this.runTower(this.text, this.textInputs(inputIds, attentionMask), this.text.layers - 2)).features;
  }

  /** One run of a tower: the output of block `layer` and the features. Kept sessions repack weights for speed; ones that run once do not. */
  async runTower(tower: Tower, inputs: TowerInputs, layer: number): Promise<{ hidden: FloatTensor; features: FloatTensor }> {
    if (tower.modality === 'image') await this.prepareImageSize(inputs.pixel_values.shape[2], inputs.pixel_values.shape[3]);
    const shape = tower.modality === 'image' ? inputs.pixel_values.shape.slice(1).join() : Object.keys(inputs).join();
    const key = `${tower.modality}:${layer}:${shape}`;
    const { hidden, features } = await this.runGraph(key, inputs, () => ({ ...tower.prefix(layer, inputs) }));
    if (features.data.some(v => !Number.isFinite(v))) throw new NarrowsError(await this.explainNotFinite(tower));
    return { hidden, features };
  }

  /** The whole model on B images and T texts. */
  async forward(
    feeds: { pixelValues: FloatTensor; inputIds: Tensor; attentionMask?: Tensor },
    want: { hiddenStates?: boolean; attentions?: boolean } = {},
  ): Promise<CLIPOutput> {
    const [, channels, height, width] = feeds.pixelValues.shape;
    await this.prepareImageSize(height, width);
    const text = this.textInputs(feeds.inputIds, feeds.attentionMask);
    const key = `forward:${height}x${width}:${Boolean(text.attention_mask)}:${want.hiddenStates}:${want.attentions}`;
    const run = await this.runGraph(key, { pixel_values: feeds.pixelValues, ...text }, () => {
      const other = this.tables.get(`${height}x${width}`);
      const positions =
        other && constant(floats([other.length / this.config.vision_config.hidden_size, this.config.vision_config.hidden_size], other));
      const image = visionTower(this.parameters, this.config, input('pixel_values', ['images', channels, height, width]), positions);
      const mask = text.attention_mask && input('attention_mask', ['batch', 'seq'], 'int32');
      const words = textTower(
        this.parameters,
        this.config,
        input('input_ids', ['batch', 'seq'], 'int32'),
        input('eos', ['batch'], 'int32'),
        mask,
      );
      const outputs: Record<string, Value> = { ...similarity(this.parameters, image, words) };
      for (const [tower, values] of [
        ['vision', image],
        ['text', words],
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

  /** Writes the model as Python's `CLIPModel.from_pretrained` opens it (weights in their stored type; the tokenizer's and preprocessor's files are copied). */
  async savePretrained(directory: string, options: { maxShardBytes?: number } = {}): Promise<void> {
    await makeDirectory(directory);
    await copySideFiles(this.checkpoint.directory, directory);
    const tensors: [string, Tensor][] = [];
    for (const [name, entry] of this.checkpoint.entries) tensors.push([name, await readTensor(entry)]);
    await saveCheckpoint(directory, tensors, { config: this.config, ...options });
  }

  sha256(): Promise<string> {
    return checkpointHash(this.checkpoint);
  }

  /** Closes the model's sessions (and its runtime, where it made it). */
  async release(): Promise<void> {
    for (const graph of this.graphs.values()) await (await graph.catch(() => undefined))?.release();
    this.graphs.clear();
    if (this.ownsRuntime) await this.runtime.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** Runs a graph, compiled at its first use; closes it where sessions are not kept. */
  private async runGraph(key: string, feeds: Feeds, outputs: () => Record<string, Value>): Promise<Record<string, FloatTensor>> {
    const compiled = (): Promise<CompiledGraph> => compile(this.runtime, outputs(), { prepack: this.keepSessions });
    if (!this.keepSessions) {
      await using once = await compiled();
      return (await once.run(feeds)) as Record<string, FloatTensor>;
    }
    let graph = this.graphs.get(key);
    if (!graph) {
      graph = compiled();
      this.graphs.set(key, graph);
    }
    return (await (await graph).run(feeds)) as Record<string, FloatTensor>;
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
