/** @file Op cases: reductions, shapes, indexing. */
import { at, from, plain, reduce, total, uniform, zip } from '../../testing/plain.ts';
import {
  argMax,
  broadcastTo,
  concat,
  embedding,
  gather,
  grad,
  logSumExp,
  max,
  mean,
  mul,
  norm,
  normalise,
  patchify,
  repeatHeads,
  reshape,
  rotary,
  scalar,
  slice,
  squeeze,
  sum,
  takeAlongAxis,
  transpose,
  unsqueeze,
  type Value,
} from '../index.ts';
import type { OpCase } from './op-case.ts';

const x = uniform([2, 3, 4]);
const average = (v: number[]): number => total(v) / v.length;

const moved = (
  op: string,
  name: string,
  build: (x: Value) => Value,
  reference: OpCase['reference'],
  more: Partial<OpCase> = {},
): OpCase => ({
  op,
  name,
  inputs: { x },
  build: ({ x }) => build(x),
  reference,
  ...more,
});

/** Rows of the table. */
export const reductionCases: readonly OpCase[] = [
  moved(
    'sum',
    'all',
    x => sum(x),
    ({ x }) => reduce(total, x),
  ),
  moved(
    'sum',
    'of a scalar',
    x => sum(sum(x)),
    ({ x }) => reduce(total, x),
  ),
  moved(
    'sum',
    'no axes',
    x => sum(x, []),
    ({ x }) => x,
  ),
  moved(
    'sum',
    'axes [0, -1]',
    x => sum(x, [0, -1]),
    ({ x }) => reduce(total, x, [0, 2]),
  ),
  moved(
    'mean',
    'axis 1, kept',
    x => mean(x, 1, true),
    ({ x }) => reduce(average, x, [1], true),
  ),
  moved(
    'mean',
    'all',
    x => mean(x),
    ({ x }) => reduce(average, x),
  ),
  moved(
    'max',
    'all',
    x => max(x),
    ({ x }) => reduce(v => Math.max(...v), x),
  ),
  moved(
    'max',
    'last axis, kept',
    x => max(x, -1, true),
    ({ x }) => reduce(v => Math.max(...v), x, [2], true),
  ),
  moved(
    'max',
    'ties share the gradient',
    x => max(x),
    () => plain([], [3]),
    {
      inputs: { x: plain([4], [3, 1, 3, 2]) },
      gradientOf: ({ x }) => plain([], [(x.data[0] + x.data[2]) / 2]),
    },
  ),
  moved(
    'max',
    'logSumExp',
    x => logSumExp(x, 1),
    ({ x }) => reduce(v => Math.log(total(v.map(Math.exp))), x, [1]),
  ),
  moved(
    'max',
    'logSumExp of large numbers',
    x => logSumExp(x, 0),
    ({ x }) => plain([], [900 + Math.log(total(x.data.map(v => Math.exp(v - 900))))]),
    { inputs: { x: plain([2], [900, 900]) } },
  ),
  moved('sum', 'norm', norm, ({ x }) => reduce(v => Math.hypot(...v), x, [2], true)),
  moved('sum', 'normalise', normalise, ({ x }) =>
    zip(
      (a, n) => a / n,
      x,
      reduce(v => Math.hypot(...v), x, [2], true),
    ),
  ),
  moved('sum', 'the norm of zeros has no NaN in its gradient', norm, () => plain([1], [0]), {
    inputs: { x: plain([2], [0, 0]) },
    gradientOf: () => plain([1], [0]),
  }),
];

