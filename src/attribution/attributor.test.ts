import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { attributionFromJson, attributionToJson } from '../report/attribution/json.ts';
import { Attributor } from './attributor.ts';
import { eachTower, type MethodEntry } from './method.ts';
import { PAIRS, textValues, tinyPairModel } from './testing/tiny-pairs.ts';

let model: Awaited<ReturnType<typeof tinyPairModel>>;
beforeAll(async () => {
  model = await tinyPairModel();
});
afterAll(async () => {
  await model.release();
  await model.remove();
});

/** A method whose values are known: token n of a pair is worth n, and the seed moves it by ± the seed. */
const counting = (change: Partial<MethodEntry> = {}): MethodEntry => ({
  name: 'counting',
  title: 'Counting',
  family: 'control',
  serves: 'pair',
  modalities: ['image', 'text'],
  schema: z.strictObject({ factor: z.number().default(1).describe('factor') }),
  cost: 'none',
  paper: 'none',
  unit: 'score',
  signed: true,
  sampled: true,
  async explain(run, options) {
    run.plan(2);
    return eachTower(run, async job => {
      run.advance(2 / run.wanted.length);
      run.passes(job.modality, job.lengths.length, job.tower.layers, job.tower.layers / 2);
      return job.lengths.map(() => ({
        tokens: Float32Array.from({ length: job.tokens }, (_, n) => Number(options.factor) * n + (n % 2 ? 1 : -1) * run.seed),
        standardError: new Float32Array(job.tokens).fill(2),
        convergenceDelta: run.seed,
      }));
    });
  },
  ...change,
});

describe('the frame of a method', () => {
  it('puts values, scores, errors and passes into the record, and the record survives as JSON', async () => {
    const [result] = await new Attributor(counting(), model).attributeAll(PAIRS.slice(0, 2));
    const { image, text } = result;
    expect(Array.from(image!.tokens)).toEqual([...Array(17).keys()]);
    expect(Array.from(image!.patches)).toEqual([...Array(16).keys()].map(i => i + 1));
    expect(textValues(result)).toEqual([0, 1, 2, 3]);
    expect([image!.score, text!.score]).toEqual([expect.closeTo(result.cosine, 6), expect.closeTo(result.cosine, 6)]);
    expect([image!.convergence.verdict, image!.totalBits, image!.convergenceDelta]).toEqual(['no-optimisation', undefined, 0]);
    expect(text!.standardError).toHaveLength(4);
    expect(result.passes).toEqual({ forward: 2, backward: 1 });
    expect([result.title, result.unit, result.target]).toEqual(['Counting', 'score', 'cosine to the caption']);
    expect(attributionFromJson(attributionToJson(result))).toEqual(result);
  });

  it('averages seeds, and the error of a mean shrinks with their number', async () => {
    const seen: string[] = [];
    const run = { seed: 1, seeds: 4, onProgress: (done: number, total: number) => seen.push(`${done}/${total}`) };
    const { image } = await new Attributor(counting(), model).attribute(PAIRS[0], run);
    // Seeds 1 to 4: 2.5 on average.
    expect(image!.tokens[3]).toBeCloseTo(3 + 2.5, 6);
    expect(image!.standardError![3]).toBeCloseTo(2 / Math.sqrt(4), 6);
    expect(image!.convergenceDelta).toBe(2.5);
    expect(image!.stability!.seeds).toEqual([1, 2, 3, 4]);
    expect(seen).toEqual(['1/8', '2/8', '3/8', '4/8', '5/8', '6/8', '7/8', '8/8']);
    const fixed = await new Attributor(counting({ sampled: false }), model).attribute(PAIRS[0], run);
    expect(fixed.image!.tokens[3]).toBe(4);
    expect(fixed.image!.stability).toBeUndefined();
  });

  it('serves the modalities that the method and the model have, and says why not', async () => {
    const imageOnly = new Attributor(counting({ modalities: ['image'] }), model);
    expect((await imageOnly.attribute(PAIRS[0])).text).toBeUndefined();
    await expect(imageOnly.attribute(PAIRS[0], { modality: 'text' })).rejects.toThrow(
      'counting makes no map of the text; it serves the image.',
    );
    const reason = 'This model has no class token.';
    const half = new Attributor(counting({ unsupported: (_, m) => (m === 'image' ? reason : undefined) }), model);
    expect((await half.attribute(PAIRS[0])).image).toBeUndefined();
    await expect(half.attribute(PAIRS[0], { modality: 'image' })).rejects.toThrow(reason);
  });

  it('refuses wrong options and values that are not finite', async () => {
    expect(() => new Attributor(counting(), model, { factor: 'much' })).toThrow(/The option factor of counting is wrong \("much"\)/);
    expect(() => new Attributor(counting(), model, { fcator: 1 })).toThrow(/counting/);
    expect(new Attributor(counting(), model, { factor: undefined }).options).toEqual({ factor: 1 });
    const endless = counting({
      modalities: ['image'],
      explain: async ({ image }) => ({ image: [{ tokens: new Float32Array(image.tokens).fill(Number.POSITIVE_INFINITY) }] }),
    });
    await expect(new Attributor(endless, model).attribute(PAIRS[0])).rejects.toThrow(/not finite/);
  });

  it('stops between units of work, and tells what it warns of', async () => {
    const controller = new AbortController();
    const warnings: string[] = [];
    const entry = counting({
      async explain(run) {
        run.warn('noisy');
        controller.abort(new Error('enough'));
        run.advance();
        throw new Error('not reached');
      },
    });
    const run = { signal: controller.signal, onWarning: (text: string) => warnings.push(text) };
    await expect(new Attributor(entry, model).attribute(PAIRS[0], run)).rejects.toThrow('enough');
    expect(warnings).toEqual(['noisy']);
  });

  it('keeps what a method asks to keep, tries again after a failure, and closes it all', async () => {
    let made = 0;
    let closed = 0;
    const entry = counting({
      async explain(run) {
        await run.keep('a', async () => {
          made++;
          if (made === 1) throw new Error('first time');
          return { release: async () => void closed++ };
        });
        return { image: [{ tokens: new Float32Array(17) }] };
      },
    });
    const method = new Attributor(entry, model);
    await expect(method.attribute(PAIRS[0], { modality: 'image' })).rejects.toThrow('first time');
    for (let i = 0; i < 3; i++) await method.attribute(PAIRS[0], { modality: 'image' });
    await method.release();
    expect([made, closed]).toEqual([2, 1]);
  });
});
