/** @file Op cases: matrix products, softmax, normalisation, losses. */
import { at, from, type Plain, plain, reduce, total, uniform, zip } from '../../testing/plain.ts';
import {
  causalMask,
  contrastiveLoss,
  cosineSimilarity,
  crossEntropy,
  groupedContrastiveLoss,
  layerNorm,
  linear,
  logSoftmax,
  matmul,
  patchify,
  reshape,
  rmsNorm,
  softmax,
} from '../index.ts';
import type { OpCase } from './op-case.ts';

/** α·A·B over the last two axes by three loops. */
export function product(a: Plain, b: Plain, transA = false, transB = false, alpha = 1): Plain {
  const swap = (x: Plain, yes: boolean): Plain => {
    const n = x.shape.length;
    return yes ? from([...x.shape.slice(0, -2), x.shape[n - 1], x.shape[n - 2]], i => at(x, [...i.slice(0, -2), i[n - 1], i[n - 2]])) : x;
  };
  const [p, q] = [swap(a, transA), swap(b, transB)];
  const [k, m, n] = [p.shape.at(-1)!, p.shape.at(-2)!, q.shape.at(-1)!];
  const lead = zip(() => 0, plain(p.shape.slice(0, -2), []), plain(q.shape.slice(0, -2), [])).shape;
  return from([...lead, m, n], index => {
    const [i, j] = index.slice(-2);
    const batch = index.slice(0, -2);
    return alpha * total(Array.from({ length: k }, (_, l) => at(p, [...batch, i, l]) * at(q, [...batch, l, j])));
  });
}

const flips = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const;
const shapes: readonly [string, number[], number[]][] = [
  ['matrices', [], []],
  ['stacks', [2], [2]],
  ['a shared matrix', [2, 2], []],
  ['broadcast stacks', [2, 1], [3]],
];

/** Rows of the table. */
export const matmulCases: readonly OpCase[] = [
  ...(['float32', 'float64'] as const).flatMap(dtype =>
    shapes.flatMap(([name, leadA, leadB]) =>
      flips.map(
        ([transA, transB]): OpCase => ({
          op: 'matmul',
          name: `${name}, ${dtype}${transA ? ', Aᵀ' : ''}${transB ? ', Bᵀ' : ''}`,
          dtype,
          inputs: {
            a: uniform([...leadA, ...(transA ? [4, 3] : [3, 4])], -1, 1),
            b: uniform([...leadB, ...(transB ? [2, 4] : [4, 2])], -1, 1, 2),
          },
          build: ({ a, b }) => matmul(a, b, { transA, transB, alpha: transA ? 0.5 : 1 }),
          reference: ({ a, b }) => product(a, b, transA, transB, transA ? 0.5 : 1),
        }),
      ),
    ),
  ),
  ...([[4], [3, 4], [2, 3, 4]] as const).map(
    (shape): OpCase => ({
      op: 'linear',
      name: `rank ${shape.length}`,
      inputs: { x: uniform(shape), w: uniform([2, 4], -1, 1, 2), b: uniform([2], -1, 1, 3) },
      build: ({ x, w, b }) => linear(x, w, b),
      reference: ({ x, w, b }) =>
        from(
          [...shape.slice(0, -1), 2],
          i => total([0, 1, 2, 3].map(k => at(x, [...i.slice(0, -1), k]) * at(w, [i.at(-1)!, k]))) + at(b, i),
        ),
    }),
  ),
  {
    op: 'linear',
    name: 'no bias, float32',
    dtype: 'float32',
    inputs: { x: uniform([2, 3, 4]), w: uniform([2, 4], -1, 1, 2) },
    build: ({ x, w }) => linear(x, w),
    reference: ({ x, w }) => product(x, w, false, true),
  },
  {
    op: 'linear',
    name: 'patch embedding equals a convolution',
    inputs: { x: uniform([1, 2, 5, 4]), w: uniform([3, 2, 2, 2], -1, 1, 2) },
    build: ({ x, w }) => linear(patchify(x, 2), reshape(w, [3, 8])),
    reference: ({ x, w }) =>
      from([1, 4, 3], ([b, n, d]) => {
        let sum = 0;
        for (let c = 0; c < 2; c++)
          for (let i = 0; i < 2; i++)
            for (let j = 0; j < 2; j++) sum += at(x, [b, c, 2 * Math.floor(n / 2) + i, 2 * (n % 2) + j]) * at(w, [d, c, i, j]);
        return sum;
      }),
  },
];

