import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NarrowsError } from '../../system/errors.ts';
import { expectClose } from '../../testing/close.ts';
import type { AttributeRun, Attributor } from '../attributor.ts';
import type { Pair } from '../pair.ts';
import { createMethod, findMethod, methods } from '../registry.ts';
import type { Attribution } from '../result.ts';
import { drawPair, ONE_ROW, PAIRS, sum, textValues, tinyPairModel } from '../testing/tiny-pairs.ts';

const OWN = methods.filter(m => m.family === 'attention');

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

function method(name: string, options: Record<string, unknown> = {}): Attributor {
  const one = createMethod(findMethod(name)!, model, options);
  made.push(one);
  return one;
}

/** The maps of both modalities, image first. */
const maps = (a: Attribution): number[] => [...(a.image?.tokens ?? []), ...(a.text ? textValues(a) : [])];

function expectSame(actual: Attribution, expected: Attribution, label: string): void {
  const all = maps(expected);
  expectClose(maps(actual), all, { rtol: 0, atol: 2e-5 * Math.max(...all.map(Math.abs)), label });
}

it('are six', () => {
  expect(OWN.map(m => m.name)).toEqual(['raw-attention', 'rollout', 'chefer', 'grad-eclip', 'legrad', 'clip-surgery']);
});

describe.each(OWN)('$name', ({ name, modalities, signed }) => {
  const captions = [...PAIRS, drawPair(9, 12)];

  it('gives every pair of a padded batch the map that it has by itself', async () => {
    const entry = method(name);
    const together = await entry.attributeAll(captions);
    for (const [p, pair] of captions.entries()) {
      const single = await entry.attribute(pair);
      expectSame(together[p], single, `pair ${p}`);
      expect(Boolean(single.text)).toBe(modalities.includes('text'));
      expect(maps(single).every(Number.isFinite)).toBe(true);
      if (!signed) expect(Math.min(...maps(single))).toBeGreaterThanOrEqual(0);
    }
    expect(together.some(one => sum(one.image!.patches) !== 0)).toBe(true);
  });

  it('gives the same within a memory of one pair, and reports its work', async () => {
    const entry = method(name);
    const progress: [number, number][] = [];
    const calls = await entry.attributeAll(captions, { maxMemory: ONE_ROW, onProgress: (done, total) => progress.push([done, total]) });
    for (const [p, one] of (await entry.attributeAll(captions)).entries()) expectSame(calls[p], one, `pair ${p}`);
    // Several chunks of a tower, each counted once.
    expect(progress.length).toBeGreaterThan(modalities.length);
    expect(progress).toEqual(progress.map((_, i) => [i + 1, progress.length]));
  });

  it('counts passes of the blocks it ran', async () => {
    const { passes } = await method(name).attribute(PAIRS[0]);
    const [f, b] = {
      'raw-attention': [1 / 4 + 1 / 3, 0],
      rollout: [2, 0],
      chefer: [1 / 4 + 1 / 3, 1 / 4 + 1 / 3],
      'grad-eclip': [1 / 4 + 2 / 3, 1 / 4 + 2 / 3],
      legrad: [2 / 4, 2 / 4],
      'clip-surgery': [2 / 4, 0],
    }[name]!;
    expect(passes!.forward).toBeCloseTo(f, 6);
    expect(passes!.backward).toBeCloseTo(b, 6);
  });

  it('stops on request', async () => {
    const reason = new Error('enough');
    await expect(method(name).attribute(PAIRS[0], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('serves other image sizes', async () => {
    const { image } = await method(name).attribute(PAIRS[0], { imageSize: 48 });
    expect([image!.grid, image!.tokens.length]).toEqual([[6, 6], 37]);
    expect([...image!.tokens].every(Number.isFinite)).toBe(true);
  });
});

describe('targets', () => {
  const run = async (name: string, target: AttributeRun['target'], pair: Pair = PAIRS[1]): Promise<number[]> => [
    ...(await method(name).attribute(pair, { modality: 'image', target })).image!.tokens,
  ];
  const labels = ['a dog', 'the tree'];

  it.each(['raw-attention', 'rollout'])('%s shows the same for every caption and target', async name => {
    const base = await run(name, undefined);
    expect(await run(name, { against: 'a dog' })).toEqual(base);
    expect(await run(name, undefined, { ...PAIRS[1], text: 'a boat' })).toEqual(base);
  });

  it.each(['chefer', 'grad-eclip', 'legrad', 'clip-surgery'])('%s follows the target', async name => {
    const all = [undefined, { against: 'a dog' }, { labels }, { templates: ['a photo of {}', 'the {}'] }];
    const found = await Promise.all(all.map(target => run(name, target)));
    for (let i = 0; i < found.length; i++) for (let j = 0; j < i; j++) expect(found[i], `${i} and ${j}`).not.toEqual(found[j]);
  });

  it('CLIP Surgery of a difference of texts is the difference of its maps, with the empty prompt or without', async () => {
    const text = PAIRS[1].text;
    const [plain, other] = await Promise.all([text, 'a dog'].map(t => run('clip-surgery', undefined, { ...PAIRS[1], text: t })));
    const contrast = await run('clip-surgery', { against: 'a dog' });
    expectClose(
      contrast,
      plain.map((v, i) => v - other[i]),
      { rtol: 0, atol: 1e-5 },
    );
    const entry = method('clip-surgery', { redundancy: 'none' });
    const raw = await entry.attribute(PAIRS[1], { modality: 'image' });
    expect([...raw.image!.tokens]).not.toEqual(plain);
    // The class token is the model's own, so without the empty prompt its value is the cosine.
    expect(raw.image!.tokens[0]).toBeCloseTo(raw.cosine, 5);
  });
});

describe('options', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['raw-attention', { block: 4 }, 'The block 4 is out of range: the image tower has 4, so a number from 0 to 3 can be chosen.'],
    ['raw-attention', { textBlock: -1 }, 'The block -1 is out of range: the text tower has 3, so a number from 0 to 2 can be chosen.'],
    ['rollout', { startBlock: 9 }, 'The block 9 is out of range: the image tower has 4, so a number from 0 to 3 can be chosen.'],
    ['legrad', { blocks: 5 }, '5 blocks cannot be read: the image tower has 4, so a number from 1 to 4 (or "auto").'],
    ['grad-eclip', { textBlocks: 0 }, '0 blocks cannot be read: the text tower has 3, so a number from 1 to 3 (or "auto").'],
    ['clip-surgery', { blocks: -2 }, '-2 blocks cannot be read: the image tower has 4, so a number from 1 to 4 (or "auto").'],
  ])('%s %o is refused with the range', async (name, options, message) => {
    const error = await method(name, options)
      .attribute(PAIRS[0])
      .catch(e => e);
    expect(error).toBeInstanceOf(NarrowsError);
    expect(error).toMatchObject({ kind: 'usage', message });
  });

  it.each(['legrad', 'clip-surgery'])('%s makes no map of a text', async name => {
    await expect(method(name).attribute(PAIRS[0], { modality: 'text' })).rejects.toThrow(
      `${name} makes no map of the text; it serves the image.`,
    );
  });

  it.each<[string, Record<string, unknown>]>([
    ['raw-attention', { block: 0, textBlock: 1 }],
    ['rollout', { fusion: 'max' }],
    ['rollout', { fusion: 'min' }],
    ['rollout', { startBlock: 2, textStartBlock: 1 }],
    ['chefer', { layers: 'all' }],
    ['grad-eclip', { form: 'published' }],
    ['grad-eclip', { ksim: false }],
    ['grad-eclip', { blocks: 3, textBlocks: 1 }],
    ['legrad', { blocks: 4 }],
    ['clip-surgery', { blocks: 4 }],
  ])('%s %o changes the map', async (name, options) => {
    const pair = PAIRS[1];
    const [base, other] = [await method(name).attribute(pair), await method(name, options).attribute(pair)];
    expect([...other.image!.patches]).not.toEqual([...base.image!.patches]);
    expect(other.parameters).toMatchObject(options);
  });
});
