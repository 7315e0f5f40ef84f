/** @file Opens a model that answers from its files, of whatever kind its config names: LLaVA, LLaVA with its bottleneck, LLaVA-Mini. */
import { type BottleneckOpenOptions, bottleneckLlavaFrom } from '../bottleneck/gaussian/llava.ts';
import { readConfigFrom } from '../checkpoints/config.ts';
import type { LlavaModel } from '../models/llava/model.ts';
import { typicalImageTokens } from '../models/llava/placement.ts';
import { refuseRelative } from '../models/llava/relatives.ts';
import { compressedTokens } from '../models/llava-mini/config.ts';
import { LlavaMiniModel } from '../models/llava-mini/model.ts';
import { modelKind } from '../models/load.ts';
import { NarrowsError } from '../system/errors.ts';
import { fileIn, type ModelFiles } from '../system/model-files.ts';

/** A model that answers. */
export type AnsweringModel = LlavaModel | LlavaMiniModel;

/** How many image tokens stand for one image in a prompt; of a family whose pictures differ in that, for an ordinary one. */
export function tokensPerImage(model: AnsweringModel): number {
  if (model instanceof LlavaMiniModel) return compressedTokens(model.config);
  return typicalImageTokens(model.config);
}

/**
 * Opens a LLaVA by what its config.json says. A `bottleneck_config` there is never ignored: the model runs with its bottleneck. (By a name or a
 * directory: `openLlava`.)
 * @throws NarrowsError for a model that does not answer, an `alpha` where there is no bottleneck, and as `bottleneckLlavaFrom`
 */
export async function openLlavaFrom(files: ModelFiles, options: BottleneckOpenOptions): Promise<AnsweringModel> {
  const source = fileIn(files, 'config.json');
  const config = await readConfigFrom(files);
  refuseRelative(config, source);
  const kind = modelKind(config, source);
  if (kind === 'dual-encoder')
    throw new NarrowsError(
      `${source} is of model_type ${JSON.stringify(config.model_type)}, a model that compares images with texts and writes none; to have questions answered, name a LLaVA with --model.`,
    );
  const bottleneck = config.bottleneck_config !== undefined && config.bottleneck_config !== null;
  if (options.alpha !== undefined && !bottleneck)
    throw new NarrowsError(`${source} has no bottleneck_config, so there is no bottleneck whose alpha could be ${options.alpha}.`);
  if (kind === 'llava') return bottleneckLlavaFrom(files, options);
  if (bottleneck) throw new NarrowsError(`${source} has a bottleneck_config, but a LLaVA-Mini has no place for one; remove the key.`);
  return LlavaMiniModel.fromFiles(files, options);
}