const x = uniform([2, 3, 4]);
const sumExp = (x: Plain, axis: number): Plain => reduce(v => total(v.map(Math.exp)), x, [axis], true);
const rows = (f: (row: number[]) => number[], x: Plain): Plain => {
  const width = x.shape.at(-1)!;
  return plain(
    x.shape,
    Array.from({ length: x.data.length / width }, (_, r) => f(x.data.slice(r * width, (r + 1) * width) as number[])).flat(),
  );
};
const [w, b] = [uniform([4], 0.5, 2, 2), uniform([4], -1, 1, 3)];

const layerNormOf = ({ x, w, b }: Readonly<Record<string, Plain>>): Plain => {
  const standard = rows(row => {
    const mean = total(row) / row.length;
    const variance = total(row.map(v => (v - mean) ** 2)) / row.length;
    return row.map(v => (v - mean) / Math.sqrt(variance + 1e-3));
  }, x);
  return zip((s, w, b) => s * w + b, standard, w, b);
};

/** Rows of the table. */
export const normCases: readonly OpCase[] = [
  ...[-1, 1].map(
    (axis): OpCase => ({
      op: 'softmax',
      name: `axis ${axis}`,
      inputs: { x },
      build: ({ x }) => softmax(x, axis),
      reference: ({ x }) => zip((v, s) => Math.exp(v) / s, x, sumExp(x, (axis + 3) % 3)),
    }),
  ),
  ...[-1, 0].map(
    (axis): OpCase => ({
      op: 'logSoftmax',
      name: `axis ${axis}`,
      inputs: { x },
      build: ({ x }) => logSoftmax(x, axis),
      reference: ({ x }) => zip((v, s) => v - Math.log(s), x, sumExp(x, (axis + 3) % 3)),
    }),
  ),
  ...(['float32', 'float64'] as const).map(
    (dtype): OpCase => ({
      op: 'layerNorm',
      name: dtype,
      dtype,
      inputs: { x, w, b },
      build: ({ x, w, b }) => layerNorm(x, w, b, 1e-3),
      reference: layerNormOf,
    }),
  ),
  ...[1, 2].map(
    (output): OpCase => ({
      op: 'layerNorm',
      name: output === 1 ? 'its mean' : 'its inverse deviation',
      inputs: { x, w, b },
      wrt: ['x'],
      build: ({ x, w, b }) => layerNorm(x, w, b, 1e-3).node.outputs[output],
      reference: ({ x }) =>
        reduce(
          row => {
            const mean = total(row) / row.length;
            return output === 1 ? mean : 1 / Math.sqrt(total(row.map(v => (v - mean) ** 2)) / row.length + 1e-3);
          },
          x,
          [2],
          true,
        ),
    }),
  ),
  {
    op: 'mean',
    name: 'rmsNorm',
    inputs: { x, w },
    build: ({ x, w }) => rmsNorm(x, w, 1e-3),
    reference: ({ x, w }) =>
      zip(
        (v, w) => v * w,
        rows(row => row.map(v => v / Math.sqrt(total(row.map(u => u * u)) / 4 + 1e-3)), x),
        w,
      ),
  },
  {
    op: 'iota',
    name: 'causalMask as attention uses it',
    inputs: { scores: uniform([2, 4]) },
    dtype: 'float32',
    build: ({ scores }) => causalMask(scores, 0, scores, 1),
    reference: () => from([2, 4], ([q, k]) => (k > q + 2 ? Math.fround(-3.4028234663852886e38) : 0)),
    wrt: [],
  },
];

