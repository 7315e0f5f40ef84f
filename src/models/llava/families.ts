/** @file The families by the `model_type` of their config.json; a LLaVA (and a LLaVA-Mini) has none of them. */
import { llavaNext, llavaOnevision } from '../llava-next/family.ts';
import { qwen2Vl, qwen25Vl } from '../qwen2-vl/family.ts';
import { smolvlm } from '../smolvlm/family.ts';
import type { LlavaConfig } from './config.ts';
import type { PictureFamily } from './family.ts';

const FAMILIES: Readonly<Record<string, PictureFamily>> = {
  idefics3: smolvlm,
  smolvlm,
  llava_next: llavaNext,
  llava_onevision: llavaOnevision,
  qwen2_vl: qwen2Vl,
  qwen2_5_vl: qwen25Vl,
};

/** The family of a config; undefined for LLaVA's own. */
export const familyOf = ({ model_type: type }: Pick<LlavaConfig, 'model_type'>): PictureFamily | undefined =>
  Object.hasOwn(FAMILIES, type) ? FAMILIES[type] : undefined;
