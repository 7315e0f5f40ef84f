/** @file Opens whatever image–text model the files of a checkpoint hold, by its config's model_type. */

import { readConfigFrom } from '../checkpoints/config.ts';
import type { TensorEntry } from '../checkpoints/safetensors.ts';
import { NarrowsError } from '../system/errors.ts';
import { fileIn, type ModelFiles } from '../system/model-files.ts';
import { parseCLIPConfig } from './clip/config.ts';
import { CLIPModel } from './clip/model.ts';
import type { DualEncoderModel } from './dual-encoder-model.ts';
import { ANSWERING_TYPES, isOriginalLlava, originalLlavaError } from './llava/config.ts';
import type { OpenOptions } from './load-parts.ts';
import type { ModelConfig } from './model-config.ts';
import { describeNaflex, NAFLEX } from './naflex/open.ts';
import { describeOpenClip, OPEN_CLIP } from './openclip/open.ts';
import { parseSiglipConfig, sharedWidth } from './siglip/config.ts';
import { SiglipModel } from './siglip/model.ts';
import { openTowers } from './towers/load.ts';
import { describeSeparateTowers, SEPARATE_TOWERS } from './vision-text/open.ts';

/** A config of any model that compares images with texts, with the width of the shared space. */
export interface KnownConfig {
  readonly config: ModelConfig;
  readonly projection: number;
  /** What was supposed, in sentences. */
  readonly warnings?: readonly string[];
}

interface Architecture {
  open(files: ModelFiles, options: OpenOptions): Promise<DualEncoderModel>;
  /** @param stored the weights' tensors, of which some settings are read */
  parse(json: Readonly<Record<string, unknown>>, source: string, stored: ReadonlyMap<string, TensorEntry>): KnownConfig;
}

const SEPARATE: Architecture = {
  open: (files, options) => openTowers(files, options, SEPARATE_TOWERS),
  parse(json, source) {
    const { config } = describeSeparateTowers(json, source);
    return { config, projection: config.projection_dim };
  },
};

/** Every architecture that compares images with texts, by its `model_type`. */
const MODELS: Readonly<Record<string, Architecture>> = {
  clip: {
    open: CLIPModel.fromFiles,
    parse(json, source) {
      const config = parseCLIPConfig(json, source);
      return { config, projection: config.projection_dim };
    },
  },
  siglip: {
    open: SiglipModel.fromFiles,
    parse(json, source) {
      const config = parseSiglipConfig(json, source);
      return { config, projection: sharedWidth(config) };
    },
  },
  open_clip: {
    open: (files, options) => openTowers(files, options, OPEN_CLIP),
    parse(json, source, stored) {
      const { config, warnings } = describeOpenClip(json, source, stored);
      return { config, projection: config.projection_dim, warnings };
    },
  },
  'vision-text-dual-encoder': SEPARATE,
  chinese_clip: SEPARATE,
  siglip2: {
    open: (files, options) => openTowers(files, options, NAFLEX),
    parse(json, source) {
      const { config } = describeNaflex(json, source);
      return { config, projection: config.projection_dim };
    },
  },
};

/** The kinds of models: those that compare images with texts, and those that answer. */
export type ModelKind = 'dual-encoder' | 'llava' | 'llava-mini';

/** The kind of every `model_type` that Narrows runs. */
const KINDS: ReadonlyMap<string, ModelKind> = new Map([
  ...Object.keys(MODELS).map((type): [string, ModelKind] => [type, 'dual-encoder']),
  ...ANSWERING_TYPES.map((type): [string, ModelKind] => [type, 'llava']),
  ['llava_mini', 'llava-mini'],
  ['llava_mini_llama', 'llava-mini'],
]);

/** The names of `config.json`'s model_type that can be run: by `loadModel`, or, where they answer, by `openLlava`. */
export const MODEL_TYPES: readonly string[] = [...KINDS.keys()];

/** What a config describes. @throws NarrowsError, in one sentence that names those known, where its model_type is none of `MODEL_TYPES` */
export function modelKind(config: Readonly<Record<string, unknown>>, source: string): ModelKind {
  const type = config.model_type;
  if (isOriginalLlava(config)) throw originalLlavaError(source);
  if (type === 'clip_vision_model' || type === 'clip_text_model')
    throw new NarrowsError(
      `${source} is of model_type "${type}", one tower of a CLIP by itself; join both with: narrows models convert IMAGE_TOWER --text-tower TEXT_TOWER --output DIR.`,
    );
  const kind = typeof type === 'string' ? KINDS.get(type) : undefined;
  if (kind) return kind;
  const given = type === undefined ? 'has no model_type' : `is of model_type ${JSON.stringify(type)}`;
  throw new NarrowsError(
    `${source} ${given}; Narrows runs ${MODEL_TYPES.join(', ')} (CLIP, SigLIP, SigLIP 2, OpenCLIP's layout, dual encoders, Chinese-CLIP, LLaVA, LLaVA-NeXT, LLaVA-OneVision, LLaVA-Mini, SmolVLM, Qwen2-VL, Qwen2.5-VL).`,
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
export const parseKnownConfig = (
  json: Readonly<Record<string, unknown>>,
  source: string,
  stored: ReadonlyMap<string, TensorEntry> = new Map(),
): KnownConfig => MODELS[dualEncoderType(json, source)].parse(json, source, stored);

/**
 * Opens a checkpoint in Hugging Face's format: CLIP, SigLIP, or SigLIP 2 of fixed resolution. (By a name or a directory: `loadModel` of
 * models/pretrained.ts.)
 * @throws NarrowsError for another model_type, missing or mis-shaped tensors, only pickled weights
 */
export async function openModel(files: ModelFiles, options: OpenOptions): Promise<DualEncoderModel> {
  const type = dualEncoderType(await readConfigFrom(files), fileIn(files, 'config.json'));
  return MODELS[type].open(files, options);
}
