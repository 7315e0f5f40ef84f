/** @file Training a small LLaVA on conversations about the built-in scenes. */
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import { type CompiledGraph, compile } from '../../graph/index.ts';
import { ImageProcessor } from '../../inputs/image/processor.ts';
import { imageTokens, type LlavaConfig, towerWidth } from '../../models/llava/config.ts';
import { pixelInput } from '../../models/llava/files.ts';
import { towerFeatures } from '../../models/llava/forward.ts';
import { frozenParameters } from '../../nn/parameters.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { TASKS } from '../../scenes/instructions.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { writePatches } from '../clip/batch.ts';
import { encodeTurns } from './scene-batch.ts';
import type { ExamResult, ExamRow, SceneExam } from './scene-eval.ts';
import type { LlavaSource } from './source.ts';

/** A tower, and how images are prepared for it. */
export interface TowerSource {
  readonly config: LlavaConfig;
  /** Its tensors, among others, by their names in memory. */
  readonly tower: ReadonlyMap<string, TensorEntry>;
  readonly imageMean: readonly number[];
  readonly imageStd: readonly number[];
}

/** The tower of a LLaVA that training starts from. */
export function towerOf({ config, entries, preprocessor }: LlavaSource): TowerSource {
  const { image_mean: imageMean, image_std: imageStd } = ImageProcessor.fromConfig(preprocessor).config;
  return { config, tower: entries, imageMean, imageStd };
}

/** Only the tower, over its frozen weights: `pixel_values` -> `tower_features`. */
export function compileTower(runtime: Runtime, { config, tower }: TowerSource): Promise<CompiledGraph> {
  const p = frozenParameters(tower, 'the vision tower');
  return compile(runtime, { tower_features: towerFeatures(p, config, pixelInput(config)) });
}

/** Features of RGB images [size × size × 3], [images, N, width of the tower]. */
export async function encodeImages(
  tower: CompiledGraph,
  source: TowerSource,
  images: readonly Uint8Array[],
  batchSize = 32,
): Promise<FloatTensor> {
  const { image_size: size } = source.config.vision_config;
  const width = towerWidth(source.config);
  const tokens = imageTokens(source.config);
  const features = new Float32Array(images.length * tokens * width);
  const format = { imageSize: size, patchSize: size, imageMean: source.imageMean, imageStd: source.imageStd };
  for (let at = 0; at < images.length; at += batchSize) {
    const batch = images.slice(at, at + batchSize);
    const pixels = new Float32Array(batch.length * 3 * size * size);
    for (const [b, image] of batch.entries()) writePatches(image, format, [0], pixels, b * 3 * size * size);
    const out = await tower.run({ pixel_values: floats([batch.length, 3, size, size], pixels) });
    features.set(out.tower_features.data as Float32Array, at * tokens * width);
  }
  return floats([images.length, tokens, width], features);
}

/** The exam's items as token rows, by the scenes' own words. */
export const examRows = (exam: SceneExam, config: LlavaConfig): ExamRow[] =>
  exam.items.map(({ scene, instruction }) => ({ scene, ...encodeTurns([instruction], imageTokens(config)) }));

/** Share of exactly right answers by task, over the closed tasks together (`accuracy`: all but captions), and of captions' tokens. */
export function accuracies(exam: SceneExam, { correct, tokenAccuracy }: ExamResult): Record<string, number> {
  const out: Record<string, number> = {};
  for (const task of TASKS) {
    const of = exam.items.flatMap(({ instruction }, i) => (instruction.task === task ? [correct[i]] : []));
    if (of.length) out[task] = of.filter(Boolean).length / of.length;
  }
  const isCaption = exam.items.map(({ instruction }) => instruction.task === 'caption');
  const closed = correct.filter((_, i) => !isCaption[i]);
  const captions = tokenAccuracy.filter((_, i) => isCaption[i]);
  return { accuracy: mean(closed.map(Number)), ...out, ...(captions.length ? { caption_tokens: mean(captions) } : {}) };
}
