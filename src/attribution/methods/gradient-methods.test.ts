import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NarrowsError } from '../../system/errors.ts';
import { expectClose } from '../../testing/close.ts';
import type { AttributeRun, Attributor } from '../attributor.ts';
import { createMethod, findMethod, methods } from '../registry.ts';
import type { Attribution } from '../result.ts';
import { drawPair, ONE_ROW, PAIRS, sum, textValues, tinyPairModel } from '../testing/tiny-pairs.ts';

const OWN = methods.filter(m => m.family === 'gradient' || m.family === 'layer-gradient');
/** Few samples and points: what is tested here does not depend on their number. */
const FEW: Readonly<Record<string, Record<string, unknown>>> = {
  smoothgrad: { nSamples: 6 },
  'expected-gradients': { nSamples: 6 },
  'integrated-gradients': { nSteps: 5 },
  'layer-integrated-gradients': { nSteps: 5 },
  nib: { nSteps: 5 },
};

let model: Awaited<ReturnType<typeof tinyPairModel>>;
const made: Attributor[] = [];
beforeAll(async () => {
  model = await tinyPairModel();
});
afterAll(async () => {
  for (const method of made) await method.release();
  await model.release();
  await model.remove();
});

function method(name: string, options: Record<string, unknown> = FEW[name]): Attributor {
  const one = createMethod(findMethod(name)!, model, options);
  made.push(one);
  return one;
}

const maps = (a: Attribution): number[] => [
  ...(a.image ? [...a.image.tokens, ...(a.image.pixels?.values ?? [])] : []),
  ...(a.text ? textValues(a) : []),
];

function expectSame(actual: Attribution, expected: Attribution, label: string): void {
  const all = maps(expected);
  expectClose(maps(actual), all, { rtol: 0, atol: 5e-5 * Math.max(...all.map(Math.abs)), label });
  for (const m of ['image', 'text'] as const) {
    const [a, b] = [actual[m]?.convergenceDelta, expected[m]?.convergenceDelta];
    expect(a === undefined).toBe(b === undefined);
    if (a !== undefined) expect(a).toBeCloseTo(b!, 5);
    const error = expected[m]?.standardError;
    if (error) expectClose(actual[m]!.standardError!, error, { rtol: 1e-2, atol: 1e-4 * Math.max(...error), label: `${label}, error` });
  }
}

it('are twelve', () => {
  expect(OWN.map(m => m.name)).toEqual([
    'saliency',
    'input-x-gradient',
    'smoothgrad',
    'integrated-gradients',
    'expected-gradients',
    'layer-integrated-gradients',
    'nib',
    'grad-cam',
    'hires-cam',
    'layer-cam',
    'xgrad-cam',
    'grad-cam-plus-plus',
  ]);
  for (const { modalities } of OWN) expect(modalities).toEqual(['image', 'text']);
});

describe.each(OWN)('$name', ({ name, signed, sampled, schema, family }) => {
  const captions = [...PAIRS, drawPair(9, 12)];

  it('gives every pair of a padded batch the map that it has by itself, within any memory', async () => {
    const tested = method(name);
    const progress: [number, number][] = [];
    const together = await tested.attributeAll(captions, { seed: 3 });
    const narrow = await tested.attributeAll(captions, {
      seed: 3,
      maxMemory: ONE_ROW,
      onProgress: (done, total) => progress.push([done, total]),
    });
    for (const [p, pair] of captions.entries()) {
      const single = await tested.attribute(pair, { seed: 3 });
      expectSame(together[p], single, `pair ${p}`);
      expectSame(narrow[p], single, `pair ${p}, narrow`);
      expect(maps(single).every(Number.isFinite)).toBe(true);
      if (!signed) expect(Math.min(...maps(single))).toBeGreaterThanOrEqual(0);
      expect(single.image!.pixels !== undefined).toBe(family === 'gradient');
      if (family === 'gradient') expect(single.image!.tokens[0]).toBe(0);
      expect(sum(single.image!.patches.map(Math.abs))).toBeGreaterThan(0);
      expect(sum(textValues(single).map(Math.abs))).toBeGreaterThan(0);
    }
    expect(progress.at(-1)![0]).toBe(progress.at(-1)![1]);
    expect(progress.length).toBeGreaterThan(2);
    expect(progress.every(([done], i) => done > (progress[i - 1]?.[0] ?? 0))).toBe(true);
  });

  it('depends on the seed where it samples, and on nothing else', async () => {
    const tested = method(name);
    const first = maps(await tested.attribute(PAIRS[0], { seed: 1 }));
    expect(maps(await tested.attribute(PAIRS[0], { seed: 1 }))).toEqual(first);
    const other = maps(await tested.attribute(PAIRS[0], { seed: 2 }));
    if (sampled) expect(other).not.toEqual(first);
    else expect(other).toEqual(first);
  });

  it.each<[string, AttributeRun['target']]>([
    ['a log-probability', { labels: ['a red dog', 'two cat on the house'] }],
    ['a difference', { against: 'the boat in sky' }],
    ['the mean of prompts', { templates: ['a photo of {}', 'a small {}'] }],
  ])('explains %s', async (_, target) => {
    const tested = method(name);
    const plain = await tested.attribute(PAIRS[1], { modality: 'image' });
    const aimed = await tested.attribute(PAIRS[1], { modality: 'image', target });
    expect(maps(aimed)).not.toEqual(maps(plain));
    expect(maps(aimed).every(Number.isFinite)).toBe(true);
  });

  it('refuses a layer out of range, with the range', async () => {
    if (!('layer' in schema.shape)) return;
    const wrong = method(name, { layer: 3 }).attribute(PAIRS[0]);
    await expect(wrong).rejects.toThrow(NarrowsError);
    await expect(wrong).rejects.toThrow(/The layer 3 is out of range: the image tower has 4 blocks, so a layer from 0 to 2 can be chosen/);
    await expect(method(name, { textLayer: 2 }).attribute(PAIRS[0])).rejects.toThrow(/the text tower has 3 blocks/);
    for (const layer of [-1, 0, 2]) expect((await method(name, { ...FEW[name], layer }).attribute(PAIRS[0])).parameters.layer).toBe(layer);
  });

  it('stops at the signal', async () => {
    const controller = new AbortController();
    const run = method(name).attributeAll(captions, {
      maxMemory: ONE_ROW,
      signal: controller.signal,
      onProgress: done => done > 0 && controller.abort(new Error('enough')),
    });
    await expect(run).rejects.toThrow('enough');
  });
});

