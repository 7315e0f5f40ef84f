/** @file Op cases: constants, arithmetic, functions of one value, activations. */
import { floats, ints } from '../../tensor/tensor.ts';
import { at, from, type Plain, plain, total, uniform, zip } from '../../testing/plain.ts';
import {
  abs,
  add,
  cast,
  clip,
  clipStraightThrough,
  constant,
  cos,
  div,
  equal,
  erf,
  exp,
  fill,
  gelu,
  geluTanh,
  greater,
  iota,
  less,
  log,
  maximum,
  minimum,
  mul,
  neg,
  quickGelu,
  relu,
  scalar,
  sigmoid,
  sign,
  silu,
  sin,
  size,
  softplus,
  sqrt,
  stopGradient,
  sub,
  sum,
  swiglu,
  tanh,
  type Value,
  where,
} from '../index.ts';
import type { OpCase } from './op-case.ts';

/** Error function by its Taylor series, exact to 1e-14 for |x| < 3. */
export function erfOf(x: number): number {
  let [term, sumOf] = [x, x];
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    sumOf += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sumOf;
}

const x = uniform([2, 3, 4]);
const positive = uniform([2, 3], 0.5, 3);
const sigma = (v: number): number => 1 / (1 + Math.exp(-v));

const unary = (op: string, f: (x: Value) => Value, g: (v: number) => number, more: Partial<OpCase> = {}): OpCase => ({
  op,
  inputs: { x },
  build: ({ x }) => f(x),
  reference: ({ x }) => zip(g, x),
  ...more,
});

const gate = uniform([3, 4], -2, 2, 2);

/** Rows of the table. */
export const unaryCases: readonly OpCase[] = [
  unary('neg', neg, v => -v),
  unary('exp', exp, Math.exp),
  unary('log', log, Math.log, { inputs: { x: positive } }),
  unary('sqrt', sqrt, Math.sqrt, { inputs: { x: positive } }),
  unary('abs', abs, Math.abs),
  unary('tanh', tanh, Math.tanh),
  unary('sigmoid', sigmoid, sigma),
  unary('softplus', softplus, v => Math.log1p(Math.exp(v))),
  unary('softplus', softplus, v => Math.log1p(Math.exp(v)), { name: 'float32', dtype: 'float32' }),
  // Float64's e^800 overflows; the op must not.
  unary('softplus', softplus, v => Math.max(v, 0), { name: 'large', inputs: { x: plain([2], [-800, 800]) } }),
  unary('erf', erf, erfOf, { dtype: 'float32' }),
  unary('sin', sin, Math.sin),
  unary('cos', cos, Math.cos),
  unary('relu', relu, v => Math.max(v, 0)),
  unary('sign', sign, Math.sign, { inputs: { x: plain([3], [-2, 0, 3]) }, wrt: [] }),
  unary('sign', x => mul(sign(x), x), Math.abs, { name: 'no gradient passes' }),
  unary(
    'clip',
    x => clip(x, -1, 0.5),
    v => Math.min(Math.max(v, -1), 0.5),
  ),
  unary(
    'clip',
    x => clip(x, -1, Number.POSITIVE_INFINITY),
    v => Math.max(v, -1),
    { name: 'one side' },
  ),
  unary(
    'clipStraightThrough',
    x => clipStraightThrough(x, -1, 0.5),
    v => Math.min(Math.max(v, -1), 0.5),
    { gradientOf: ({ x }) => x },
  ),
  unary('gelu', gelu, v => v * 0.5 * (1 + erfOf(v / Math.SQRT2)), { dtype: 'float32' }),
  unary('geluTanh', geluTanh, v => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))), {
    // The kernel's constants are float32.
    tolerance: 1e-7,
  }),
  unary('geluTanh', geluTanh, v => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))), {
    name: 'float32',
    dtype: 'float32',
  }),
  unary('swish', silu, v => v * sigma(v), { name: 'silu' }),
  unary('swish', quickGelu, v => v * sigma(1.702 * v), { name: 'quickGelu' }),
  {
    op: 'swish',
    name: 'swiglu',
    inputs: { gate, up: uniform([3, 4], -2, 2, 3) },
    build: ({ gate, up }) => swiglu(gate, up),
    reference: ({ gate, up }) => zip((g, u) => g * sigma(g) * u, gate, up),
  },
];

const pairs: readonly [string, (a: Value, b: Value) => Value, (a: number, b: number) => number, Partial<OpCase>?][] = [
  ['add', add, (a, b) => a + b],
  ['sub', sub, (a, b) => a - b],
  ['mul', mul, (a, b) => a * b],
  ['div', div, (a, b) => a / b],
  ['maximum', maximum, Math.max],
  ['minimum', minimum, Math.min],
  ['less', less, (a, b) => Number(a < b), { wrt: [] }],
  ['greater', greater, (a, b) => Number(a > b), { wrt: [] }],
];
const b = uniform([3, 1], 0.5, 2, 5);
const condition: Plain = plain([3, 1], [1, 0, 1]);

