/** @file Every metric of the table on one map that is right and one that is wrong: the stated direction prefers the right one, by far. */
import { describe, expect, it } from 'vitest';
import { additiveGame } from '../../attribution/game.ts';
import { floats } from '../../tensor/tensor.ts';
import type { Change, MetricEntry, MetricSample } from './metric.ts';
import { createMetric, metrics } from './registry.ts';

const SIDE = 8;
const AREA = SIDE * SIDE;
/** The named thing: the top left quarter. */
const inside = (i: number): boolean => Math.floor(i / SIDE) < SIDE / 2 && i % SIDE < SIDE / 2;
const each = (value: (i: number) => number, count = AREA): Float32Array => Float32Array.from({ length: count }, (_, i) => value(i));

/** What a pixel is worth: the thing a lot, the rest less than nothing. */
const WORTH = each(i => (inside(i) ? 5 + ((i * 7) % 16) / 4 : -0.5 - ((i * 5) % 7) / 100));
/** Near to binary, so that multiplying by it leaves the thing as it is. */
const RIGHT = each(i => (inside(i) ? 80 + WORTH[i] : 0.6 + WORTH[i]));
const WORDS = [0.5, -0.1, 2, -0.2, 1.5, -0.05, -0.15, -0.08];
const WORDS_RIGHT = Float32Array.from(WORDS, v => (v > 0 ? 10 + v : 0.3 + v));

/** The same values in the opposite order: high where it was low. */
const turned = (map: Float32Array): Float32Array => map.map(v => Math.max(...map) + Math.min(...map) - v);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((sum, v, i) => sum + v * b[i], 0);

/** A method's answers: a good one keeps its map under noise and seeds, and loses it with the weights or the caption. */
const explain =
  (map: Float32Array, good: boolean) =>
  async ({ randomisedBlocks, text }: Change): Promise<Float32Array> => {
    const lost = randomisedBlocks !== undefined || text !== undefined;
    if (text !== undefined && !good) return map.map(v => 2 * v);
    if (lost === good) return turned(map).map(v => v / 20);
    return map;
  };

/** Two seeds that disagree. */
const restless = (map: Float32Array) => {
  let calls = 0;
  return async (change: Change): Promise<Float32Array> =>
    change.seed === undefined ? explain(map, false)(change) : calls++ % 2 ? turned(map) : map;
};

function picture(map: Float32Array, good: boolean): MetricSample {
  const plane = Float32Array.from({ length: 3 * AREA }, () => 1);
  return {
    ...{ modality: 'image', map, grid: [SIDE, SIDE], size: [SIDE, SIDE], otherText: 'another', key: 3 },
    truth: Uint8Array.from({ length: AREA }, (_, i) => (inside(i) ? 1 : 0)),
    game: () => additiveGame(WORTH, 1),
    pixels: floats([3, SIDE, SIDE], plane),
    scorePixels: async ({ shape, data }) =>
      Float64Array.from({ length: shape[0] }, (_, m) => 1 + dot(data.subarray(3 * m * AREA, (3 * m + 1) * AREA), WORTH)),
    explain: good ? explain(map, good) : restless(map),
    cost: good
      ? { forward: 1, backward: 0, seconds: 0.1, peakBytes: 2 ** 20 }
      : { forward: 9, backward: 9, seconds: 9, peakBytes: 9 * 2 ** 20 },
  };
}

function caption(map: Float32Array, good: boolean): MetricSample {
  const { grid: _, size: __, pixels: ___, scorePixels: ____, ...rest } = picture(map, good);
  return {
    ...rest,
    modality: 'text',
    truth: Uint8Array.from(WORDS, v => (v > 0 ? 1 : 0)),
    game: () => additiveGame(WORDS, 1),
    scoreTokenWeights: async weights =>
      Float64Array.from({ length: weights.length / map.length }, (_, m) =>
        dot(weights.subarray(m * map.length, (m + 1) * map.length), WORDS),
      ),
  };
}

/** Blurring and imputing a picture of one colour changes nothing, so these get one of stripes. */
const striped = (sample: MetricSample): MetricSample => ({
  ...sample,
  pixels: floats(
    sample.pixels!.shape,
    each(i => (i % 2 ? 2 : 0.2), 3 * AREA),
  ),
});

const judge = (entry: MetricEntry, sample: MetricSample): Promise<number> => createMetric(entry).update(sample);
const cases = metrics.flatMap(entry => entry.modalities.map(modality => [entry.name, modality, entry] as const));

describe('a right map against a wrong one', () => {
  it.each(cases)('%s, %s', async (name, modality, entry) => {
    const make = modality === 'image' ? picture : caption;
    const map = modality === 'image' ? RIGHT : WORDS_RIGHT;
    const change = ['road', 'pixel-insertion'].includes(name) ? striped : (sample: MetricSample) => sample;
    const right = await judge(entry, change(make(map, true)));
    const wrong = await judge(entry, change(make(turned(map), false)));
    expect(Number.isFinite(right)).toBe(true);
    expect(Number.isFinite(wrong)).toBe(true);
    expect(entry.direction).not.toBe('none');
    const gain = entry.direction === 'higher' ? right - wrong : wrong - right;
    expect(gain).toBeGreaterThan(0.1 * Math.max(Math.abs(right), Math.abs(wrong)));
  });
});

describe('a map of one value', () => {
  it.each(cases)('is never an exception: %s, %s', async (_, modality, entry) => {
    for (const value of [0, 0.1, -3]) {
      const sample =
        modality === 'image'
          ? picture(
              RIGHT.map(() => value),
              true,
            )
          : caption(
              WORDS_RIGHT.map(() => value),
              true,
            );
      const metric = createMetric(entry);
      const judged = await metric.update(sample);
      expect(metric.summary().nanCount).toBe(Number.isNaN(judged) ? 1 : 0);
      expect(Math.abs(judged)).not.toBe(Number.POSITIVE_INFINITY);
    }
  });
});
