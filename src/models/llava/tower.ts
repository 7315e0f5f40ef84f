/** @file LLaVA's own way from pixels to image features: the tower's hidden states, and the projector's two layers. */
import { ACTIVATIONS, concat, scope, slice, type Value } from '../../graph/index.ts';
import { project } from '../../nn/attention.ts';
import { encode } from '../../nn/encoder.ts';
import type { Parameters } from '../../nn/parameters.ts';
import { embedPixels as embedClipPixels } from '../clip/vision.ts';
import type { SiglipVisionConfig } from '../siglip/config.ts';
import { embedPixels as embedSiglipPixels } from '../siglip/vision.ts';
import { featureLayers, type LlavaConfig } from './config.ts';

/**
 * Pixels [I, C, S, S] -> what the projector reads [I, N, width of the tower × layers]: the hidden states that `vision_feature_layer` names,
 * side by side, without the first token where the strategy is `default` (as transformers does for every tower).
 */
export function llavaTower(p: Parameters, config: LlavaConfig, pixels: Value): Value {
  const vision = config.vision_config;
  const layers = featureLayers(config);
  const states = scope('model.vision_tower.vision_model', () => {
    const tower = p.in('model.vision_tower.vision_model');
    const embedded =
      vision.model_type === 'clip_vision_model'
        ? embedClipPixels(tower, vision, pixels)
        : embedSiglipPixels(tower, vision as SiglipVisionConfig, pixels);
    const { hidden } = encode(tower, vision, embedded, { to: Math.max(...layers) });
    return layers.map(layer => (config.vision_feature_select_strategy === 'default' ? slice(hidden[layer], 1, 1) : hidden[layer]));
  });
  return concat(states, -1);
}

/** Features of the tower [I, N, ...] through the projector's two layers -> [I, N, width of the decoder]. */
export function llavaProjector(p: Parameters, config: LlavaConfig, features: Value): Value {
  return scope('model.multi_modal_projector', () => {
    const projector = p.in('model.multi_modal_projector');
    const width = config.text_config.hidden_size;
    const bias = config.multimodal_projector_bias;
    const inner = ACTIVATIONS[config.projector_hidden_act](project(projector, 'linear_1', features, width, bias));
    return project(projector, 'linear_2', inner, width, bias);
  });
}
