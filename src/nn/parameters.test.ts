import { describe, expect, it } from 'vitest';
import type { TensorEntry } from '../checkpoints/safetensors.ts';
import { compile, input, mul, sum } from '../graph/index.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { NarrowsError } from '../system/errors.ts';
import { floats } from '../tensor/tensor.ts';
import { frozenParameters, loadReport, Parameters, reportSentence, trainableParameters } from './parameters.ts';

const entry = (name: string, shape: readonly number[]): TensorEntry => ({
  name,
  shape,
  dtype: 'float32',
  stored: 'F32',
  file: '/weights.safetensors',
  offset: 8,
  length: 4 * shape.reduce((a, b) => a * b, 1),
  read: async (_, length) => new Uint8Array(length),
});
const entries = (...list: [string, number[]][]): Map<string, TensorEntry> => new Map(list.map(([n, s]) => [n, entry(n, s)]));

describe('Parameters', () => {
  it('asks its source for full names, once', () => {
    const asked: string[] = [];
    const p = new Parameters((name, shape) => {
      asked.push(`${name}${JSON.stringify(shape)}`);
      return input(name, shape);
    });
    const inner = p.in('vision_model').in('encoder.layers.0');
    const value = inner.get('mlp.fc1.weight', [4, 2]);
    expect(p.in('vision_model.encoder.layers.0').get('mlp.fc1.weight', [4, 2])).toBe(value);
    expect(p.get('logit_scale', [])).not.toBe(value);
    expect(asked).toEqual(['vision_model.encoder.layers.0.mlp.fc1.weight[4,2]', 'logit_scale[]']);
    expect([...inner.all.keys()]).toEqual(['vision_model.encoder.layers.0.mlp.fc1.weight', 'logit_scale']);
    expect(inner.all).toBe(p.all);
  });

  it('trainable: graph inputs with the names of the tensors', async () => {
    const p = trainableParameters();
    const runtime = nodeRuntime({ threads: 1 });
    await using graph = await compile(runtime, { y: sum(mul(p.in('a').get('w', [2]), p.get('b', []))) });
    expect(graph.inputNames.toSorted()).toEqual(['a.w', 'b']);
    const { y } = await graph.run({ 'a.w': floats([2], [1, 2]), b: floats([], [3]) });
    expect(y.data[0]).toBe(9);
    await runtime.release();
  });

  it('frozen: one sentence for a tensor that is missing or of another shape', () => {
    const p = frozenParameters(entries(['a.w', [2, 3]]), 'DIR');
    expect(p.in('a').get('w', [2, 3]).shape).toEqual([2, 3]);
    expect(() => p.get('a.v', [2])).toThrow(NarrowsError);
    expect(() => p.get('a.v', [2])).toThrow('The checkpoint DIR has no tensor "a.v"; is it of another architecture, or incomplete?');
    const other = frozenParameters(entries(['a.w', [2, 3]]), 'DIR');
    expect(() => other.get('a.w', [3, 2])).toThrow('The tensor "a.w" of DIR has shape [2, 3], but config.json asks for [3, 2].');
    expect(() => other.get('a.w', [6])).toThrow(NarrowsError);
  });
});

describe('loadReport', () => {
  const wanted = new Map([
    ['a.w', { shape: [2, 3] }],
    ['a.b', { shape: [2] }],
    ['s', { shape: [] }],
  ]);

  it('is empty for a perfect fit, old buffers aside', () => {
    const report = loadReport(
      wanted,
      entries(['a.w', [2, 3]], ['a.b', [2]], ['s', []], ['a.position_ids', [1, 7]], ['r.rotary_emb.inv_freq', [4]]),
    );
    expect(report).toEqual({ missing: [], unexpected: [], misshaped: [] });
    expect(reportSentence(report, 'DIR')).toBeUndefined();
  });

  it('names what is missing, unexpected and mis-shaped', () => {
    const report = loadReport(wanted, entries(['a.w', [3, 2]], ['s', [1]], ['c', [1]], ['my_position_ids', [1]]));
    expect(report).toEqual({
      missing: ['a.b'],
      unexpected: ['c', 'my_position_ids'],
      misshaped: [
        { name: 'a.w', expected: [2, 3], actual: [3, 2] },
        { name: 's', expected: [], actual: [1] },
      ],
    });
    expect(reportSentence(report, 'DIR')).toBe(
      'The tensor "a.w" of DIR has shape [3, 2], but config.json asks for [2, 3] (and 1 more); the weights and the config do not belong together.',
    );
  });

  it('counts what is missing, and is content with only unexpected tensors', () => {
    const missing = (names: string[]) => reportSentence({ missing: names, unexpected: ['x'], misshaped: [] }, 'DIR');
    expect(missing([])).toBeUndefined();
    expect(missing(['a'])).toBe('DIR lacks 1 tensor (a); the file is incomplete or of another architecture.');
    expect(missing(['a', 'b', 'c', 'd', 'e'])).toBe(
      'DIR lacks 5 tensors (a, b, c and 2 more); the file is incomplete or of another architecture.',
    );
  });
});
