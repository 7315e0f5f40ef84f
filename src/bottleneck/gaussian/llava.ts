/** @file LLaVA checkpoints with a bottleneck: config.json has `bottleneck_config`, and bottleneck.safetensors stands beside the weights. */

import { readConfig } from '../../checkpoints/config.ts';
import { openSafetensors, type TensorEntry } from '../../checkpoints/safetensors.ts';
import { findModel } from '../../models/bundled.ts';
import { imageTokens, type LlavaConfig, parseLlavaConfig } from '../../models/llava/config.ts';
import type { LlavaTap } from '../../models/llava/forward.ts';
import type { LlavaOptions } from '../../models/llava/load.ts';
import { freeMemory, weightMemory } from '../../models/llava/memory.ts';
import { LlavaModel } from '../../models/llava/model.ts';
import type { FoundModel } from '../../models/load-parts.ts';
import { frozenParameters, loadReport, type Parameters, reportSentence } from '../../nn/parameters.ts';
import { join } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type BottleneckConfig, inferenceAlpha, parseBottleneckConfig } from './config.ts';
import { bottleneckTensors, gaussianBottleneck } from './module.ts';

/** The file of a bottleneck's tensors, beside model.safetensors. */
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
 * The bottleneck of a checkpoint's directory; none where config.json names none.
 * @param file its weights; `bottleneck.safetensors` of the directory by default
 * @throws NarrowsError in one sentence for wrong settings, a missing file, missing or mis-shaped tensors
 */
export async function readBottleneck(directory: string, file = join(directory, BOTTLENECK_WEIGHTS)): Promise<StoredBottleneck | undefined> {
  const path = join(directory, 'config.json');
  const llava = parseLlavaConfig(await readConfig(directory), path);
  const config = bottleneckOf(llava, path);
  if (!config) return undefined;
  const { tensors } = await openSafetensors(file).catch(error => {
    if (error?.cause?.code !== 'ENOENT') throw error;
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
export interface BottleneckLlavaOptions extends Omit<LlavaOptions, 'tap'> {
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
 * A LLaVA whose forward passes and decoding run through its bottleneck, where it has one; plain LLaVAs open as `LlavaModel.open` does.
 * @throws NarrowsError as `LlavaModel.open` and `readBottleneck`, or for an α outside of 0 to 1
 */
export async function openBottleneckLlava(found: FoundModel, options: BottleneckLlavaOptions = {}): Promise<LlavaModel> {
  const { alpha, ...rest } = options;
  if (alpha !== undefined && !(alpha >= 0 && alpha <= 1))
    throw new NarrowsError(`alpha must lie between 0 and 1, not ${alpha}.`, { kind: 'usage' });
  const bottleneck = await readBottleneck(found.directory);
  if (!bottleneck) return LlavaModel.open(found, rest);
  const llava = parseLlavaConfig(await readConfig(found.directory), join(found.directory, 'config.json'));
  return LlavaModel.open(found, {
    ...rest,
    availableMemory: (rest.availableMemory ?? freeMemory()) - weightMemory(bottleneck.entries, bottleneck.entries.keys()),
    tap: inferenceTap(bottleneck, imageTokens(llava), alpha),
  });
}

/** As `openBottleneckLlava`. @param reference a shipped model's name, a directory, or `org/name[@revision]` */
export async function loadBottleneckLlava(reference: string, options: BottleneckLlavaOptions = {}): Promise<LlavaModel> {
  return openBottleneckLlava(await findModel(reference, options), options);
}