/** Rows of the table. */
export const shapeCases: readonly OpCase[] = [
  moved(
    'reshape',
    'merge and split',
    x => reshape(x, [3, 8]),
    ({ x }) => plain([3, 8], x.data),
  ),
  moved(
    'reshape',
    'squeeze, unsqueeze',
    x => squeeze(unsqueeze(unsqueeze(x, -1), 0), 0),
    ({ x }) => plain([2, 3, 4, 1], x.data),
  ),
  moved(
    'transpose',
    'last two',
    x => transpose(x),
    ({ x }) => from([2, 4, 3], ([i, j, k]) => at(x, [i, k, j])),
  ),
  moved(
    'transpose',
    '[2, 0, 1]',
    x => transpose(x, [2, 0, 1]),
    ({ x }) => from([4, 2, 3], ([i, j, k]) => at(x, [j, k, i])),
  ),
  moved(
    'broadcastTo',
    'new and stretched axes',
    x => broadcastTo(x, [2, 3, 4]),
    ({ x }) => from([2, 3, 4], i => at(x, i)),
    {
      inputs: { x: uniform([3, 1]) },
    },
  ),
  moved(
    'slice',
    '[1, 3)',
    x => slice(x, 2, 1, 3),
    ({ x }) => from([2, 3, 2], ([i, j, k]) => at(x, [i, j, k + 1])),
  ),
  moved(
    'slice',
    'negative bounds',
    x => slice(x, -1, -3, -1),
    ({ x }) => from([2, 3, 2], ([i, j, k]) => at(x, [i, j, k + 1])),
  ),
  moved(
    'slice',
    'to the end',
    x => slice(x, 1, 2),
    ({ x }) => from([2, 1, 4], ([i, , k]) => at(x, [i, 2, k])),
  ),
  {
    op: 'padLike',
    name: 'gradient of slice',
    inputs: { x, u: uniform([2, 3, 2], -1, 1, 2) },
    build: ({ x, u }) => grad(sum(mul(slice(x, 2, 1, 3), u)), [x])[0],
    reference: ({ u }) => from([2, 3, 4], ([i, j, k]) => (k === 1 || k === 2 ? at(u, [i, j, k - 1]) : 0)),
  },
  {
    op: 'sliceLike',
    name: 'gradient of concat',
    inputs: { a: uniform([2, 2]), b: uniform([2, 3]), u: uniform([2, 5], -1, 1, 2) },
    build: ({ a, b, u }) => grad(sum(mul(concat([a, b], 1), u)), [b])[0],
    reference: ({ u }) => from([2, 3], ([i, j]) => at(u, [i, j + 2])),
  },
  {
    op: 'concat',
    inputs: { a: uniform([2, 2]), b: uniform([2, 3]), c: uniform([2, 1]) },
    build: ({ a, b, c }) => concat([a, b, c, a], -1),
    reference: ({ a, b, c }) =>
      from([2, 8], ([i, j]) => (j < 2 ? at(a, [i, j]) : j < 5 ? at(b, [i, j - 2]) : j < 6 ? at(c, [i, 0]) : at(a, [i, j - 6]))),
  },
  {
    op: 'concat',
    name: 'rotary',
    inputs: { x: uniform([2, 2, 3, 4]), cos: uniform([3, 4]), sin: uniform([3, 4], -1, 1, 3) },
    build: ({ x, cos, sin }) => rotary(x, cos, sin),
    reference: ({ x, cos, sin }) =>
      from(x.shape, ([b, h, t, d]) => {
        const turned = d < 2 ? -at(x, [b, h, t, d + 2]) : at(x, [b, h, t, d - 2]);
        return at(x, [b, h, t, d]) * at(cos, [t, d]) + turned * at(sin, [t, d]);
      }),
  },
  {
    op: 'broadcastTo',
    name: 'repeatHeads',
    inputs: { x: uniform([2, 2, 3, 2]) },
    build: ({ x }) => repeatHeads(x, 3),
    reference: ({ x }) => from([2, 6, 3, 2], ([b, h, t, d]) => at(x, [b, Math.floor(h / 3), t, d])),
  },
  {
    op: 'transpose',
    name: 'patchify drops what is left over',
    inputs: { x: uniform([2, 2, 5, 7]) },
    build: ({ x }) => patchify(x, 2),
    reference: ({ x }) =>
      from([2, 6, 8], ([b, n, e]) => {
        const [row, column] = [Math.floor(n / 3), n % 3];
        const [c, y, z] = [Math.floor(e / 4), Math.floor(e / 2) % 2, e % 2];
        return at(x, [b, c, 2 * row + y, 2 * column + z]);
      }),
  },
];

const ids = plain([2, 3], [0, 2, 2, 1, -1, 2]);
const wrap = (i: number, n: number): number => (i < 0 ? i + n : i);

/** Rows of the table. */
export const indexingCases: readonly OpCase[] = [
  {
    op: 'gather',
    name: 'embedding with repeated and negative ids',
    inputs: { table: uniform([3, 4]), ids },
    types: { ids: 'int32' },
    build: ({ table, ids }) => embedding(table, ids),
    reference: ({ table, ids }) => from([2, 3, 4], ([i, j, d]) => at(table, [wrap(at(ids, [i, j]), 3), d])),
  },
  {
    op: 'gather',
    name: 'middle axis',
    inputs: { x, ids },
    types: { ids: 'int64' },
    build: ({ x, ids }) => gather(x, ids, 1),
    reference: ({ x, ids }) => from([2, 2, 3, 4], ([b, i, j, d]) => at(x, [b, wrap(at(ids, [i, j]), 3), d])),
  },
  moved(
    'gather',
    'one index',
    x => gather(x, scalar(1, 'int64'), -1),
    ({ x }) => from([2, 3], ([i, j]) => at(x, [i, j, 1])),
  ),
  {
    op: 'scatterRows',
    name: 'gradient of gather',
    inputs: { x, ids, u: uniform([2, 2, 3, 4], -1, 1, 4) },
    types: { ids: 'int64' },
    build: ({ x, ids, u }) => grad(sum(mul(gather(x, ids, 1), u)), [x])[0],
    reference: ({ u }) =>
      from([2, 3, 4], ([b, r, d]) => total(ids.data.map((id, n) => (wrap(id, 3) === r ? at(u, [b, Math.floor(n / 3), n % 3, d]) : 0)))),
  },
  {
    op: 'takeAlongAxis',
    inputs: { x, ids: plain([2, 3, 2], [0, 3, 1, 1, 2, 0, 3, 3, 0, 1, 2, -1]) },
    types: { ids: 'int64' },
    build: ({ x, ids }) => takeAlongAxis(x, ids),
    reference: ({ x, ids }) => from([2, 3, 2], ([i, j, k]) => at(x, [i, j, wrap(at(ids, [i, j, k]), 4)])),
  },
  {
    op: 'scatterElements',
    name: 'gradient of takeAlongAxis',
    inputs: { x: uniform([2, 3]), ids: plain([2, 2], [1, 1, 0, 2]), u: uniform([2, 2], -1, 1, 4) },
    types: { ids: 'int32' },
    build: ({ x, ids, u }) => grad(sum(mul(takeAlongAxis(x, ids, 1), u)), [x])[0],
    reference: ({ u }) => plain([2, 3], [0, u.data[0] + u.data[1], 0, u.data[2], 0, u.data[3]]),
  },
  {
    op: 'argMax',
    inputs: { x: plain([2, 3], [1, 5, 5, 7, 2, 7]) },
    build: ({ x }) => argMax(x),
    reference: () => plain([2], [1, 0]),
    wrt: [],
  },
];
