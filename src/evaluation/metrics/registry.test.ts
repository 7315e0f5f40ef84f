/** @file The table of metrics, and what a streaming metric counts and refuses. */
import { describe, expect, it } from 'vitest';
import { NarrowsError } from '../../system/errors.ts';
import { floats } from '../../tensor/tensor.ts';
import { CATEGORIES, type Metric, type MetricSample } from './metric.ts';
import { createMetric, findMetric, metrics } from './registry.ts';
import { patchesSample, pixelsSample, truthSample, wordsSample } from './testing/samples.ts';

const metric = (name: string, options: Record<string, unknown> = {}): Metric => createMetric(findMetric(name)!, options);

describe('the table of metrics', () => {
  it('has a name, a title, a unit, one sentence and a source for each, once', () => {
    expect(new Set(metrics.map(m => m.name)).size).toBe(metrics.length);
    expect(new Set(metrics.map(m => m.title)).size).toBe(metrics.length);
    for (const m of metrics) {
      expect(m.name).toMatch(/^[a-z]+(-[a-z0-9]+)*$/);
      expect(m.reading, m.name).toMatch(/^.{20,200}\.$/);
      expect(m.unit.length, m.name).toBeGreaterThan(0);
      expect(m.source.length, m.name).toBeGreaterThan(0);
      expect(m.modalities.length, m.name).toBeGreaterThan(0);
      expect(['higher', 'lower', 'none']).toContain(m.direction);
      for (const [option, schema] of Object.entries(m.schema.shape)) expect(schema.description, `${m.name} ${option}`).toBeTruthy();
    }
  });

  it('serves every category, and all of what the issue names', () => {
    for (const category of CATEGORIES) expect(metrics.some(m => m.category === category)).toBe(true);
    const faithfulness = ['average-drop', 'insertion', 'deletion', 'pixel-insertion', 'pixel-deletion', 'aid', 'morf', 'lerf', 'abpc'];
    const more = ['sensitivity-n', 'infidelity', 'saco', 'p-faithfulness', 'road', 'aopc'];
    const paper = ['cosine-drop', 'cosine-increase', 'text-cosine-drop', 'text-cosine-increase', 'iou-at-threshold'];
    const places = ['pointing-game', 'energy-pointing-game', 'relevance-rank', 'relevance-mass', 'iou', 'pixel-auc', 'pixel-ap'];
    const rest = ['grid-pointing-game', 'pgr', 'max-sensitivity', 'seed-stability', 'parameter-randomisation', 'prompt-randomisation'];
    for (const name of [...faithfulness, ...more, ...paper, ...places, ...rest]) expect(findMetric(name), name).toBeDefined();
    expect(findMetric('nothing')).toBeUndefined();
  });

  it('fills in options, and says which one is wrong', () => {
    expect((createMetric(findMetric('insertion')!) as unknown as { options: unknown }).options).toEqual({
      steps: 16,
      removal: 'mean',
      textRemoval: 'mask',
      score: 'raw',
    });
    expect(() => metric('insertion', { steps: -1 })).toThrow(/^The option steps of insertion is wrong \(-1\): .+\.$/);
    expect(() => metric('entropy', { steps: 2 })).toThrow(NarrowsError);
    expect(() => metric('road', { percentiles: [0] })).toThrow(/percentiles/);
  });
});

describe('a streaming metric', () => {
  it('gives each value, the mean with its interval, and counts what is not defined apart', async () => {
    const entropy = metric('entropy');
    const maps = [
      [1, 1],
      [0, 0],
      [1, 0],
      [1, 1, 1, 1],
      [3, 3],
    ];
    const values = [];
    for (const map of maps) values.push(await entropy.update(wordsSample(map, map)));
    const known = values.filter(v => !Number.isNaN(v));
    const summary = entropy.summary();
    expect(summary.values).toEqual(values);
    expect([summary.nanCount, known.length]).toEqual([1, 4]);
    expect(summary.estimate).toBeCloseTo((4 * Math.log(2)) / 4, 12);
    expect(summary.low).toBeLessThan(summary.estimate);
    expect(summary.high).toBeGreaterThan(summary.estimate);
    expect(summary.level).toBe(0.95);
    expect(entropy.summary()).toEqual(summary);
  });

  it('starts again after a reset, and knows nothing before the first map', async () => {
    const gini = metric('gini');
    expect(gini.summary()).toMatchObject({ values: [], nanCount: 0, estimate: Number.NaN });
    await gini.update(wordsSample([1, 0], [1, 0]));
    const kept = gini.summary();
    gini.reset();
    expect(gini.summary().values).toEqual([]);
    expect(kept.values).toEqual([0.5]);
    await gini.update(wordsSample([0, 0], [0, 0]));
    expect(gini.summary()).toMatchObject({ nanCount: 1, estimate: Number.NaN });
  });
});

