/** @file Dual encoders of an image tower and a BERT as families of two towers: VisionTextDualEncoderModel, ChineseCLIPModel. */
import { openImageProcessor } from '../../inputs/image/image-rules.ts';
import type { ModelFiles } from '../../system/model-files.ts';
import { bertName, bertSpec } from '../bert/tower.ts';
import { anotherSize } from '../load-parts.ts';
import type { OpenedTowers, TowersFamily } from '../towers/load.ts';
import type { HeadStep } from '../towers/spec.ts';
import { parseSeparateTowers } from './config.ts';
import { separateVision } from './towers.ts';

/** @throws NarrowsError as `parseSeparateTowers` */
export function describeSeparateTowers(json: Readonly<Record<string, unknown>>, file: string): OpenedTowers {
  const source = parseSeparateTowers(json, file);
  const { projection_dim: out, text_config: bert } = source;
  const image = separateVision(source.vision_config, out, file);
  // transformers projects BERT's pooler of the [CLS] token; Chinese-CLIP projects the token itself.
  const pooler: HeadStep = { name: 'text_pooler', out: bert.hidden_size, bias: true, activation: 'tanh' };
  const projection: HeadStep = { name: 'text_projection', out, bias: false };
  const tower = bertName('text_model.');
  return {
    config: {
      model_type: source.model_type,
      projection_dim: out,
      vision_config: image.spec,
      text_config: bertSpec(bert, { head: source.model_type === 'chinese_clip' ? [projection] : [pooler, projection] }),
      logit_bias: false,
    },
    where(name) {
      if (/^(vision_model|visual_)/.test(name)) return image.where(name);
      if (name.startsWith('text_pooler.')) return { name: `text_model.pooler.dense.${name.slice('text_pooler.'.length)}` };
      return name.startsWith('text_model.') ? tower(name.slice('text_model.'.length)) : { name };
    },
    warnings: [],
  };
}

/** The image processor class of a directory that names none. */
export const separateProcessor = (modelType: string, vision: string): string =>
  modelType === 'chinese_clip' ? 'ChineseCLIPImageProcessor' : vision === 'vit' ? 'ViTImageProcessor' : 'CLIPImageProcessor';

/** VisionTextDualEncoderModel and ChineseCLIPModel. */
export const SEPARATE_TOWERS: TowersFamily = {
  file: 'config.json',
  open: describeSeparateTowers,
  processor({ config }, files: ModelFiles, onWarning) {
    const { image_size: size, patch_bias } = config.vision_config;
    const type = separateProcessor(config.model_type, patch_bias ? 'vit' : 'clip');
    return openImageProcessor(files, { type, size }, { onWarning, remedy: file => edge => anotherSize(file, size, edge) });
  },
};