/** Rows of the table. */
export const binaryCases: readonly OpCase[] = [
  ...pairs.map(
    ([op, f, g, more]): OpCase => ({
      op,
      inputs: { a: x, b },
      build: ({ a, b }) => f(a, b),
      reference: ({ a, b }) => zip(g, a, b),
      ...more,
    }),
  ),
  ...([maximum, minimum] as const).map(
    (f): OpCase => ({
      op: f === maximum ? 'maximum' : 'minimum',
      name: 'ties share the gradient',
      inputs: { a: plain([2], [1, 2]), b: plain([2], [1, 2]) },
      build: ({ a, b }) => f(a, b),
      reference: ({ a }) => a,
      gradientOf: ({ a, b }) => zip((a, b) => (a + b) / 2, a, b),
    }),
  ),
  {
    op: 'equal',
    inputs: { a: plain([4], [1, 2, 2, 3]), b: plain([2, 1], [2, 3]) },
    types: { a: 'int64', b: 'int64' },
    build: ({ a, b }) => equal(a, b),
    reference: ({ a, b }) => zip((a, b) => Number(a === b), a, b),
  },
  {
    op: 'where',
    inputs: { condition, a: x, b: uniform([4], -2, 2, 6) },
    types: { condition: 'bool' },
    build: ({ condition, a, b }) => where(condition, a, b),
    reference: ({ condition, a, b }) => zip((c, a, b) => (c ? a : b), condition, a, b),
  },
];

/** Rows of the table. */
export const constantCases: readonly OpCase[] = [
  {
    op: 'constant',
    inputs: {},
    dtype: 'float32',
    build: () => constant(floats([2, 2], [1, 2, -0, 4])),
    reference: () => plain([2, 2], [1, 2, 0, 4]),
  },
  { op: 'constant', name: 'int32', inputs: {}, build: () => constant(ints([2], [1, -7])), reference: () => plain([2], [1, -7]) },
  { op: 'constant', name: 'int64 scalar', inputs: {}, build: () => scalar(-3, 'int64'), reference: () => plain([], [-3]) },
  ...(['float64', 'int64', 'int32', 'bool'] as const).map(
    (dtype): OpCase => ({
      op: 'fill',
      name: dtype,
      inputs: {},
      build: () => fill([2, 3], 1, dtype),
      reference: () => plain([2, 3], Array(6).fill(1)),
    }),
  ),
  {
    op: 'fill',
    name: 'float16, read back as float64',
    inputs: {},
    build: () => cast(fill([2], 0.5, 'float16'), 'float64'),
    reference: () => plain([2], [0.5, 0.5]),
  },
  {
    op: 'fill',
    name: 'infinities are not merged',
    inputs: {},
    build: () => add(fill([], Number.POSITIVE_INFINITY, 'float64'), exp(fill([], Number.NEGATIVE_INFINITY, 'float64'))),
    reference: () => plain([], [Number.POSITIVE_INFINITY]),
  },
  {
    op: 'fill',
    name: '-0 is not 0',
    inputs: {},
    build: () => sub(div(1, fill([], 0, 'float64')), div(1, fill([], -0, 'float64'))),
    reference: () => plain([], [Number.POSITIVE_INFINITY]),
  },
  {
    op: 'size',
    name: 'known',
    inputs: { x },
    build: ({ x }) => size(x, [0, -1]),
    reference: () => plain([], [8]),
    gradientOf: () => plain([], [0]),
  },
  {
    op: 'iota',
    inputs: { x },
    build: ({ x }) => iota(x, -1),
    reference: () => from([4], ([i]) => i),
    wrt: [],
  },
  {
    op: 'stopGradient',
    inputs: { x },
    build: ({ x }) => mul(stopGradient(x), x),
    reference: ({ x }) => zip(v => v * v, x),
    gradientOf: ({ x: moved }) => zip((v, w) => v * w, moved, x),
  },
  {
    op: 'cast',
    inputs: { x },
    build: ({ x }) => cast(mul(cast(x, 'float32'), 2), 'float64'),
    reference: ({ x }) => zip(v => 2 * v, x),
    tolerance: 1e-6,
  },
  { op: 'cast', name: 'to integers', inputs: { x }, build: ({ x }) => cast(x, 'int32'), reference: ({ x }) => zip(Math.trunc, x), wrt: [] },
  {
    op: 'add',
    name: 'one value on both sides',
    inputs: { x: positive },
    build: ({ x }) => add(add(x, x), sum(mul(x, x))),
    reference: ({ x }) => from(x.shape, i => 2 * at(x, i) + total(x.data.map(v => v * v))),
  },
];
