/** @file Op cases: what only training needs, that is dropout masks and recomputation. */
import { RandomStream } from '../../tensor/random.ts';
import { type Plain, plain, uniform, zip } from '../../testing/plain.ts';
import { computeAfter, keepMask, mul, recompute, sin } from '../index.ts';
import type { OpCase } from './op-case.ts';

const x = uniform([2, 3, 4]);
const scale = uniform([4], -2, 2, 3);
const doubleSine = ({ x, scale }: Readonly<Record<string, Plain>>): Plain => zip((a, s) => Math.sin(Math.sin(a) * s), x, scale);

const PRIME = 2147483647n;

/** The mask as its docstring defines it, in whole numbers of any size. */
function plainMask(shape: readonly number[], seed: number, probability: number, stream: number): Plain {
  const width = shape.at(-1)!;
  const columns = new RandomStream(stream, 'dropout').words(0, 0, new Uint32Array(width));
  const row = (at: number): bigint => {
    let residue = BigInt(at);
    for (let round = 0n; round < 4n; round++) residue = (residue + BigInt(seed) + ((round * 0x2545f491n) % PRIME)) ** 5n % PRIME;
    return residue;
  };
  const threshold = BigInt(Math.round(probability * Number(PRIME)));
  const count = shape.reduce((a, b) => a * b, 1);
  return plain(
    shape,
    Array.from({ length: count }, (_, i) =>
      (row(Math.floor(i / width)) * BigInt(columns[i % width])) % PRIME < threshold ? 0 : 1 / (1 - probability),
    ),
  );
}

/** Rows of the table. */
export const trainingCases: readonly OpCase[] = [
  {
    op: 'keepMask',
    inputs: { x, seed: plain([], [2147483647]) },
    types: { seed: 'int32' },
    build: ({ x, seed }) => mul(x, keepMask(x, seed, 0.4, 12)),
    reference: ({ x }) => zip((a, m) => a * m, x, plainMask(x.shape, 2147483647, 0.4, 12)),
  },
  {
    op: 'computeAfter',
    inputs: { x, scale, other: plain([2], [Number.NaN, Number.POSITIVE_INFINITY]) },
    wrt: ['x', 'scale'],
    build: ({ x, scale, other }) => sin(mul(computeAfter(sin(x), [scale, other]), scale)),
    reference: doubleSine,
  },
  {
    op: 'recomputed',
    inputs: { x, scale },
    build: ({ x, scale }) => recompute(a => sin(mul(sin(a), scale)), [x]),
    reference: doubleSine,
  },
];
