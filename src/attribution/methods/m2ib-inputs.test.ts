import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NarrowsError } from '../../system/errors.ts';
import type { Pair } from '../pair.ts';
import { drawImage, drawPair, PAIRS, textValues, tinyPairModel } from '../testing/tiny-pairs.ts';
import { M2IB, type M2IBOptions } from './m2ib.ts';

let model: Awaited<ReturnType<typeof tinyPairModel>>;
const methods: M2IB[] = [];
beforeAll(async () => {
  model = await tinyPairModel();
});
afterAll(async () => {
  for (const method of methods) await method.release();
  await model.release();
  await model.remove();
});

function m2ib(options: Partial<M2IBOptions> = {}): M2IB {
  const method = new M2IB(model, options);
  methods.push(method);
  return method;
}

describe('any input', () => {
  it('of another size gives a finer grid', async () => {
    const { image, parameters } = await m2ib().attribute(PAIRS[0], { modality: 'image', imageSize: 64 });
    expect([image!.grid, image!.patches.length, image!.tokens.length]).toEqual([[8, 8], 64, 65]);
    expect(parameters.imageSize).toBe(64);
    expect(image!.tokens.every(Number.isFinite)).toBe(true);
    for (const [imageSize, message] of [
      [7, /An image of 7 x 7 is smaller than one patch of 8/],
      [0, /image size/],
    ] as const)
      await expect(m2ib().attribute(PAIRS[0], { imageSize })).rejects.toThrow(message);
  });

  it.each<[string, Pair]>([
    ['a black image', { image: { width: 32, height: 32, data: new Uint8Array(32 * 32 * 3) }, text: 'a red dog' }],
    ['a white image', { image: { width: 40, height: 90, data: new Uint8Array(40 * 90 * 3).fill(255) }, text: 'a red dog' }],
    ['an image of one pixel', { image: { width: 1, height: 1, data: Uint8Array.of(9, 90, 200) }, text: 'a red dog' }],
    ['one word', { image: drawImage(2), text: 'dog' }],
    ['the same word over and over', { image: drawImage(2), text: 'dog dog dog dog dog' }],
    ['the longest caption', drawPair(3, 14)],
    ['a word that the model does not know', { image: drawImage(2), text: 'a zebra' }],
  ])('gives finite values: %s', async (_, pair) => {
    for (const options of [{}, { alpha: 'token' as const }, { compat: 'm2ib-official' as const }]) {
      const result = await m2ib(options).attribute(pair, {
        onWarning: message => expect(message).toMatch(/has one colour|vocabulary lacks "zebra"/),
      });
      for (const value of [...result.image!.tokens, ...textValues(result), result.cosine]) expect(Number.isFinite(value)).toBe(true);
      for (const m of [result.image!, result.text!])
        for (const value of [...m.convergence.fit, ...m.convergence.compression]) expect(Number.isFinite(value)).toBe(true);
    }
  });

  it('that is too long is cut, with a warning that says what fell off', async () => {
    const warnings: string[] = [];
    const text = `${drawPair(1, 14).text} of the two small cats`;
    const result = await m2ib().attribute({ image: drawImage(1), text }, { onWarning: w => warnings.push(w) });
    expect(warnings).toEqual(['The caption is longer than the model\'s 16 tokens: its last 5 are left out ("of the two small cats").']);
    expect(result.caption).toBe(text);
    expect([result.text!.tokens.length, result.text!.words.length]).toEqual([16, 14]);
    const cut = await m2ib().attribute({ image: drawImage(1), text: drawPair(1, 14).text });
    expect(textValues(result)).toEqual(textValues(cut));
  });

  it.each([
    ['', /^The caption is empty/],
    [' \n', /^The caption is only white space/],
    ['zzz yyy', /^The model's vocabulary knows no word of "zzz yyy"/],
  ])('without words is refused: %j', async (text, message) => {
    const error = await m2ib()
      .attribute({ image: drawImage(1), text })
      .catch(e => e);
    expect(error).toBeInstanceOf(NarrowsError);
    expect(error.message).toMatch(message);
  });
});

describe('control', () => {
  it('stops at the signal, before encoding or between steps', async () => {
    const reason = new Error('enough');
    await expect(m2ib().attribute(PAIRS[0], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const seen: number[] = [];
    const onProgress = (done: number, total: number): void => {
      expect(total).toBe(24);
      if (seen.push(done) === 3) controller.abort(reason);
    };
    const method = m2ib();
    await expect(method.attribute(PAIRS[0], { seeds: 2, signal: controller.signal, onProgress })).rejects.toBe(reason);
    expect(seen).toEqual([1, 2, 3]);
    // It can be used again.
    const { image } = await method.attribute(PAIRS[0], { seed: 4 });
    expect(image!.tokens).toEqual((await m2ib().attribute(PAIRS[0], { seed: 4 })).image!.tokens);
  });

  it('two calls at once do not disturb each other', async () => {
    const method = m2ib();
    const [a, b] = await Promise.all([method.attribute(PAIRS[0], { seed: 1 }), method.attribute(PAIRS[3], { seed: 2 })]);
    expect(a.image!.tokens).toEqual((await method.attribute(PAIRS[0], { seed: 1 })).image!.tokens);
    expect(textValues(b)).toEqual(textValues(await method.attribute(PAIRS[3], { seed: 2 })));
  });
});
