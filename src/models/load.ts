/** @file Loads whatever image–text model a reference names, by its config's model_type. */
import { join } from 'node:path';
import { readConfig } from '../checkpoints/config.ts';
import { NarrowsError } from '../system/errors.ts';
import { findModel } from './bundled.ts';
import { parseCLIPConfig } from './clip/config.ts';
import { CLIPModel } from './clip/model.ts';
import type { DualEncoderModel } from './dual-encoder-model.ts';
import type { FoundModel, LoadOptions } from './load-parts.ts';
import type { ModelConfig } from './model-config.ts';
import { naflexRefusal, parseSiglipConfig, sharedWidth } from './siglip/config.ts';
import { SiglipModel } from './siglip/model.ts';

/** A config of any known architecture, with the width of the shared space. */
export interface KnownConfig {
  readonly config: ModelConfig;
  readonly projection: number;
}

interface Architecture {
  open(found: FoundModel, options: LoadOptions): Promise<DualEncoderModel>;
  parse(json: unknown, source: string): KnownConfig;
}

/** Every architecture by its `model_type`. */
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

/** The names of `config.json`'s model_type that can be loaded. */
export const MODEL_TYPES: readonly string[] = Object.keys(MODELS);

/** @throws NarrowsError, in one sentence that names those known, where a config's model_type is none of `MODEL_TYPES` */
function requireKnownType(config: Readonly<Record<string, unknown>>, source: string): string {
  const type = config.model_type;
  if (type === 'siglip2') throw naflexRefusal(source);
  if (typeof type === 'string' && Object.hasOwn(MODELS, type)) return type;
  const given = type === undefined ? 'has no model_type' : `is of model_type ${JSON.stringify(type)}`;
  throw new NarrowsError(
    `${source} ${given}; Narrows runs ${MODEL_TYPES.join(' and ')} models (CLIP, SigLIP, SigLIP 2 of fixed resolution).`,
  );
}

/** A parsed config.json of any known architecture. @throws NarrowsError for another model_type, or naming the key that is wrong */
export const parseKnownConfig = (json: Readonly<Record<string, unknown>>, source: string): KnownConfig =>
  MODELS[requireKnownType(json, source)].parse(json, source);

/**
 * Loads a checkpoint in Hugging Face's format: CLIP, SigLIP, or SigLIP 2 of fixed resolution.
 * @param reference a shipped model's name, a directory, or `org/name[@revision]`
 * @throws NarrowsError for another model_type, missing or mis-shaped tensors, pickled weights alone
 */
export async function loadModel(reference: string, options: LoadOptions = {}): Promise<DualEncoderModel> {
  const found = await findModel(reference, options);
  const type = requireKnownType(await readConfig(found.directory), join(found.directory, 'config.json'));
  return MODELS[type].open(found, options);
}
