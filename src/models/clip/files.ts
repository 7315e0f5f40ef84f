/** @file What tensors a CLIP's config asks for. */
import { input, type Value } from '../../graph/index.ts';
import { type Parameters, trainableParameters } from '../../nn/parameters.ts';
import type { CLIPConfig } from './config.ts';
import { similarity, textTower, visionTower } from './forward.ts';

/** Every tensor of a CLIP with this config, by name, found by tracing the model. */
export function wantedTensors(config: CLIPConfig): ReadonlyMap<string, Value> {
  const p: Parameters = trainableParameters();
  const { num_channels: channels, image_size: size } = config.vision_config;
  const image = visionTower(p, config, input('pixel_values', ['batch', channels, size, size]));
  const text = textTower(p, config, input('input_ids', ['batch', 'seq'], 'int32'), input('eos', ['batch'], 'int32'));
  similarity(p, image, text);
  return p.all;
}
