import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, grad, input, mul, squeeze, sum, type Value } from '../graph/index.ts';
import { nodeRuntime } from '../runtime/node.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { floats, ints, sizeOf, type Tensor } from '../tensor/tensor.ts';
import { expectClose } from '../testing/close.ts';
import { uniform } from '../testing/plain.ts';
import { pooledAttention, project, rowAt, selfAttention, textMask } from './attention.ts';
import { trainableParameters } from './parameters.ts';

let runtime: Runtime;
beforeAll(() => {
  runtime = nodeRuntime({ threads: 1 });
});
afterAll(() => runtime.release());

const [BATCH, TOKENS, WIDTH, HEADS] = [2, 5, 12, 3];
const random = (shape: readonly number[], seed: number): Tensor => floats(shape, uniform(shape, -1, 1, seed).data as number[]);

/** Runs values of a graph over random weights. */
async function run(outputs: Record<string, Value>, feeds: Record<string, Tensor> = {}): Promise<Record<string, Tensor>> {
  await using graph = await compile(runtime, outputs);
  const all: Record<string, Tensor> = { ...feeds };
  for (const [i, { name, shape }] of graph.graph.inputs.entries()) all[name] ??= random(shape as number[], 100 + i + name.length);
  return graph.run(all);
}

const X = random([BATCH, TOKENS, WIDTH], 1);

/** Softmax attention written out in float64, [B, N, D] from projected q, k, v; `seen(b, i, j)` says which keys a query may see. */
function plainAttention(q: Tensor, k: Tensor, v: Tensor, seen: (b: number, i: number, j: number) => boolean): number[] {
  const depth = WIDTH / HEADS;
  const at = (t: Tensor, b: number, n: number, c: number): number => Number(t.data[(b * TOKENS + n) * WIDTH + c]);
  const out = new Array(sizeOf(q.shape)).fill(0);
  for (let b = 0; b < BATCH; b++)
    for (let h = 0; h < HEADS; h++)
      for (let i = 0; i < TOKENS; i++) {
        const weights = Array.from({ length: TOKENS }, (_, j) => {
          if (!seen(b, i, j)) return 0;
          let score = 0;
          for (let c = 0; c < depth; c++) score += at(q, b, i, h * depth + c) * at(k, b, j, h * depth + c);
          return Math.exp(score / Math.sqrt(depth));
        });
        const total = weights.reduce((a, w) => a + w, 0);
        for (let c = 0; c < depth; c++)
          for (let j = 0; j < TOKENS; j++)
            out[(b * TOKENS + i) * WIDTH + h * depth + c] += (weights[j] / total) * at(v, b, j, h * depth + c);
      }
  return out;
}

