/** @file Opens a model that answers, of whatever kind its config names: LLaVA, LLaVA with its bottleneck, LLaVA-Mini. */

import { type BottleneckLlavaOptions, openBottleneckLlava } from '../bottleneck/gaussian/pretrained.ts';
import { readConfig } from '../checkpoints/disk.ts';
import { bundledModels, DEFAULT_CHAT_MODEL, findModel } from '../models/bundled.ts';
import { imageTokens } from '../models/llava/config.ts';
import type { LlavaModel } from '../models/llava/model.ts';
import { compressedTokens } from '../models/llava-mini/config.ts';
import { modelKind } from '../models/load.ts';
import { LlavaMiniModel } from '../models/pretrained.ts';
import { access } from '../node/disk.ts';
import { join } from '../node/paths.ts';
import { NarrowsError } from '../system/errors.ts';

/** A model that answers. */
export type AnsweringModel = LlavaModel | LlavaMiniModel;

/** How many image tokens stand for one image in a prompt. */
export const tokensPerImage = (model: AnsweringModel): number =>
  model instanceof LlavaMiniModel ? compressedTokens(model.config) : imageTokens(model.config);

/** @throws NarrowsError where the shipped model was asked for and this copy of Narrows lacks it */
async function requireShipped(reference: string): Promise<void> {
  if (reference !== DEFAULT_CHAT_MODEL || (await bundledModels()).includes(reference)) return;
  const elsewhere = await access(join(reference, 'config.json')).then(
    () => true,
    () => false,
  );
  if (!elsewhere)
    throw new NarrowsError(
      `This copy of Narrows lacks the shipped model ${reference} (models/${reference}); name another LLaVA with --model: a directory or org/name on the Hugging Face hub.`,
    );
}

/**
 * Opens a LLaVA by what its config.json says. A `bottleneck_config` there is never ignored: the model runs with its bottleneck.
 * @param reference a shipped model's name, a directory, or `org/name[@revision]`
 * @throws NarrowsError for a model that does not answer, an `alpha` where there is no bottleneck, and as `openBottleneckLlava`
 */
export async function openLlava(reference: string = DEFAULT_CHAT_MODEL, options: BottleneckLlavaOptions = {}): Promise<AnsweringModel> {
  await requireShipped(reference);
  const found = await findModel(reference, options);
  const source = join(found.directory, 'config.json');
  const config = await readConfig(found.directory);
  const kind = modelKind(config, source);
  if (kind === 'dual-encoder')
    throw new NarrowsError(
      `${source} is of model_type ${JSON.stringify(config.model_type)}, a model that compares images with texts and writes none; to have questions answered, name a LLaVA with --model.`,
    );
  const bottleneck = config.bottleneck_config !== undefined && config.bottleneck_config !== null;
  if (options.alpha !== undefined && !bottleneck)
    throw new NarrowsError(`${source} has no bottleneck_config, so there is no bottleneck whose alpha could be ${options.alpha}.`);
  if (kind === 'llava') return openBottleneckLlava(found, options);
  if (bottleneck) throw new NarrowsError(`${source} has a bottleneck_config, but a LLaVA-Mini has no place for one; remove the key.`);
  return LlavaMiniModel.open(found, options);
}
