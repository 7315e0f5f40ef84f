/** @file Pictures as means over a vision tower's patches, at the output of its last block (mllmshift-emi: CLIP's, before the last norm). */
import { type CompiledGraph, compile, mean } from '../../graph/index.ts';
import { stackImages } from '../../inputs/image/processor.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import type { DualEncoder } from '../../models/dual-encoder.ts';
import { featureLayers } from '../../models/llava/config.ts';
import { familyOf } from '../../models/llava/families.ts';
import { pixelInput } from '../../models/llava/files.ts';
import { towerFeatures } from '../../models/llava/forward.ts';
import type { LlavaParts } from '../../models/llava/load.ts';
import { processImage } from '../../models/process-image.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import { rowsOf } from './vectors.ts';

/** Embeds pictures. */
export interface PictureEncoder {
  /** What it is, in words: `patches of scene-llava's vision tower after block 5`. */
  readonly name: string;
  readonly width: number;
  /** One row per picture, not normalised. */
  embed(images: readonly RgbImage[]): Promise<readonly Float64Array[]>;
}

/** Pictures that go through a tower together. */
const BATCH = 16;

async function inBatches(
  images: readonly RgbImage[],
  run: (batch: readonly RgbImage[]) => Promise<readonly Float64Array[]>,
): Promise<readonly Float64Array[]> {
  const rows: Float64Array[] = [];
  for (let at = 0; at < images.length; at += BATCH) rows.push(...(await run(images.slice(at, at + BATCH))));
  return rows;
}

/** The tower of a model that compares images with texts. */
export function dualPictures(model: DualEncoder): PictureEncoder {
  const { layers, width, prefixTokens } = model.image;
  return {
    name: `patches of ${model.name}'s image tower after block ${layers - 1}`,
    width,
    embed: images =>
      inBatches(images, async batch => {
        const pixels = stackImages(batch.map(image => processImage(model, image).pixelValues));
        const { hidden } = await model.runTower(model.image, model.imageInputs(pixels), layers - 1);
        return patchMeans(hidden, prefixTokens);
      }),
  };
}

function patchMeans({ shape: [count, tokens, width], data }: FloatTensor, prefix: number): Float64Array[] {
  return Array.from({ length: count }, (_, b) => {
    const out = new Float64Array(width);
    for (let t = prefix; t < tokens; t++) for (let k = 0; k < width; k++) out[k] += data[(b * tokens + t) * width + k];
    return out.map(v => v / (tokens - prefix));
  });
}

/**
 * A LLaVA's own tower, at the deepest block that the LLaVA reads; blocks behind it are never run. Another family's sees one square of each
 * picture. Release `graph` when done. @throws NarrowsError for a tower without squares
 */
export async function llavaPictures(parts: LlavaParts): Promise<PictureEncoder & { readonly graph: CompiledGraph }> {
  const { config, parameters, processor, runtime, name } = parts;
  const family = familyOf(config);
  if (family && !family.tiled)
    throw new NarrowsError(
      `${name} is a ${family.title}, whose tower takes patches of a picture of any size, so that it gives no features of one length; take the image tower of a CLIP or a SigLIP.`,
      { kind: 'usage' },
    );
  const deepest = Math.max(...featureLayers(config));
  const strategy = config.vision_config.model_type === 'clip_vision_model' ? 'default' : 'full';
  const one = { ...config, vision_feature_layer: deepest, vision_feature_select_strategy: strategy } as typeof config;
  const graph = await compile(runtime, { pooled: mean(towerFeatures(parameters, one, pixelInput(config)), 1) });
  const last = config.vision_config.num_hidden_layers;
  const where =
    deepest === 0 ? 'at its embeddings' : `after block ${deepest - 1}${deepest < last ? ` of ${last}, the last that it reads` : ''}`;
  return {
    graph,
    name: `patches of ${name}'s vision tower ${where}`,
    width: config.vision_config.hidden_size,
    embed: images =>
      inBatches(images, async batch => {
        const pixels = stackImages(batch.map(image => processor.process(image).pixelValues));
        const { pooled } = await graph.run({ pixel_values: pixels });
        return rowsOf(pooled).map(row => Float64Array.from(row));
      }),
  };
}
