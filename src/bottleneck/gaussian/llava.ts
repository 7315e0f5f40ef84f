/** @file LLaVA checkpoints with a bottleneck: config.json has `bottleneck_config`, and bottleneck.safetensors stands next to the weights. */

import { readConfigFrom } from '../../checkpoints/config.ts';
import { openSafetensorsFrom, type TensorEntry } from '../../checkpoints/safetensors.ts';
import { imageTokens, type LlavaConfig, parseLlavaConfig } from '../../models/llava/config.ts';
import type { LlavaTap } from '../../models/llava/forward.ts';
import type { LlavaOpenOptions } from '../../models/llava/load.ts';
import { weightMemory } from '../../models/llava/memory.ts';
import { LlavaModel } from '../../models/llava/model.ts';
import { frozenParameters, loadReport, type Parameters, reportSentence } from '../../nn/parameters.ts';
import { NarrowsError } from '../../system/errors.ts';
import { fileIn, isMissing, type ModelFiles } from '../../system/model-files.ts';
import { type BottleneckConfig, inferenceAlpha, parseBottleneckConfig } from './config.ts';
import { bottleneckTensors, gaussianBottleneck } from './module.ts';

/** The file of a bottleneck's tensors, next to model.safetensors. */
export const BOTTLENECK_WEIGHTS = 'bottleneck.safetensors';

/** A bottleneck as its checkpoint has it. */
export interface StoredBottleneck {
  readonly config: BottleneckConfig;
  readonly entries: ReadonlyMap<string, TensorEntry>;
  /** Its weights, frozen. */
  readonly parameters: Parameters;
}

/** Settings of a LLaVA's bottleneck, where its config.json has some. @throws NarrowsError as `parseBottleneckConfig` */
export function bottleneckOf(config: LlavaConfig, source = 'config.json'): BottleneckConfig | undefined {
  const given = config.bottleneck_config;
  return given === undefined || given === null ? undefined : parseBottleneckConfig(given, source, config.text_config.num_hidden_layers);
}

/**
 * The bottleneck of a checkpoint; none where config.json names none. (By a directory: `readBottleneck` of gaussian/pretrained.ts.)
 * @param weights where its weights stand, when not `bottleneck.safetensors` among the files
 * @throws NarrowsError in one sentence for wrong settings, a missing file, missing or mis-shaped tensors
 */
export async function readBottleneckFrom(
  files: ModelFiles,
  weights: { readonly files: ModelFiles; readonly file: string } = { files, file: BOTTLENECK_WEIGHTS },
): Promise<StoredBottleneck | undefined> {
  const path = fileIn(files, 'config.json');
  const file = fileIn(weights.files, weights.file);
  const llava = parseLlavaConfig(await readConfigFrom(files), path);
  const config = bottleneckOf(llava, path);
  if (!config) return undefined;
  const { tensors } = await openSafetensorsFrom(weights.files, weights.file).catch(error => {
    if (!isMissing(error)) throw error;
    throw new NarrowsError(
      `${path} has a bottleneck_config, but there is no ${file}; copy the bottleneck's weights there, or remove bottleneck_config to run plain LLaVA.`,
      { cause: error },
    );
  });
  const problem = reportSentence(loadReport(bottleneckTensors(config, llava.text_config.hidden_size), tensors), file);
  if (problem) throw new NarrowsError(problem);
  return { config, entries: tensors, parameters: frozenParameters(tensors, file) };
}

/** How a LLaVA with a bottleneck is run. */
export interface BottleneckOpenOptions extends Omit<LlavaOpenOptions, 'tap'> {
  /** Takes the place of the α that the checkpoint names for inference. */
  readonly alpha?: number;
}

/** Answers through a bottleneck: the posterior's mean, at one α. @param tokensPerImage see `imageTokens` */
export function inferenceTap(
  { config, parameters }: Pick<StoredBottleneck, 'config' | 'parameters'>,
  tokensPerImage: number,
  alpha = inferenceAlpha(config),
): LlavaTap {
  return (layer, hidden, { modality, positions }) =>
    config.bottleneck_layers.includes(layer)
      ? gaussianBottleneck(parameters, config, layer, hidden, { modality, positions, tokensPerImage, alpha }).hidden
      : hidden;
}

/**
 * A LLaVA whose forward passes and decoding run through its bottleneck, where it has one; plain LLaVAs open as `LlavaModel.fromFiles` does.
 * (By a name or a directory: gaussian/pretrained.ts.)
 * @throws NarrowsError as `LlavaModel.fromFiles` and `readBottleneckFrom`, or for an α outside of 0 to 1
 */
export async function bottleneckLlavaFrom(files: ModelFiles, options: BottleneckOpenOptions): Promise<LlavaModel> {
  const { alpha, ...rest } = options;
  if (alpha !== undefined && !(alpha >= 0 && alpha <= 1))
    throw new NarrowsError(`alpha must lie between 0 and 1, not ${alpha}.`, { kind: 'usage' });
  const bottleneck = await readBottleneckFrom(files);
  if (!bottleneck) return LlavaModel.fromFiles(files, rest);
  const llava = parseLlavaConfig(await readConfigFrom(files), fileIn(files, 'config.json'));
  const { availableMemory = Number.POSITIVE_INFINITY } = rest;
  return LlavaModel.fromFiles(files, {
    ...rest,
    availableMemory: availableMemory - weightMemory(bottleneck.entries, bottleneck.entries.keys()),
    tap: inferenceTap(bottleneck, imageTokens(llava), alpha),
  });
}
