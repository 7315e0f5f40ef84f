/** @file Tensors under other names or shapes of one element find their places; absurd numbers of blocks are refused before any tracing. */
import { describe, expect, it } from 'vitest';
import type { TensorEntry } from '../checkpoints/safetensors.ts';
import { fitEntries, requireBlocks, unreadSentence } from './fit-entries.ts';

const entry = (name: string, shape: number[]): TensorEntry => ({
  name,
  dtype: 'float32',
  stored: 'F32',
  shape,
  file: 'f',
  offset: 0,
  length: 4,
  read: async (_, length) => new Uint8Array(length),
});
const stored = (shapes: Record<string, number[]>): Map<string, TensorEntry> =>
  new Map(Object.entries(shapes).map(([name, shape]) => [name, entry(name, shape)]));
const wanted = new Map([
  ['a.weight', { shape: [2, 3] }],
  ['scale', { shape: [] }],
]);
const fitted = (shapes: Record<string, number[]>) => {
  const warnings: string[] = [];
  const out = fitEntries(wanted, stored(shapes), 'clip', w => warnings.push(w));
  return { shapes: Object.fromEntries([...out].map(([name, e]) => [name, e.shape])), warnings, out };
};

describe('fitEntries', () => {
  it('leaves what fits', () => {
    expect(fitted({ 'a.weight': [2, 3], scale: [], extra: [1] })).toMatchObject({
      shapes: { 'a.weight': [2, 3], scale: [], extra: [1] },
      warnings: [],
    });
  });
  it.each([[[1]], [[1, 1]]])('takes one element of shape %j as a scalar, and nothing larger', shape => {
    expect(fitted({ 'a.weight': [2, 3], scale: shape }).shapes.scale).toEqual([]);
    expect(fitted({ 'a.weight': [6], scale: [2] }).shapes).toEqual({ 'a.weight': [6], scale: [2] });
  });
  it("takes transformers' prefix off without a word, another one with its name", () => {
    expect(fitted({ 'clip.a.weight': [2, 3], 'clip.scale': [1] })).toMatchObject({
      shapes: { 'a.weight': [2, 3], scale: [] },
      warnings: [],
    });
    const { shapes, warnings } = fitted({ 'module.a.weight': [2, 3], 'module.scale': [1], other: [4] });
    expect(shapes).toEqual({ 'a.weight': [2, 3], scale: [], other: [4] });
    expect(warnings).toEqual([expect.stringContaining('begin with "module."')]);
  });
  it('takes off no prefix that completes nothing', () => {
    expect(Object.keys(fitted({ 'clip.a.weight': [2, 3] }).shapes)).toEqual(['clip.a.weight']);
  });
  it('keeps the error of a type that cannot be read', () => {
    const odd = Object.defineProperty({ ...entry('scale', [1]) }, 'dtype', {
      get: () => {
        throw new Error('type F8');
      },
    });
    const out = fitEntries(wanted, new Map([['scale', odd as TensorEntry]]), 'clip');
    expect(out.get('scale')!.shape).toEqual([]);
    expect(() => out.get('scale')!.dtype).toThrow('type F8');
  });
});

it('more blocks than tensors are refused with the key', () => {
  const entries = stored({ a: [1], b: [1] });
  expect(() => requireBlocks({ x: 2 }, entries, 'DIR')).not.toThrow();
  expect(() => requireBlocks({ x: 1, 'vision_config.num_hidden_layers': 2 ** 31 }, entries, 'DIR')).toThrow(
    'config.json of DIR asks for 2147483648 blocks (vision_config.num_hidden_layers), but its weights have only 2 tensors',
  );
});

it('what is not read is named', () => {
  expect(unreadSentence([], 'DIR')).toBeUndefined();
  expect(unreadSentence(['a'], 'DIR')).toContain('1 tensor of DIR is ignored (a)');
  expect(unreadSentence(['a', 'b', 'c', 'd'], 'DIR')).toContain('4 tensors of DIR are ignored (a, b, c and 1 more)');
});