describe('what a metric refuses, in one sentence', () => {
  const words = wordsSample([1, 2, 3], [1, 2, 3]);
  const picture = truthSample([1, 2, 3, 4], [1, 0, 0, 0], [2, 2]);
  const pixels = pixelsSample([1, 2, 3, 4], [1, 2, 3, 4], [2, 2]);
  const cases: [string, string, MetricSample, RegExp][] = [
    ['a modality it does not judge', 'road', words, /^road judges maps of the image, not of the text\.$/],
    [
      'words for pictures',
      'text-cosine-drop',
      patchesSample([1, 2], [1, 2]),
      /^text-cosine-drop judges maps of the text, not of the image\.$/,
    ],
    ['no ground truth', 'iou', { ...picture, truth: undefined }, /^iou needs a ground truth, which these samples lack\.$/],
    ['no model', 'insertion', { ...words, game: undefined }, /^insertion needs the model \(a game over patches or words\), which these/],
    ['no pixels', 'pixel-deletion', { ...pixels, pixels: undefined }, /^pixel-deletion needs the pixels and the model, which these/],
    ['nobody to score pixels', 'pixel-deletion', { ...pixels, scorePixels: undefined }, /^pixel-deletion needs the pixels and the model,/],
    ['no method', 'seed-stability', words, /^seed-stability needs the method, to run it again, which these samples lack\.$/],
    ['no cost', 'seconds', words, /^seconds needs the cost of each map, which these samples lack\.$/],
    ['no map', 'entropy', wordsSample([], []), /^entropy got an empty map\.$/],
    [
      'a value that is no number',
      'entropy',
      wordsSample([1, Number.NaN], [1, 1]),
      /^entropy got a map with a value that is not finite \(number 1\)\.$/,
    ],
    [
      'an infinite value',
      'gini',
      wordsSample([Number.NEGATIVE_INFINITY], [1]),
      /^gini got a map with a value that is not finite \(number 0\)\.$/,
    ],
    ['a map that is not the grid', 'iou', { ...picture, grid: [2, 3] }, /^iou got a map of 4 values for a grid of 2 × 3\.$/],
    ['no grid', 'iou', { ...picture, grid: undefined }, /^iou needs the grid of the map and the size of the view in pixels\.$/],
    [
      'no size',
      'pixel-deletion',
      { ...pixels, size: undefined },
      /^pixel-deletion needs the grid of the map and the size of the view in pixels\.$/,
    ],
    [
      'pixels of another size',
      'road',
      { ...pixels, pixels: floats([3, 2, 3], new Float32Array(18)) },
      /^road got pixels \[3, 2, 3\] for a view of \[3, 2, 2\]\.$/,
    ],
    [
      'a truth of another size',
      'pgr',
      { ...picture, truth: Uint8Array.of(1, 0) },
      /^pgr got a ground truth of 2 values where 4 are wanted \(the pixels of the view\)\.$/,
    ],
    [
      'a truth that is not per word',
      'pgr',
      { ...words, truth: Uint8Array.of(1, 0) },
      /^pgr got a ground truth of 2 values where 3 are wanted \(one per word\)\.$/,
    ],
    ['a truth that marks nothing', 'iou', { ...picture, truth: new Uint8Array(4) }, /^iou got a ground truth that marks nothing\.$/],
    ['another number of players', 'insertion', wordsSample([1, 2], [1, 2, 3]), /^The map has 2 values for 3 words; each needs one\.$/],
    ['another number of patches', 'saco', patchesSample([1, 2], [1, 2, 3]), /^The map has 2 values for 3 patches; each needs one\.$/],
  ];

  it.each(cases)('%s', async (_, name, sample, message) => {
    const one = metric(name);
    await expect(one.update(sample)).rejects.toThrow(message);
    await expect(one.update(sample)).rejects.toThrow(NarrowsError);
    expect(one.summary().values).toEqual([]);
  });
});
