/** @file OpenCLIP's layout as a family of two towers: which kinds they are, and where each tensor stands. */
import { readJsonFrom } from '../../checkpoints/config.ts';
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import { openClipProcessorConfig } from '../../inputs/image/open-clip-rules.ts';
import { ImageProcessor } from '../../inputs/image/processor.ts';
import type { ModelFiles } from '../../system/model-files.ts';
import { BERT_TYPES } from '../bert/config.ts';
import { anotherSize } from '../load-parts.ts';
import type { OpenedTowers, TowersFamily } from '../towers/load.ts';
import { type OpenClipConfig, parseOpenClipConfig } from './config.ts';
import { hfText } from './hf-text.ts';
import { plainText, plainVision } from './plain-towers.ts';
import { timmVision } from './timm-tower.ts';
import { openClipTokenizer } from './tokenizer.ts';

/** An OpenCLIP's model, with the config it was read from. */
export interface OpenedOpenClip extends OpenedTowers {
  readonly source: OpenClipConfig;
}

/**
 * @param json of open_clip_config.json @param stored the weights' tensors @param bert the config.json of the text tower, where it stands beside
 * @throws NarrowsError as `parseOpenClipConfig`, or for towers that are not computed
 */
export function describeOpenClip(
  json: unknown,
  file: string,
  stored: ReadonlyMap<string, TensorEntry>,
  bert?: Readonly<Record<string, unknown>>,
): OpenedOpenClip {
  const source = parseOpenClipConfig(json, file);
  const { vision_cfg, text_cfg, embed_dim, init_logit_bias } = source.model_cfg;
  const image = vision_cfg.timm_model_name ? timmVision(source, file, stored) : plainVision(source, file);
  const text = text_cfg.hf_model_name ? hfText(source, file, stored, bert) : plainText(source, file, stored);
  return {
    source,
    config: {
      model_type: 'open_clip',
      projection_dim: embed_dim,
      vision_config: image.spec,
      text_config: text.spec,
      logit_bias: typeof init_logit_bias === 'number',
    },
    where: name =>
      name.startsWith('logit_') ? { name } : /^(vision_model|visual_projection)\b/.test(name) ? image.where(name) : text.where(name),
    warnings: [...(image.warnings ?? []), ...(text.warnings ?? [])],
    // What a timm tower or a plain one has beyond its name computes something else.
    strict: /^visual\.(?!trunk\.(head|fc_norm|attn_pool)\.)/,
  };
}

/** The config.json of a BERT next to open_clip_config.json. */
async function bertBeside(files: ModelFiles): Promise<Record<string, unknown> | undefined> {
  if (!(await files.list()).includes('config.json')) return undefined;
  const json = await readJsonFrom(files, 'config.json');
  const type = (json as { model_type?: unknown } | null)?.model_type;
  return typeof type === 'string' && BERT_TYPES.includes(type) ? (json as Record<string, unknown>) : undefined;
}

/** OpenCLIP: LAION's, DFN's, MetaCLIP's and SigLIP's in its layout, BiomedCLIP. */
export const OPEN_CLIP: TowersFamily<OpenedOpenClip> = {
  file: 'open_clip_config.json',
  open: async (json, file, stored, files) => describeOpenClip(json, file, stored, await bertBeside(files)),
  async processor({ config, source }) {
    const { image_size: size } = config.vision_config;
    const rules = openClipProcessorConfig(source.preprocess_cfg, size);
    return new ImageProcessor(rules, { size, remedy: edge => anotherSize('open_clip_config.json', size, edge) });
  },
  tokenizer: (files, { source }) => openClipTokenizer(files, source.model_cfg.text_cfg),
  complete({ config, source }, tokenizer) {
    const strip = source.model_cfg.text_cfg.tokenizer_kwargs?.strip_sep_token === true;
    const from = strip ? (tokenizer.idOf('[SEP]') ?? tokenizer.idOf('</s>')) : undefined;
    return from === undefined ? config : { ...config, text_config: { ...config.text_config, replaced_id: { from, to: 0 } } };
  },
};