it('count the passes of the blocks that they run', async () => {
  // Image tower of 4 blocks, text tower of 3; layers auto: two blocks above, nib three (all of the text's three).
  const expected: Record<string, [number, number]> = {
    saliency: [2, 2],
    'input-x-gradient': [2, 2],
    smoothgrad: [12, 12],
    'integrated-gradients': [12, 12],
    'expected-gradients': [24, 12],
    'layer-integrated-gradients': [6 * (2 / 4 + 2 / 3) + 2, 6 * (2 / 4 + 2 / 3)],
    nib: [6 * (3 / 4 + 1), 6 * (3 / 4 + 1)],
    'grad-cam': [1 / 4 + 1 / 3, 1 / 4 + 1 / 3],
  };
  for (const [name, [forward, backward]] of Object.entries(expected)) {
    const { passes } = await method(name).attribute(PAIRS[0]);
    expect(passes!.forward, name).toBeCloseTo(forward, 6);
    expect(passes!.backward, name).toBeCloseTo(backward, 6);
  }
});

it('pixels have the size of what patches cover, and patches are their sums, at other image sizes too', async () => {
  // 44 pixels are five patches of eight, and a rest that no token sees and no map covers.
  for (const [imageSize, side] of [
    [48, 6],
    [44, 5],
  ]) {
    const { image } = await method('input-x-gradient').attribute(PAIRS[0], { imageSize });
    const { width, height, values } = image!.pixels!;
    expect([width, height, image!.grid]).toEqual([8 * side, 8 * side, [side, side]]);
    const at = (y: number, x: number): number => values[y * width + x];
    for (const [patch, y0, x0] of [
      [0, 0, 0],
      [side + 2, 8, 16],
      [side * side - 1, 8 * (side - 1), 8 * (side - 1)],
    ]) {
      const total = sum(Array.from({ length: 64 }, (_, i) => at(y0 + Math.floor(i / 8), x0 + (i % 8))));
      expect(image!.patches[patch]).toBeCloseTo(total, 6);
    }
  }
});

describe('completeness', () => {
  it('the sum of a path method is the difference of scores, and the rest is reported', async () => {
    for (const name of ['integrated-gradients', 'layer-integrated-gradients']) {
      const coarse = await method(name, { nSteps: 5, rule: 'right-riemann' }).attribute(PAIRS[1]);
      const fine = await method(name, { nSteps: 60 }).attribute(PAIRS[1]);
      for (const m of ['image', 'text'] as const) {
        expect(Math.abs(fine[m]!.convergenceDelta!), `${name} ${m}`).toBeLessThan(1e-4);
        expect(Math.abs(coarse[m]!.convergenceDelta!)).toBeGreaterThan(10 * Math.abs(fine[m]!.convergenceDelta!));
      }
      // The same baseline, at the input and at a layer: both explain s(x) − s(mean colour).
      const total = sum(fine.image!.tokens);
      const other = await method('integrated-gradients', { nSteps: 60 }).attribute(PAIRS[1]);
      expect(total).toBeCloseTo(sum(other.image!.tokens), 3);
      expect(sum(textValues(fine))).toBeCloseTo(sum(textValues(other)), 3);
    }
  });

  it('all baselines give different maps, complete or with the gap reported', async () => {
    for (const [name, kinds] of [
      ['integrated-gradients', ['mean', 'black', 'blur']],
      ['layer-integrated-gradients', ['input', 'zero', 'mean-token']],
    ] as const) {
      const all: string[] = [];
      for (const baseline of kinds) {
        const { image } = await method(name, { nSteps: 100, baseline }).attribute(PAIRS[0]);
        all.push(maps({ image } as Attribution).join());
        // At a hidden state of zeros a norm's gradient is without bound: most of the change hides there, and the gap says so.
        if (baseline === 'zero') expect(Math.abs(image!.convergenceDelta!)).toBeGreaterThan(1e-2);
        else expect(Math.abs(image!.convergenceDelta!), `${name} ${baseline}`).toBeLessThan(2e-3);
      }
      expect(new Set(all).size).toBe(3);
    }
  });

  it('a caption of one word has its whole worth in that word', async () => {
    const { text } = await method('integrated-gradients', {}).attribute(PAIRS[2]);
    const values = text!.tokens.map(t => t.value);
    expect(text!.words.length).toBe(1);
    expect([values[0], values[2]]).toEqual([0, 0]);
    expect(Math.abs(values[1])).toBeGreaterThan(0);
  });
});
