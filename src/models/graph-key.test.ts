import { describe, expect, it } from 'vitest';
import { floats, ints } from '../tensor/tensor.ts';
import { type GraphJob, graphKey } from './graph-key.ts';

const zeros = (...shape: number[]) => floats(shape, new Float32Array(shape.reduce((a, b) => a * b)));
const target = { form: 'linear', scale: 1, vectors: { shape: [2, 1, 8] } };
const image: GraphJob = { modality: 'image', layer: 1, inputs: { pixel_values: zeros(2, 3, 32, 32) }, hidden: zeros(2, 17, 16), target };
const text: GraphJob = {
  modality: 'text',
  layer: 1,
  inputs: { input_ids: ints([2, 5], new Int32Array(10)) },
  hidden: zeros(2, 5, 16),
  target,
};

describe('graphKey', () => {
  it('is the same for any number of pairs, and for texts of any length', () => {
    const three = { ...image, inputs: { pixel_values: zeros(3, 3, 32, 32) }, hidden: zeros(3, 17, 16) };
    expect(graphKey('x', { ...three, target: { ...target, vectors: { shape: [3, 1, 8] } } })).toBe(graphKey('x', image));
    const longer = { ...text, inputs: { input_ids: ints([2, 9], new Int32Array(18)) }, hidden: zeros(2, 9, 16) };
    expect(graphKey('x', longer)).toBe(graphKey('x', text));
  });

  it('differs with everything that is compiled in', () => {
    const mask = ints([2, 5], new Int32Array(10));
    const others = [
      graphKey('y', image),
      graphKey('x', text),
      graphKey('x', { ...image, layer: 2 }),
      graphKey('x', { ...image, hidden: zeros(2, 26, 16) }),
      graphKey('x', { ...image, grid: [4, 4] }),
      // As many patches of another form.
      graphKey('x', { ...image, inputs: { pixel_values: zeros(2, 3, 16, 64) } }),
      graphKey('x', { ...text, inputs: { ...text.inputs, attention_mask: mask } }),
      graphKey('x', { ...image, target: undefined }),
      graphKey('x', { ...image, target: { ...target, form: 'log-probability' } }),
      graphKey('x', { ...image, target: { ...target, scale: 100 } }),
      graphKey('x', { ...image, target: { ...target, vectors: { shape: [2, 4, 8] } } }),
      graphKey('x', image, { samples: 4 }),
      graphKey('x', image, { samples: 5 }),
    ];
    expect(new Set([graphKey('x', image), ...others]).size).toBe(others.length + 1);
  });
});
