/** @file Robustness and randomisation, with methods whose answer to a change is known. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../tensor/random.ts';
import { floats } from '../../tensor/tensor.ts';
import type { Change, MetricSample } from './metric.ts';
import { cascade } from './randomisation.ts';
import { judge } from './testing/samples.ts';

const MAP = [3, 1, 4, 1.5, 9, 2.5, 6, 5];
const REVERSED = MAP.map(v => -v);
const FLAT = MAP.map(() => 1);

/** A sample of a method, of which the changes asked for are kept. */
function sampleOf(
  explain: (change: Change) => readonly number[],
  map: readonly number[] = MAP,
): MetricSample & { readonly asked: Change[] } {
  const asked: Change[] = [];
  return {
    modality: 'image',
    map: Float32Array.from(map),
    grid: [2, 4],
    size: [2, 4],
    pixels: floats([3, 2, 4], new Float32Array(24).fill(0.5)),
    scorePixels: async () => new Float64Array(1),
    async explain(change) {
      asked.push(change);
      return Float32Array.from(explain(change));
    },
    otherText: 'a green house',
    key: 7,
    asked,
  };
}

describe('max-sensitivity', () => {
  it('is 0 for a method that does not see the noise', async () => {
    expect(
      await judge(
        'max-sensitivity',
        sampleOf(() => MAP),
      ),
    ).toBe(0);
  });

  it('is the largest relative distance over the draws', async () => {
    let run = 0;
    const sample = sampleOf(() => {
      const factor = [1.1, 0.5, 1.2][run++];
      return MAP.map(v => v * factor);
    });
    expect(await judge('max-sensitivity', sample, { samples: 3 })).toBeCloseTo(0.5, 6);
    expect(
      await judge(
        'max-sensitivity',
        sampleOf(() => REVERSED),
      ),
    ).toBeCloseTo(2, 6);
  });

  it('moves every pixel by at most the radius, each draw another way, by the key of the sample', async () => {
    const sample = sampleOf(() => MAP);
    await judge('max-sensitivity', sample, { radius: 0.25, samples: 4 });
    expect(sample.asked.length).toBe(4);
    const moves = sample.asked.map(({ pixels }) => Array.from(pixels!.data, v => v - 0.5));
    for (const move of moves) {
      expect(Math.max(...move.map(Math.abs))).toBeLessThanOrEqual(0.25);
      expect(Math.max(...move)).toBeGreaterThan(0.1);
      expect(Math.min(...move)).toBeLessThan(-0.1);
    }
    expect(moves[0]).not.toEqual(moves[1]);
    const again = sampleOf(() => MAP);
    await judge('max-sensitivity', again, { radius: 0.25, samples: 4 });
    expect(again.asked).toEqual(sample.asked);
  });

  it('is not defined for a map of zeros', async () => {
    expect(
      await judge(
        'max-sensitivity',
        sampleOf(
          () => MAP,
          MAP.map(() => 0),
        ),
      ),
    ).toBeNaN();
  });
});

describe('stability over seeds', () => {
  it('is 1 for a method without chance, about 0 for pure chance', async () => {
    const steady = sampleOf(() => MAP);
    expect(await judge('seed-stability', steady, { seeds: 3 })).toBe(1);
    expect(new Set(steady.asked.map(c => c.seed)).size).toBe(3);
    const chance = (seed: number): number[] => {
      const reader = new RandomStream(seed, 'test').reader(0, 0);
      return Array.from({ length: 400 }, () => reader.uniform());
    };
    const noise = { ...sampleOf(({ seed }) => chance(seed!), chance(0)), grid: [20, 20] as const };
    // Standard error of a rank correlation of 400 values: 0.05.
    expect(Math.abs(await judge('seed-stability', noise))).toBeLessThan(0.2);
  });

  it('averages over pairs of seeds', async () => {
    let run = 0;
    const sample = sampleOf(() => (run++ === 0 ? REVERSED : MAP));
    // Two of three pairs are reversed.
    expect(await judge('seed-stability', sample, { seeds: 3 })).toBeCloseTo(-1 / 3, 12);
    expect(
      await judge(
        'seed-stability',
        sampleOf(() => FLAT),
      ),
    ).toBeNaN();
  });
});

