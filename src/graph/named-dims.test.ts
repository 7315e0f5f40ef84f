/** @file One compiled graph for many sizes: named dimensions through every op that changes shapes, forward and backward. */
import { afterAll, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../runtime/node.ts';
import { expectClose } from '../testing/close.ts';
import { at, from, type Plain, plain, reduce, total, uniform, zip } from '../testing/plain.ts';
import { addDims, canonicalDim, mulDims, showShape } from './dims.ts';
import {
  add,
  broadcastTo,
  cast,
  causalMask,
  compile,
  concat,
  type Dim,
  fill,
  gather,
  grad,
  input,
  iota,
  linear,
  matmul,
  max,
  mean,
  mul,
  patchify,
  repeatHeads,
  reshape,
  size,
  slice,
  softmax,
  sum,
  transpose,
  type Value,
} from './index.ts';
import { host } from './testing/op-case.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());

describe('dimension arithmetic', () => {
  it('writes equal dimensions equally', () => {
    expect(mulDims(['seq', 2, 'batch', 3])).toBe('6*batch*seq');
    expect(mulDims(['seq+1', 2])).toBe(addDims(['seq', 'seq', 2]));
    expect(mulDims(['a+b', 'a+b'])).toBe('a*a+2*a*b+b*b');
    expect(addDims(['seq', -1, 1])).toBe('seq');
    expect(addDims(['2*seq', '-2*seq', 3])).toBe(3);
    expect(canonicalDim('seq*batch+(1+seq)*2')).toBe('batch*seq+2*seq+2');
    expect(mulDims([2, 3])).toBe(6);
    expect(mulDims([])).toBe(1);
    expect(mulDims(['n', 0])).toBe(0);
    expect(showShape(['seq+-1', 4])).toBe('[seq-1, 4]');
  });

  it('refuses text that names no dimension', () => {
    for (const bad of ['', 'a b', '2x', 'a**b', '(a', 'a)', 'a+', 'é']) expect(() => canonicalDim(bad), bad).toThrow(RangeError);
    expect(() => input('x', ['two words'])).toThrow(/input: .*two words/);
  });
});

interface Row {
  readonly inputs: Readonly<Record<string, readonly Dim[]>>;
  readonly build: (x: Readonly<Record<string, Value>>) => Value;
  readonly reference: (x: Readonly<Record<string, Plain>>) => Plain;
}

const rows: Record<string, Row> = {
  'reshape merges': {
    inputs: { x: ['batch', 'seq', 4] },
    build: ({ x }) => reshape(x, ['batch*seq', 4]),
    reference: ({ x }) => plain([x.shape[0] * x.shape[1], 4], x.data),
  },
  'reshape splits what was merged': {
    inputs: { x: ['batch', 'seq', 4] },
    build: ({ x }) => reshape(mul(reshape(x, ['seq*batch', 4]), 2), ['batch', 'seq', 2, 2]),
    reference: ({ x }) =>
      plain(
        [x.shape[0], x.shape[1], 2, 2],
        x.data.map(v => 2 * v),
      ),
  },
  'reshape to two new names': {
    inputs: { x: ['batch*seq', 4], like: ['batch', 'seq'] },
    build: ({ x, like }) => add(sum(reshape(x, [2, 'batch', 'seq', 2]), [0, 3]), like),
    reference: ({ x, like }) => {
      const [b, s] = like.shape;
      const y = plain([2, b, s, 2], x.data);
      return from(
        [b, s],
        ([i, j]) => at(y, [0, i, j, 0]) + at(y, [0, i, j, 1]) + at(y, [1, i, j, 0]) + at(y, [1, i, j, 1]) + at(like, [i, j]),
      );
    },
  },
  'heads and back': {
    inputs: { x: ['batch', 'seq', 4] },
    build: ({ x }) => reshape(transpose(reshape(x, ['batch', 'seq', 2, 2]), [0, 2, 1, 3]), ['2*batch', 'seq', 2]),
    reference: ({ x }) => from([2 * x.shape[0], x.shape[1], 2], ([n, t, d]) => at(x, [Math.floor(n / 2), t, 2 * (n % 2) + d])),
  },
  'slice from the front': {
    inputs: { x: ['batch', 'seq', 4] },
    build: ({ x }) => slice(x, 1, 1),
    reference: ({ x }) => from([x.shape[0], x.shape[1] - 1, 4], ([b, t, d]) => at(x, [b, t + 1, d])),
  },
  'slice to before the end': {
    inputs: { x: ['batch', 'seq', 4] },
    build: ({ x }) => slice(x, 1, 0, -1),
    reference: ({ x }) => from([x.shape[0], x.shape[1] - 1, 4], i => at(x, i)),
  },
  'slice from the end': {
    inputs: { x: ['batch', 'seq', 4] },
    build: ({ x }) => slice(x, 1, -2),
    reference: ({ x }) => from([x.shape[0], 2, 4], ([b, t, d]) => at(x, [b, t + x.shape[1] - 2, d])),
  },
  'slice of fixed length': {
    inputs: { x: ['batch', 'seq', 4] },
    build: ({ x }) => slice(slice(x, 0, 0, 1), 1, 1, 2),
    reference: ({ x }) => from([1, 1, 4], ([b, , d]) => at(x, [b, 1, d])),
  },
  'concat of a class token': {
    inputs: { x: ['batch', 'seq', 4], token: [1, 1, 4] },
    build: ({ x, token }) => concat([broadcastTo(token, ['batch', 1, 4], x), x], 1),
    reference: ({ x, token }) => from([x.shape[0], x.shape[1] + 1, 4], ([b, t, d]) => (t ? at(x, [b, t - 1, d]) : token.data[d])),
  },
  'concat of named sizes': {
    inputs: { x: ['batch', 4], y: ['seq', 4], z: [2, 4] },
    build: ({ x, y, z }) => concat([x, z, y, x], 0),
    reference: ({ x, y, z }) =>
      plain(
        [2 * x.shape[0] + y.shape[0] + 2, 4],
        [x, z, y, x].flatMap(v => [...v.data]),
      ),
  },
  broadcast: {
    inputs: { x: ['batch', 1, 4], y: ['seq', 1] },
    build: ({ x, y }) => mul(x, y),
    reference: ({ x, y }) => zip((a, b) => a * b, x, y),
  },
  'mean and size': {
    inputs: { x: ['batch', 'seq', 4] },
    build: ({ x }) => mul(mean(x, [0, 1]), size(x, [1, 2])),
    reference: ({ x }) => reduce(v => (total(v) / v.length) * x.shape[1] * 4, x, [0, 1]),
  },
  'max and softmax': {
    inputs: { x: ['batch', 'seq'] },
    build: ({ x }) => mul(softmax(x, 1), max(x, 1, true)),
    reference: ({ x }) => {
      const sums = reduce(v => total(v.map(Math.exp)), x, [1], true);
      return zip(
        (v, s, m) => (Math.exp(v) / s) * m,
        x,
        sums,
        reduce(v => Math.max(...v), x, [1], true),
      );
    },
  },
  'iota and fill': {
    inputs: { x: ['batch', 'seq'] },
    build: ({ x }) => add(mul(x, cast(iota(x, 1), 'float64')), fill(['batch', 'seq'], 3, 'float64', x)),
    reference: ({ x }) => from(x.shape, ([b, t]) => at(x, [b, t]) * t + 3),
  },
  'a mask': {
    inputs: { x: ['batch', 'seq', 'seq'] },
    build: ({ x }) => softmax(add(x, causalMask(x, 1))),
    reference: ({ x }) => {
      const e = from(x.shape, ([b, q, k]) => (k > q ? 0 : Math.exp(at(x, [b, q, k]))));
      return zip((v, s) => v / s, e, reduce(total, e, [2], true));
    },
  },
  'a mask with more keys than queries': {
    inputs: { x: ['seq', 'seq+batch'], like: ['batch'] },
    build: ({ x, like }) => mul(mul(softmax(add(x, causalMask(x, 0, x, 1))), 1), size(like, [0])),
    reference: ({ x, like }) => {
      const [q, k] = x.shape;
      const e = from(x.shape, ([i, j]) => (j > i + k - q ? 0 : Math.exp(at(x, [i, j]))));
      return zip((v, s) => (v / s) * like.shape[0], e, reduce(total, e, [1], true));
    },
  },
  'linear and matmul': {
    inputs: { x: ['batch', 'seq', 4], w: [3, 4] },
    build: ({ x, w }) => matmul(linear(x, w), x, { transA: true }),
    reference: ({ x, w }) =>
      from([x.shape[0], 3, 4], ([b, i, j]) => {
        let sumOf = 0;
        for (let t = 0; t < x.shape[1]; t++) for (let d = 0; d < 4; d++) sumOf += at(x, [b, t, d]) * at(w, [i, d]) * at(x, [b, t, j]);
        return sumOf;
      }),
  },
  gather: {
    inputs: { x: ['batch', 'seq', 4] },
    build: ({ x }) => gather(x, iota(x, 1), 1),
    reference: ({ x }) => x,
  },
  'repeatHeads and patchify': {
    inputs: { x: ['batch', 2, 4, 4] },
    build: ({ x }) => patchify(repeatHeads(x, 2), 4),
    reference: ({ x }) => from([x.shape[0], 1, 64], ([b, , e]) => x.data[b * 32 + Math.floor(e / 32) * 16 + (e % 16)]),
  },
};

describe('one session, several sizes', () => {
  it.each(Object.entries(rows))('%s', async (_, row) => {
    const names = Object.keys(row.inputs);
    const values = Object.fromEntries(names.map(name => [name, input(name, row.inputs[name], 'float64')]));
    const y = row.build(values);
    const v = input('cotangent', y.shape, 'float64');
    const gradients = grad(
      sum(mul(y, v)),
      names.map(name => values[name]),
    );
    await using compiled = await compile(runtime, { y_: y, ...Object.fromEntries(names.map((name, i) => [`grad.${name}`, gradients[i]])) });
    for (const [batch, seq] of [
      [1, 2],
      [3, 5],
      [2, 2],
    ]) {
      const sizes: Record<string, number> = { batch, seq, 'batch*seq': batch * seq, 'batch+seq': batch + seq };
      const size = (d: Dim): number => (typeof d === 'number' ? d : sizes[canonicalDim(d)]);
      const data = Object.fromEntries(names.map((name, i) => [name, uniform(row.inputs[name].map(size), -1, 1, i + 1)]));
      const expected = row.reference(data);
      const cotangent = uniform(expected.shape, -1, 1, 9);
      const feeds = Object.fromEntries(Object.entries({ ...data, cotangent }).map(([k, x]) => [k, host('float64', x)]));
      const out = await compiled.run(feeds);
      expect(out.y_.shape).toEqual(expected.shape);
      expectClose(out.y_.data, expected.data, { atol: 1e-10 });
      for (const name of names) {
        const f = (x: Plain): number => total(row.reference({ ...data, [name]: x }).data.map((value, i) => value * cotangent.data[i]));
        const along = uniform(data[name].shape, -1, 1, 21);
        const step = (h: number): number => f(zip((a, b) => a + h * b, data[name], along));
        const slope = total(Array.from(out[`grad.${name}`].data as ArrayLike<number | bigint>, (g, i) => Number(g) * along.data[i]));
        expect(out[`grad.${name}`].shape).toEqual(data[name].shape);
        expectClose([slope], [(step(1e-6) - step(-1e-6)) / 2e-6], { rtol: 1e-6, atol: 1e-7, label: name });
      }
    }
  });
});