const logits = uniform([2, 3, 4]);
const labels = plain([2, 3], [1, -100, 3, 0, -100, 2]);
const nats = (row: number[], label: number): number => Math.log(total(row.map(Math.exp))) - row[label];

/** Rows of the table. */
export const lossCases: readonly OpCase[] = [
  {
    op: 'takeAlongAxis',
    name: 'crossEntropy leaves out ignored labels',
    inputs: { logits, labels },
    types: { labels: 'int64' },
    build: ({ logits, labels }) => crossEntropy(logits, labels),
    reference: ({ logits }) =>
      plain([], [total(labels.data.map((label, n) => (label < 0 ? 0 : nats(logits.data.slice(4 * n, 4 * n + 4) as number[], label)))) / 4]),
  },
  {
    op: 'takeAlongAxis',
    name: 'crossEntropy of nothing is 0',
    inputs: { logits, labels: plain([2, 3], Array(6).fill(7)) },
    types: { labels: 'int32' },
    build: ({ logits, labels }) => crossEntropy(logits, labels, 7),
    reference: () => plain([], [0]),
  },
  {
    op: 'sum',
    name: 'cosineSimilarity',
    inputs: { p: uniform([3, 4]), q: uniform([4], -1, 1, 2) },
    build: ({ p, q }) => cosineSimilarity(p, q),
    reference: ({ p, q }) =>
      from([3], ([i]) => {
        const row = [0, 1, 2, 3].map(d => at(p, [i, d]));
        return total(row.map((v, d) => v * q.data[d])) / (Math.hypot(...row) * Math.hypot(...q.data));
      }),
  },
  {
    op: 'sum',
    name: 'cosineSimilarity with zeros is 0 with a finite gradient',
    inputs: { p: plain([1, 2], [0, 0]), q: plain([1, 2], [3, 4]) },
    wrt: ['q'],
    build: ({ p, q }) => cosineSimilarity(p, q),
    reference: () => plain([1], [0]),
  },
  {
    op: 'logSoftmax',
    name: 'contrastiveLoss',
    inputs: { s: uniform([3, 3]), labels: plain([3], [0, 1, 2]) },
    types: { labels: 'int64' },
    build: ({ s, labels }) => contrastiveLoss(s, labels),
    reference: ({ s }) => {
      const row = (i: number): number[] => [0, 1, 2].map(j => at(s, [i, j]));
      const column = (j: number): number[] => [0, 1, 2].map(i => at(s, [i, j]));
      return plain([], [total([0, 1, 2].map(i => nats(row(i), i) + nats(column(i), i))) / 6]);
    },
  },
  ...[
    { name: 'two of three alike', groups: [5, 0, 5] },
    { name: 'all alike', groups: [2, 2, 2] },
    { name: 'none alike', groups: [0, 1, 2] },
  ].map(
    ({ name, groups }): OpCase => ({
      op: 'logSoftmax',
      name: `groupedContrastiveLoss, ${name}`,
      inputs: { s: uniform([3, 3]), groups: plain([3], groups) },
      types: { groups: 'int32' },
      build: ({ s, groups }) => groupedContrastiveLoss(s, groups),
      reference: ({ s }) => {
        const all = [0, 1, 2];
        const alike = (i: number): number[] => all.filter(j => groups[j] === groups[i]);
        const mean = (list: number[]): number => total(list) / list.length;
        const both = (i: number): number =>
          mean(
            alike(i).map(
              j =>
                nats(
                  all.map(k => at(s, [i, k])),
                  j,
                ) +
                nats(
                  all.map(k => at(s, [k, i])),
                  j,
                ),
            ),
          );
        return plain([], [total(all.map(both)) / 6]);
      },
    }),
  ),
];
