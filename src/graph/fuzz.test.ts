/** @file Fuzzed shapes: forward against plain loops, and the adjoint identity ⟨Jv, u⟩ = ⟨v, Jᵀu⟩ for every op that is linear in its input. */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../runtime/node.ts';
import { sizeOf } from '../tensor/tensor.ts';
import { expectClose } from '../testing/close.ts';
import { at, from, type Plain, plain, reduce, total, uniform, zip } from '../testing/plain.ts';
import * as g from './index.ts';
import { checkCase, host } from './testing/op-case.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());

const shapeOf = (minLength: number, maxLength: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max: 4 }), { minLength, maxLength });
const RUNS = { numRuns: 60 };

/** Compares f with its reference and ⟨f(v), u⟩ with ⟨v, fᵀ(u)⟩, where fᵀ is the gradient. */
async function checkLinear(x: Plain, build: (x: g.Value) => g.Value, expected: Plain): Promise<void> {
  const value = g.input('x', x.shape, 'float64');
  const y = build(value);
  const u = uniform(expected.shape, -1, 1, 3);
  const [gradient] = g.grad(g.sum(g.mul(y, g.constant(host('float64', u)))), [value]);
  await using compiled = await g.compile(runtime, { y, gradient });
  const out = await compiled.run({ x: host('float64', x) });
  expect(out.y.shape).toEqual(expected.shape);
  expect(y.shape).toEqual(expected.shape);
  expect(out.gradient.shape).toEqual(x.shape);
  expectClose(out.y.data as Float64Array, expected.data, { rtol: 1e-10, atol: 1e-10 });
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => total(Array.from(a, (v, i) => v * b[i]));
  expectClose([dot(expected.data, u.data)], [dot(x.data, out.gradient.data as Float64Array)], { rtol: 1e-9, atol: 1e-9 });
}

/** Two shapes that broadcast, and what is left of each after axes are dropped or set to 1. */
const broadcastPair = shapeOf(0, 4).chain(shape => {
  const side = fc.tuple(fc.integer({ min: 0, max: shape.length }), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }));
  return fc.tuple(side, side).map(sides => sides.map(([drop, ones]) => shape.slice(drop).map((d, i) => (ones[i] ? 1 : d))));
});

describe('broadcasting', () => {
  const ops: [string, (a: g.Value, b: g.Value) => g.Value, (a: number, b: number) => number][] = [
    ['add', g.add, (a, b) => a + b],
    ['sub', g.sub, (a, b) => a - b],
    ['mul', g.mul, (a, b) => a * b],
    ['div', g.div, (a, b) => a / b],
    ['maximum', g.maximum, Math.max],
    ['minimum', g.minimum, Math.min],
  ];
  it.each(ops)('%s, with gradients summed back', async (op, f, reference) => {
    await fc.assert(
      fc.asyncProperty(broadcastPair, async ([a, b]) => {
        await checkCase(runtime, {
          op,
          inputs: { a: uniform(a, 0.5, 2, 1), b: uniform(b, 0.5, 2, 2) },
          build: ({ a, b }) => f(a, b),
          reference: ({ a, b }) => zip(reference, a, b),
        });
      }),
      { numRuns: 25 },
    );
  });

  it('refuses shapes that do not fit, as NumPy does', () => {
    fc.assert(
      fc.property(shapeOf(1, 4), shapeOf(1, 4), (a, b) => {
        const fits = a.every((d, i) => {
          const e = b[b.length - a.length + i] ?? 1;
          return d === e || d === 1 || e === 1;
        });
        const build = (): g.Value => g.add(g.input('a', a), g.input('b', b));
        if (fits) expect(build().shape.length).toBe(Math.max(a.length, b.length));
        else expect(build).toThrow(/do not broadcast/);
      }),
    );
  });
});

describe('reductions', () => {
  const axesOf = shapeOf(0, 4).chain(shape =>
    fc.tuple(
      fc.constant(shape),
      fc.subarray([...shape.keys()]).chain(axes => fc.shuffledSubarray(axes, { minLength: axes.length })),
      fc.boolean(),
      fc.boolean(),
    ),
  );
  it.each([
    ['sum', g.sum, total],
    ['mean', g.mean, (v: number[]) => total(v) / v.length],
    ['max', g.max, (v: number[]) => Math.max(...v)],
  ] as const)('%s over any axes', async (op, f, reference) => {
    await fc.assert(
      fc.asyncProperty(axesOf, async ([shape, axes, keep, negative]) => {
        await checkCase(runtime, {
          op,
          inputs: { x: uniform(shape) },
          build: ({ x }) =>
            f(
              x,
              axes.map(axis => (negative ? axis - shape.length : axis)),
              keep,
            ),
          reference: ({ x }) => reduce(reference, x, axes, keep),
        });
      }),
      { numRuns: 30 },
    );
  });
});

