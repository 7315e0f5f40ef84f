/** @file What is charged and moved, in closed form; the chain's checks on made-up links; tables and figure. */
import { describe, expect, it } from 'vitest';
import { representationJsd } from '../../evaluation/distances/rjsd.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { chainCorrelations, chargeChecks, type Link, type ModelChain, modelDifferences, moved, overlap } from './chain.ts';
import { promiseFigure } from './figure.ts';
import { pooledMean, pooledSample, priorNats } from './pooled.ts';
import { measurePromise } from './run.ts';
import { CONDITIONS, suiteItems } from './suite.ts';

describe('what a bottleneck charges', () => {
  it('is nothing at the prior, and half of μ² per dimension beyond it', () => {
    const prior = { mean: new Float32Array(6), logVariance: new Float32Array(6) };
    expect(priorNats(prior, [0, 1, 2], 2)).toEqual({ total: 0, pooled: 0, perDimension: 0 });
    const shifted = { mean: Float32Array.of(2, 0, 2, 0), logVariance: new Float32Array(4) };
    // Two tokens of 2² / 2; their mean has 2 · 2² / 2, since it has half the variance.
    expect(priorNats(shifted, [0, 1], 2)).toEqual({ total: 4, pooled: 4, perDimension: 1 });
  });

  it('is less for the mean of tokens than for all of them', () => {
    const posterior = { mean: Float32Array.of(3, -3, 1, 0), logVariance: Float32Array.of(-1, 1, 0.5, -2) };
    const { total, pooled } = priorNats(posterior, [0, 1, 2, 3], 1);
    expect(pooled).toBeLessThan(total);
    expect(pooled).toBeGreaterThan(0);
    const hand = (m: number, v: number): number => (Math.exp(v) - 1 - v + m * m) / 2;
    expect(total).toBeCloseTo(hand(3, -1) + hand(-3, 1) + hand(1, 0.5) + hand(0, -2), 6);
  });

  it('pools means, and draws about them with the right spread', () => {
    expect(pooledMean([1, 2, 3, 4, 9, 9], [0, 1], 2)).toEqual(Float64Array.of(2, 3));
    const posterior = { mean: Float32Array.of(5, 5), logVariance: new Float32Array(2) };
    const draws = Array.from({ length: 4000 }, (_, i) => pooledSample(posterior, [0, 1], 1, i)[0] - 5);
    const spread = draws.reduce((sum, d) => sum + d * d, 0) / draws.length;
    expect(Math.abs(spread - 0.5)).toBeLessThan(0.05);
  });

  it('bounds the divergence of representations of a made-up posterior', () => {
    const rows = (shift: number) =>
      Array.from({ length: 200 }, (_, i) =>
        pooledSample({ mean: Float32Array.of(shift, 0, 0), logVariance: new Float32Array(3) }, [0], 3, i),
      );
    const half = priorNats({ mean: Float32Array.of(0.8, 0, 0), logVariance: new Float32Array(3) }, [0], 3).pooled / 2;
    const far = representationJsd(rows(0), rows(0.8));
    expect(far).toBeGreaterThan(0.001);
    expect(far).toBeLessThan(half);
  });
});

/** A link that moved by `m`, is charged `nats`, and lost what `lost` says. */
function link(i: number, m: number, lost: number, nats: number): Link {
  const charge = { total: 10 * nats, pooled: nats };
  const side = { used: m, sampled: m / 2, before: m };
  const emid = { value: lost / 10, standardError: 0.01, low: lost / 10 - 0.02, high: lost / 10 + 0.02 };
  const divergences = { visual: m, text: m, sourceOutput: 0.01, targetOutput: 0.02 };
  return {
    condition: CONDITIONS[i + 1],
    accuracy: 0.5 - lost,
    lost: { value: lost, low: lost, high: lost },
    wordsLost: { value: lost, low: lost, high: lost },
    emid,
    divergences,
    bound: 1,
    stateBound: 1,
    visual: side,
    text: side,
    charge: { visual: charge, text: charge },
  };
}
const chain = (model: string, factor = 1): ModelChain => ({
  model,
  layer: 2,
  cleanAccuracy: 0.8,
  links: CONDITIONS.slice(1).map((_, i) => link(i, 0.01 * (i + 1) * factor, 0.02 * (i + 1) * factor, i === 0 ? 0.001 : 0.1 * (i + 1))),
});

describe('words that an answer has right', () => {
  it('are counted on both sides', () => {
    expect(overlap('a dog', 'a dog')).toBe(1);
    expect(overlap('dog', 'a dog')).toBeCloseTo(2 / 3, 12);
    expect(overlap('dog dog', 'a dog')).toBe(0.5);
    expect(overlap('', 'a dog')).toBe(0);
  });
});

describe('the chain', () => {
  it('counts where a bound holds and where it says anything', () => {
    const [first] = chargeChecks(chain('a')).filter(c => c.side === 'visual' && c.by === 'pooled' && c.of === 'sampled');
    // The first shift is charged 0.001 and moved 0.005; from 0.7 nats on, which ln 2 lies below, the bound says nothing.
    expect(first).toMatchObject({ holds: 21, shifts: 22, says: 6, least: 0.001 });
    expect(first.furthest).toBeCloseTo(0.11, 12);
    const { charge: _, ...bare } = link(0, 0.1, 0.1, 1);
    expect(chargeChecks({ ...chain('b'), links: [bare] })).toEqual([]);
  });

  it('correlates over shifts, and within kinds', () => {
    const found = chainCorrelations(chain('a'));
    const of = (over: string) => found.find(c => c.of === 'EMID – accuracy lost' && c.over === over)!;
    expect(of('all').r).toBeCloseTo(1, 12);
    expect([of('all').n, of('visual').n, of('textual').n]).toEqual([22, 11, 8]);
    expect(moved(chain('a').links[3])).toBeCloseTo(0.4, 12);
  });

  it('sets models side by side', () => {
    const lost = modelDifferences(chain('a', 0.5), chain('b')).find(d => d.what === 'accuracy lost')!;
    expect(lost.second).toBeCloseTo(2 * lost.first, 12);
    expect(lost.high).toBeLessThan(0);
  });
});

it('is measured only on a model with a bottleneck', async () => {
  const runtime = nodeRuntime({ threads: 1 });
  const options = { models: ['scene-llava'], encoder: 'scene-llava', scenes: 1 };
  await expect(measurePromise(runtime, options)).rejects.toThrow(/scene-llava has no bottleneck; name the model that has one first/);
  await runtime.release();
});

describe('the suite and its figure', () => {
  it('has the same questions under all shifts, changed where it says so', async () => {
    expect(new Set(CONDITIONS.map(c => c.name)).size).toBe(CONDITIONS.length);
    const [clean, joint] = [await suiteItems(CONDITIONS[0], 2, 96), await suiteItems(CONDITIONS.at(-1)!, 2, 96)];
    expect(joint.map(i => i.reference)).toEqual(clean.map(i => i.reference));
    expect(joint.map(i => i.question)).not.toEqual(clean.map(i => i.question));
    expect(joint[0].image.data).not.toEqual(clean[0].image.data);
  });

  it.each(['light', 'dark'] as const)('is drawn, %s', shade => {
    const { svg } = promiseFigure([chain('with'), chain('without', 2)], shade);
    expect(svg).toContain(shade === 'light' ? '#ffffff' : '#14161b');
    expect(svg.match(/<circle/g)!.length).toBe(22 + 4 * 22 + 5);
    expect(svg).not.toMatch(/NaN|undefined/);
  });
});