describe('parameter randomisation', () => {
  it('is 1 for a method that does not look at the weights, −1 where all turns round', async () => {
    expect(
      await judge(
        'parameter-randomisation',
        sampleOf(() => MAP),
      ),
    ).toBe(1);
    expect(
      await judge(
        'parameter-randomisation',
        sampleOf(() => REVERSED),
      ),
    ).toBe(-1);
  });

  it('goes block by block from the top, and averages over what is defined', async () => {
    const of = (): ReturnType<typeof sampleOf> => sampleOf(({ randomisedBlocks }) => [MAP, REVERSED, FLAT, MAP][randomisedBlocks! - 1]);
    expect(await cascade(of(), 4)).toEqual([1, -1, Number.NaN, 1]);
    const sample = of();
    expect(await judge('parameter-randomisation', sample, { depth: 4 })).toBeCloseTo(1 / 3, 12);
    expect(sample.asked.map(c => c.randomisedBlocks)).toEqual([1, 2, 3, 4]);
    expect(
      await judge(
        'parameter-randomisation',
        sampleOf(() => FLAT),
      ),
    ).toBeNaN();
  });
});

describe('prompt randomisation', () => {
  it('is 1 for a map that does not depend on the caption, −1 for one that turns round', async () => {
    const sample = sampleOf(() => MAP);
    expect(await judge('prompt-randomisation', sample)).toBe(1);
    expect(sample.asked).toEqual([{ text: 'a green house' }]);
    expect(
      await judge(
        'prompt-randomisation',
        sampleOf(() => REVERSED),
      ),
    ).toBe(-1);
  });

  it('sees peaks that move over a background that stays only by values', async () => {
    // Ranks agree but for the two highest, whose places are taken by one another.
    const before = [0, 1, 2, 3, 4, 5, 12, 100];
    const after = [0, 1, 2, 3, 4, 5, 100, 12];
    const sample = { ...sampleOf(() => after), map: Float32Array.from(before) };
    expect(await judge('prompt-randomisation', sample)).toBeGreaterThan(0.97);
    expect(await judge('prompt-randomisation', sample, { similarity: 'pearson' })).toBeLessThan(0.1);
    expect(await judge('parameter-randomisation', sample, { similarity: 'pearson' })).toBeLessThan(0.1);
  });

  it('is not defined for a map of one value, or without another caption', async () => {
    expect(
      await judge(
        'prompt-randomisation',
        sampleOf(() => FLAT),
      ),
    ).toBeNaN();
    for (const name of ['prompt-randomisation', 'matched-against-shuffled'])
      expect(await judge(name, { ...sampleOf(() => MAP), otherText: undefined })).toBeNaN();
  });
});

describe('matched against shuffled', () => {
  it('compares the positive mass of both captions', async () => {
    const of = (other: readonly number[]): Promise<number> =>
      judge(
        'matched-against-shuffled',
        sampleOf(() => other),
      );
    expect(await of(MAP.map(v => v / 2))).toBe(1);
    expect(await of(MAP.map(v => v * 2))).toBe(0);
    expect(await of([...MAP].reverse())).toBe(0.5);
    // Negative values do not count against.
    expect(await of(MAP.map((v, i) => (i ? v : -1000)))).toBe(1);
  });
});

describe('a method that gives another number of values', () => {
  it.each(['max-sensitivity', 'seed-stability', 'parameter-randomisation', 'prompt-randomisation', 'matched-against-shuffled'])(
    'is refused by %s',
    async name => {
      const message = 'The method gave 2 values where the map to compare with has 8.';
      await expect(
        judge(
          name,
          sampleOf(() => [1, 2]),
        ),
      ).rejects.toThrow(message);
    },
  );
});