/** ids only tell the sequence's length; row 1 ends in two tokens of padding. */
const IDS = ints([BATCH, TOKENS], new Int32Array(BATCH * TOKENS));
const MASK = ints([BATCH, TOKENS], [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
const ids = (): Value => input('ids', ['batch', 'seq'], 'int32');
const mask = (): Value => input('mask', ['batch', 'seq'], 'int32');

describe('selfAttention', () => {
  it.each([
    ['without mask', undefined, () => true],
    [
      'causal, with padding',
      () => textMask(ids(), mask()),
      (b: number, i: number, j: number) => j <= i && Boolean(MASK.data[b * TOKENS + j]),
    ],
  ] as [string, (() => Value) | undefined, (b: number, i: number, j: number) => boolean][])(
    'equals the formula: %s',
    async (_, additive, seen) => {
      const p = trainableParameters();
      const x = input('x', ['batch', 'seq', WIDTH]);
      const { output, attention } = selfAttention(p, x, HEADS, additive?.());
      const [q, k, v] = ['q_proj', 'k_proj', 'v_proj'].map(name => project(p, name, x, WIDTH));
      const context = input('context', ['batch', 'seq', WIDTH]);
      const projected = project(p, 'out_proj', context, WIDTH);
      const weights = Object.fromEntries([...p.all].map(([name, { shape }], i) => [name, random(shape as number[], 10 + i)]));
      const feeds = { ...weights, x: X, ids: IDS, mask: MASK };
      const out = await run({ output, attention, q, k, v }, feeds);
      const expected = plainAttention(out.q, out.k, out.v, seen);
      const { projected: wanted } = await run({ projected }, { ...weights, context: floats(X.shape, expected) });
      expectClose(out.output.data as Float32Array, wanted.data as Float32Array, { rtol: 1e-5, atol: 1e-6 });
      expect(out.attention.shape).toEqual([BATCH, HEADS, TOKENS, TOKENS]);
      for (let r = 0; r < out.attention.data.length; r++) {
        const [j, i, b] = [r % TOKENS, Math.floor(r / TOKENS) % TOKENS, Math.floor(r / (TOKENS * TOKENS * HEADS))];
        if (!seen(b, i, j)) expect(out.attention.data[r]).toBe(0);
      }
    },
  );
});

describe('pooledAttention', () => {
  it.each([0, 2, 4])('equals row %s of selfAttention, in value and gradient', async position => {
    const p = trainableParameters();
    const x = input('x', ['batch', 'seq', WIDTH]);
    const g = input('g', ['batch', 1, WIDTH]);
    const square = textMask(ids(), mask());
    // [B, 1, T, T] -> the query's row, [B, 1, T]
    const row = rowAt(rowOfMask(square), position);
    const whole = rowAt(selfAttention(p, x, HEADS, square).output, position);
    const pooled = pooledAttention(p, x, rowAt(x, position), HEADS, row);
    const wrt = [x, p.get('q_proj.weight', [WIDTH, WIDTH]), p.get('k_proj.weight', [WIDTH, WIDTH]), p.get('v_proj.weight', [WIDTH, WIDTH])];
    const outputs: Record<string, Value> = { whole, pooled };
    for (const [name, value] of [
      ['whole', whole],
      ['pooled', pooled],
    ] as const)
      for (const [i, gradient] of grad(sum(mul(value, g)), wrt).entries()) outputs[`${name}.${i}`] = gradient;
    const out = await run(outputs, { x: X, g: random([BATCH, 1, WIDTH], 2), ids: IDS, mask: MASK });
    expect(out.pooled.shape).toEqual([BATCH, 1, WIDTH]);
    const compare = (a: string, b: string): void =>
      expectClose(out[a].data as Float32Array, out[b].data as Float32Array, { rtol: 1e-4, atol: 2e-6, label: a });
    compare('pooled', 'whole');
    for (let i = 0; i < wrt.length; i++) compare(`pooled.${i}`, `whole.${i}`);
  });

  it('equals it without a mask too', async () => {
    const p = trainableParameters();
    const x = input('x', ['batch', TOKENS, WIDTH]);
    const out = await run(
      { whole: rowAt(selfAttention(p, x, HEADS).output, 1), pooled: pooledAttention(p, x, rowAt(x, 1), HEADS) },
      { x: X },
    );
    expectClose(out.pooled.data as Float32Array, out.whole.data as Float32Array, { rtol: 1e-5, atol: 1e-6 });
  });
});

/** [B, 1, T, T] -> [B, T, T] */
const rowOfMask = (square: Value): Value => squeeze(square, 1);

describe('textMask', () => {
  const LOWEST = Math.fround(-3.4028234663852886e38);

  it('lets a query see itself and what stands before it', async () => {
    const { m } = await run({ m: textMask(ids()) }, { ids: IDS });
    expect(m.shape).toEqual([1, 1, TOKENS, TOKENS]);
    for (let i = 0; i < TOKENS; i++) for (let j = 0; j < TOKENS; j++) expect(m.data[i * TOKENS + j]).toBe(j <= i ? 0 : LOWEST);
  });

  it('hides padding, per sample', async () => {
    const { m } = await run({ m: textMask(ids(), mask()) }, { ids: IDS, mask: MASK });
    expect(m.shape).toEqual([BATCH, 1, TOKENS, TOKENS]);
    for (let b = 0; b < BATCH; b++)
      for (let i = 0; i < TOKENS; i++)
        for (let j = 0; j < TOKENS; j++)
          expect(m.data[(b * TOKENS + i) * TOKENS + j]).toBe(j <= i && MASK.data[b * TOKENS + j] ? 0 : LOWEST);
  });

  it('of nothing but padding stays finite: softmax over it gives no NaN', async () => {
    const p = trainableParameters();
    const x = input('x', ['batch', 'seq', WIDTH]);
    const { output } = selfAttention(p, x, HEADS, textMask(ids(), mask()));
    const out = await run({ output }, { x: X, ids: IDS, mask: ints([BATCH, TOKENS], new Int32Array(BATCH * TOKENS)) });
    expect((out.output.data as Float32Array).every(Number.isFinite)).toBe(true);
  });
});