describe('moving elements', () => {
  it('slices, with bounds from either end', async () => {
    const bounds = shapeOf(1, 4).chain(shape =>
      fc.integer({ min: 0, max: shape.length - 1 }).chain(axis =>
        fc
          .tuple(
            fc.integer({ min: 0, max: shape[axis] - 1 }),
            fc.integer({ min: 1, max: shape[axis] }),
            fc.boolean(),
            fc.boolean(),
            fc.boolean(),
          )
          .filter(([start, end]) => start < end)
          .map(rest => [shape, axis, ...rest] as const),
      ),
    );
    await fc.assert(
      fc.asyncProperty(bounds, async ([shape, axis, start, end, fromEnd, toEnd, named]) => {
        const size = shape[axis];
        const [a, b] = [fromEnd ? start - size : start, toEnd ? (end === size ? undefined : end - size) : end];
        const x = uniform(shape);
        const expected = from(
          shape.map((d, i) => (i === axis ? end - start : d)),
          index =>
            at(
              x,
              index.map((v, i) => (i === axis ? v + start : v)),
            ),
        );
        if (!named) return checkLinear(x, v => g.slice(v, axis - shape.length, a, b), expected);
        // The same with a size known only when running.
        const value = g.input(
          'x',
          shape.map((d, i) => (i === axis ? 'n' : d)),
          'float64',
        );
        const y = g.slice(value, axis, a, b);
        const [gradient] = g.grad(g.sum(g.mul(y, y)), [value]);
        await using compiled = await g.compile(runtime, { y, gradient });
        const out = await compiled.run({ x: host('float64', x) });
        expect(out.y.shape).toEqual(expected.shape);
        expectClose(out.y.data as Float64Array, expected.data);
        const inside = from(shape, index => (index[axis] >= start && index[axis] < end ? 2 * at(x, index) : 0));
        expectClose(out.gradient.data as Float64Array, inside.data);
      }),
      RUNS,
    );
  });

  it('refuses slices that are empty or outside', () => {
    const x = g.input('x', [3, 4]);
    for (const [start, end] of [
      [2, 2],
      [3, 1],
      [0, 5],
      [4, undefined],
      [-5, 2],
      [0, 0],
      [0.5, 2],
    ] as const)
      expect(() => g.slice(x, 1, start, end), `[${start}, ${end})`).toThrow(/slice: /);
  });

  it('transposes', async () => {
    const orders = shapeOf(1, 5).chain(s => fc.tuple(fc.constant(s), fc.shuffledSubarray([...s.keys()], { minLength: s.length })));
    await fc.assert(
      fc.asyncProperty(orders, async ([shape, perm]) => {
        const x = uniform(shape);
        const back = perm.map((_, i) => perm.indexOf(i));
        await checkLinear(
          x,
          v => g.transpose(v, perm),
          from(
            perm.map(p => shape[p]),
            index =>
              at(
                x,
                back.map(p => index[p]),
              ),
          ),
        );
      }),
      RUNS,
    );
  });

  it('reshapes', async () => {
    const pairs = fc.tuple(shapeOf(0, 3), fc.array(fc.constantFrom(1, 2, 3), { maxLength: 2 }));
    await fc.assert(
      fc.asyncProperty(pairs, fc.integer(), async ([a, b], seed) => {
        const shape = [...a, ...b];
        const to = [...b, ...a].sort((p, q) => ((p * 31 + seed) % 7) - ((q * 31 + seed) % 7)).concat(1);
        const x = uniform(shape);
        await checkLinear(x, v => g.reshape(v, to), plain(to, x.data));
      }),
      RUNS,
    );
  });

  it('concatenates', async () => {
    const parts = shapeOf(1, 3).chain(shape =>
      fc.tuple(fc.constant(shape), fc.nat(shape.length - 1), fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 })),
    );
    await fc.assert(
      fc.asyncProperty(parts, async ([shape, axis, lengths]) => {
        const sized = (n: number): number[] => shape.map((d, i) => (i === axis ? n : d));
        // One input cut into pieces that are joined in reverse order: exercises slices' and concat's adjoints together.
        const x = uniform(sized(total(lengths)));
        const starts = lengths.map((_, i) => total(lengths.slice(0, i)));
        const order = [...lengths.keys()].reverse();
        const source = order.flatMap(i => Array.from({ length: lengths[i] }, (_, j) => starts[i] + j));
        await checkLinear(
          x,
          v =>
            g.concat(
              order.map(i => g.slice(v, axis, starts[i], starts[i] + lengths[i])),
              axis,
            ),
          from(x.shape, index =>
            at(
              x,
              index.map((v, i) => (i === axis ? source[v] : v)),
            ),
          ),
        );
      }),
      RUNS,
    );
  });

  it('gathers, with repeated indices', async () => {
    const picks = shapeOf(1, 3).chain(shape =>
      fc.nat(shape.length - 1).chain(axis =>
        fc.tuple(
          fc.constant(shape),
          fc.constant(axis),
          shapeOf(0, 2).chain(s =>
            fc.tuple(
              fc.constant(s),
              fc.array(fc.integer({ min: -shape[axis], max: shape[axis] - 1 }), { minLength: sizeOf(s), maxLength: sizeOf(s) }),
            ),
          ),
        ),
      ),
    );
    await fc.assert(
      fc.asyncProperty(picks, async ([shape, axis, [idShape, ids]]) => {
        const x = uniform(shape);
        const indices = plain(
          idShape,
          ids.map(i => (i < 0 ? i + shape[axis] : i)),
        );
        const expected = from([...shape.slice(0, axis), ...idShape, ...shape.slice(axis + 1)], index => {
          const picked = at(indices, index.slice(axis, axis + idShape.length));
          return at(x, [...index.slice(0, axis), picked, ...index.slice(axis + idShape.length)]);
        });
        await checkLinear(x, v => g.gather(v, g.constant(host('int64', plain(idShape, ids))), axis), expected);
      }),
      RUNS,
    );
  });
});
