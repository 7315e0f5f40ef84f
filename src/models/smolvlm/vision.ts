/** @file SmolVLM from tiles to image tokens (SmolVLMVisionTransformer and SmolVLMConnector of transformers). */
import { mulDims, reshape, scope, transpose, type Value } from '../../graph/index.ts';
import { project } from '../../nn/attention.ts';
import { encode, normLayer } from '../../nn/encoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import type { LlavaConfig } from '../llava/config.ts';
import { gridSize } from '../model-config.ts';
import type { SiglipVisionConfig } from '../siglip/config.ts';
import { embedPixels } from '../siglip/vision.ts';
import { scaleFactor } from './config.ts';

/** Image tokens of a tile along one edge. */
export const tileSide = (config: LlavaConfig): number => gridSize(config.vision_config) / scaleFactor(config);

/**
 * Tiles [T, C, S, S] -> [T, N, width]: SigLIP's blocks and last norm. Every tile is a whole square, so patch (i, j) has position (i, j), as
 * in transformers up to 4.54 and in its 16-bit runs; its float32 runs from 4.55 on number rows and columns one too low (issue 41190 there).
 */
export function smolvlmTower(p: Parameters, config: LlavaConfig, pixels: Value): Value {
  const vision = config.vision_config as SiglipVisionConfig;
  return scope('model.vision_tower.vision_model', () => {
    const tower = p.in('model.vision_tower.vision_model');
    const { hidden } = encode(tower, vision, embedPixels(tower, vision, pixels));
    return normLayer(tower, 'post_layernorm', hidden.at(-1)!, vision.layer_norm_eps);
  });
}

/**
 * Pixel shuffle: squares of f × f patches side by side in one row, [T, N, D] -> [T, N/f², f²·D], rows of the square one after the other;
 * then one linear layer without bias.
 * @returns [T·N/f², 1, width of the decoder]
 */
export function smolvlmProjector(p: Parameters, config: LlavaConfig, features: Value): Value {
  const factor = scaleFactor(config);
  const side = tileSide(config);
  const { hidden_size: narrow } = config.vision_config;
  const { hidden_size: width } = config.text_config;
  return scope('model.multi_modal_projector', () => {
    const [tiles] = features.shape;
    const rows = mulDims([tiles, side * side]);
    const split = reshape(features, [tiles, side, factor, side, factor * narrow]);
    const shuffled = reshape(transpose(split, [0, 1, 3, 2, 4]), [rows, 1, factor * factor * narrow]);
    return project(p.in('model.multi_modal_projector'), 'proj', shuffled, width, false);
  });
}
