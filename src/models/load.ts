/** @file Loads whatever image–text model a reference names, by its config's model_type. */

import { readConfig } from '../checkpoints/config.ts';
import { join } from '../node/paths.ts';
import { NarrowsError } from '../system/errors.ts';
import { findModel } from './bundled.ts';
import { parseCLIPConfig } from './clip/config.ts';
import { CLIPModel } from './clip/model.ts';
import type { DualEncoderModel } from './dual-encoder-model.ts';
import type { FoundModel, LoadOptions } from './load-parts.ts';
import type { ModelConfig } from './model-config.ts';
import { naflexRefusal, parseSiglipConfig, sharedWidth } from './siglip/config.ts';
import { SiglipModel } from './siglip/model.ts';

/** A config of any model that compares images with texts, with the width of the shared space. */
export interface KnownConfig {
  readonly config: ModelConfig;
  readonly projection: number;
}

interface Architecture {
  open(found: FoundModel, options: LoadOptions): Promise<DualEncoderModel>;
  parse(json: unknown, source: string): KnownConfig;
}

/** Every architecture that compares images with texts, by its `model_type`. */
const MODELS: Readonly<Record<string, Architecture>> = {
  clip: {
    open: CLIPModel.open,
    parse(json, source) {
      const config = parseCLIPConfig(json, source);
      return { config, projection: config.projection_dim };
    },
  },
  siglip: {
    open: SiglipModel.open,
    parse(json, source) {
      const config = parseSiglipConfig(json, source);
      return { config, projection: sharedWidth(config) };
    },
  },
};

/** The kinds of models: those that compare images with texts, and those that answer. */
export type ModelKind = 'dual-encoder' | 'llava' | 'llava-mini';

/** The kind of every `model_type` that Narrows runs. */
const KINDS: ReadonlyMap<string, ModelKind> = new Map([
  ...Object.keys(MODELS).map((type): [string, ModelKind] => [type, 'dual-encoder']),
  ['llava', 'llava'],
  ['llava_mini', 'llava-mini'],
  ['llava_mini_llama', 'llava-mini'],
]);

/** The names of `config.json`'s model_type that can be run: by `loadModel`, or, where they begin with "llava", as a LLaVA. */
export const MODEL_TYPES: readonly string[] = [...KINDS.keys()];

/** What a config describes. @throws NarrowsError, in one sentence that names those known, where its model_type is none of `MODEL_TYPES` */
export function modelKind(config: Readonly<Record<string, unknown>>, source: string): ModelKind {
  const type = config.model_type;
  if (type === 'siglip2') throw naflexRefusal(source);
  const kind = typeof type === 'string' ? KINDS.get(type) : undefined;
  if (kind) return kind;
  const given = type === undefined ? 'has no model_type' : `is of model_type ${JSON.stringify(type)}`;
  throw new NarrowsError(
    `${source} ${given}; Narrows runs ${MODEL_TYPES.join(', ')} (CLIP, SigLIP, SigLIP 2 of fixed resolution, LLaVA, LLaVA-Mini).`,
  );
}

/** The architecture of a model that compares images with texts. @throws NarrowsError for a LLaVA, saying what can be done with it */
function dualEncoderType(config: Readonly<Record<string, unknown>>, source: string): string {
  if (modelKind(config, source) === 'dual-encoder') return config.model_type as string;
  throw new NarrowsError(
    `${source} is of model_type ${JSON.stringify(config.model_type)}: a LLaVA, which answers questions about images (narrows chat, narrows generate); what was asked for needs a model that compares images with texts, a CLIP or SigLIP.`,
  );
}

/**
 * A parsed config.json of a model that compares images with texts.
 * @throws NarrowsError for another model_type, or naming the key that is wrong
 */
export const parseKnownConfig = (json: Readonly<Record<string, unknown>>, source: string): KnownConfig =>
  MODELS[dualEncoderType(json, source)].parse(json, source);

/**
 * Loads a checkpoint in Hugging Face's format: CLIP, SigLIP, or SigLIP 2 of fixed resolution. (For a LLaVA see generation/open-llava.ts.)
 * @param reference a shipped model's name, a directory, or `org/name[@revision]`
 * @throws NarrowsError for another model_type, missing or mis-shaped tensors, pickled weights alone
 * @example
 * await using model = await loadModel('scene-clip'); // or a directory, or 'openai/clip-vit-base-patch32'
 * const { pixelValues } = model.processor.process(await decodeImage('examples/scene.png'));
 * const features = await model.imageFeatures(stackImages([pixelValues])); // [1, 128]
 * console.log(features.shape, model.image.layers);
 */
export async function loadModel(reference: string, options: LoadOptions = {}): Promise<DualEncoderModel> {
  const found = await findModel(reference, options);
  const type = dualEncoderType(await readConfig(found.directory), join(found.directory, 'config.json'));
  return MODELS[type].open(found, options);
}
