/** @file Plain nested-loop tensors in float64: slow, obvious references for op tests. */
import { RandomStream } from '../tensor/random.ts';
import { sizeOf } from '../tensor/tensor.ts';

/** A shape and its elements in row-major order. */
export interface Plain {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** Wraps numbers. */
export const plain = (shape: readonly number[], data: readonly number[]): Plain => ({ shape, data });

/** Every index of a shape, in row-major order. */
export function* indices(shape: readonly number[]): Generator<number[]> {
  const index = shape.map(() => 0);
  for (let n = sizeOf(shape); n > 0; n--) {
    yield [...index];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
}

/** A tensor given by a formula for each element. */
export const from = (shape: readonly number[], element: (index: number[]) => number): Plain => ({
  shape,
  data: [...indices(shape)].map(element),
});

/** The element at an index, whose leading axes are dropped and whose axes of size 1 repeat, as in broadcasting. */
export function at(x: Plain, index: readonly number[]): number {
  const lead = index.length - x.shape.length;
  return x.data[x.shape.reduce((flat, size, axis) => flat * size + (size === 1 ? 0 : index[lead + axis]), 0)];
}

/** The shape to which all operands broadcast. */
export function jointShape(...shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map(s => s.length));
  return Array.from({ length: rank }, (_, i) => shapes.map(s => s[s.length - rank + i] ?? 1).reduce((a, b) => (a === 1 ? b : a)));
}

/** An elementwise function of broadcast operands. */
export const zip = (f: (...values: number[]) => number, ...xs: Plain[]): Plain =>
  from(jointShape(...xs.map(x => x.shape)), index => f(...xs.map(x => at(x, index))));

/** All values along `axes` (all by default) put through `f`. */
export function reduce(f: (values: number[]) => number, x: Plain, axes = x.shape.map((_, i) => i), keep = false): Plain {
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const groups = new Map<number, number[]>([...Array(sizeOf(kept)).keys()].map(i => [i, []]));
  for (const index of indices(x.shape)) {
    const group = kept.reduce((flat, size, axis) => flat * size + (size === 1 ? 0 : index[axis]), 0);
    groups.get(group)!.push(at(x, index));
  }
  const shape = keep ? kept : x.shape.filter((_, axis) => !axes.includes(axis));
  return { shape, data: [...groups.values()].map(f) };
}

/** Sum of numbers. */
export const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Uniform numbers in [low, high); the same for the same seed. */
export function uniform(shape: readonly number[], low = -2, high = 2, seed = 1): Plain {
  const reader = new RandomStream(seed, 'test').reader(0, 0);
  return { shape, data: Array.from({ length: sizeOf(shape) }, () => reader.uniform(low, high)) };
}

/** Central differences (f(x + h) − f(x − h)) / 2h of a scalar function, element by element. */
export function centralDifferences(f: (x: Plain) => number, x: Plain, h = 1e-5): number[] {
  return x.data.map((_, i) => {
    const moved = (d: number): Plain => ({ shape: x.shape, data: x.data.map((v, j) => (i === j ? v + d : v)) });
    return (f(moved(h)) - f(moved(-h))) / (2 * h);
  });
}
