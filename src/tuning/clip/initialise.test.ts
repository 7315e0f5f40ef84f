import { expect, it } from 'vitest';
import type { CLIPConfig } from '../../models/clip/config.ts';
import { initialiseCLIP } from './initialise.ts';

const config = {
  vision_config: { hidden_size: 64, num_hidden_layers: 6 },
  text_config: { hidden_size: 16, num_hidden_layers: 2 },
  logit_scale_init_value: 2.6592,
} as CLIPConfig;

/** The root of the mean square of a fresh tensor of 20 000 values. */
function spread(name: string, seed = 1): number {
  const [{ data }] = initialiseCLIP(config, new Map([[name, { shape: [200, 100] }]]), seed);
  return Math.sqrt(data.reduce((sum, v) => sum + v * v, 0) / data.length);
}

it.each([
  // transformers, factor 1: width^-1/2 (2 L)^-1/2 for what leads back into the residual stream, and for queries, keys and values.
  ['vision_model.encoder.layers.0.self_attn.q_proj.weight', 1 / Math.sqrt(64 * 12)],
  ['vision_model.encoder.layers.0.self_attn.k_proj.weight', 1 / Math.sqrt(64 * 12)],
  ['vision_model.encoder.layers.5.mlp.fc2.weight', 1 / Math.sqrt(64 * 12)],
  ['text_model.encoder.layers.1.self_attn.v_proj.weight', 1 / Math.sqrt(16 * 4)],
  ['vision_model.encoder.layers.0.mlp.fc1.weight', 1 / Math.sqrt(2 * 64)],
  ['text_model.encoder.layers.0.mlp.fc1.weight', 1 / Math.sqrt(2 * 16)],
  ['vision_model.encoder.layers.0.self_attn.out_proj.weight', 1 / Math.sqrt(64)],
  ['text_projection.weight', 1 / Math.sqrt(16)],
  ['visual_projection.weight', 1 / Math.sqrt(64)],
  ['vision_model.embeddings.class_embedding', 1 / Math.sqrt(64)],
  ['vision_model.embeddings.patch_embedding.weight', 0.02],
  ['vision_model.embeddings.position_embedding.weight', 0.02],
  ['text_model.embeddings.token_embedding.weight', 0.02],
])('%s begins with a standard deviation of %f', (name, std) => {
  expect(spread(name) / std).toBeGreaterThan(0.97);
  expect(spread(name) / std).toBeLessThan(1.03);
});

it('norms begin with one, biases with zero, the scale with what the config says', () => {
  const names = [
    'text_model.encoder.layers.0.layer_norm1.weight',
    'vision_model.pre_layrnorm.weight',
    'text_model.final_layer_norm.weight',
  ];
  const biases = ['vision_model.encoder.layers.0.self_attn.q_proj.bias', 'vision_model.pre_layrnorm.bias'];
  const all = new Map([...names, ...biases, 'logit_scale'].map(name => [name, { shape: [2] }]));
  const values = initialiseCLIP(config, all, 1).map(({ data }) => [...data]);
  expect(values.slice(0, 3)).toEqual(Array(3).fill([1, 1]));
  expect(values.slice(3, 5)).toEqual(Array(2).fill([0, 0]));
  expect(values[5][0]).toBeCloseTo(2.6592, 6);
});

it('depends on name and seed', () => {
  const first = (name: string, seed: number): number => initialiseCLIP(config, new Map([[name, { shape: [4] }]]), seed)[0].data[0];
  expect(first('a.fc1.weight', 1)).toBe(first('a.fc1.weight', 1));
  expect(new Set([first('a.fc1.weight', 1), first('b.fc1.weight', 1), first('a.fc1.weight', 2)]).size).toBe(3);
});
