import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateNats } from '../../bottleneck/gate.ts';
import { type ChannelStatistics, sampleStatistics } from '../../bottleneck/statistics.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { AttributeRun } from '../attributor.ts';
import { featureStatistics, type StatisticsFile } from '../feature-statistics.ts';
import { methodOptions } from '../method.ts';
import { type EncodedPairs, encodePairs, type Pair } from '../pair.ts';
import { findMethod } from '../registry.ts';
import type { Attribution } from '../result.ts';
import { row } from '../rows.ts';
import { saveStatistics, statisticsAt } from '../save-statistics.ts';
import { LAYERS, PAIRS, sum, textValues, tinyPairModel } from '../testing/tiny-pairs.ts';
import { M2IB, type M2IBOptions } from './m2ib.ts';

let model: Awaited<ReturnType<typeof tinyPairModel>>;
let root: string;
const methods: M2IB[] = [];
beforeAll(async () => {
  model = await tinyPairModel();
  root = await mkdtemp(join(tmpdir(), 'narrows-m2ib-'));
});
afterAll(async () => {
  for (const method of methods) await method.release();
  await model.release();
  await model.remove();
  await rm(root, { recursive: true });
});

function m2ib(options: Partial<M2IBOptions> = {}, statistics?: StatisticsFile): M2IB {
  const method = new M2IB(model, options, statistics);
  methods.push(method);
  return method;
}

const encode = (pairs: readonly Pair[], layers = LAYERS): Promise<EncodedPairs> => encodePairs(model, pairs, layers);

describe('options', () => {
  it('count the passes of quiet steps once, of the others once per sample', async () => {
    const backward = async (options: Partial<M2IBOptions>): Promise<number> =>
      (await m2ib(options).attribute(PAIRS[0], { modality: 'image' })).passes!.backward;
    const one = await backward({ steps: 1, quietSteps: 1 });
    expect(one).toBeGreaterThan(0);
    expect((await backward({})) / one).toBeCloseTo(4 + 2 * 4, 6);
    expect((await backward({ steps: 5, batchSize: 2, quietSteps: 1 })) / one).toBeCloseTo(1 + 4 * 2, 6);
    expect((await backward({ quietSteps: 9 })) / one).toBeCloseTo(6, 6);
    expect((await backward({ compat: 'm2ib-official' })) / one).toBeCloseTo(10 * 10, 6);
    expect((await backward({ settle: true, batchSize: 2 })) / one).toBeCloseTo(100 * 2, 6);
    expect((await backward({ settle: true, steps: 12, quietSteps: 2, batchSize: 2 })) / one).toBeCloseTo(2 + 10 * 2, 6);
  });

  it('settle by a rate that falls, in every gate that counts nats', () => {
    const falls = { settle: true, steps: 100, learningRate: 0.7, learningRateSchedule: 'cosine' };
    for (const name of ['m2ib', 'm2ib-token', 'iba', 'coiba', 'adaib'])
      expect([name, methodOptions(findMethod(name)!, { settle: true })]).toMatchObject([name, falls]);
    expect(methodOptions(findMethod('m2ib')!, {})).toMatchObject({ settle: false, steps: 6, learningRateSchedule: 'constant' });
    expect(methodOptions(findMethod('m2ib')!, { settle: true, learningRate: 1, quietSteps: 3 })).toMatchObject({
      ...{ ...falls, learningRate: 1, quietSteps: 3 },
    });
    expect(() => m2ib({ settle: true, compat: 'm2ib-official' })).toThrow('The published code knows no rate that falls');
  });

  it.each<[Partial<Record<keyof M2IBOptions | 'colour', unknown>>, RegExp]>([
    [{ beta: -1 }, /^The option beta of m2ib is wrong \(-1\): .+\.$/],
    [{ textBeta: -0.1 }, /^The option textBeta of m2ib is wrong \(-0.1\): .+\.$/],
    [{ steps: 0 }, /^The option steps of m2ib is wrong \(0\): .+\.$/],
    [{ steps: 2.5 }, /^The option steps of m2ib is wrong \(2.5\): .+\.$/],
    [{ learningRate: 0 }, /^The option learningRate of m2ib/],
    [{ batchSize: 0 }, /^The option batchSize of m2ib/],
    [{ variance: 0 }, /^The option variance of m2ib/],
    [{ variance: Number.NaN }, /^The option variance of m2ib/],
    [{ normalisation: 'batch' }, /^The option normalisation of m2ib is wrong \("batch"\)/],
    [{ layer: 'deep' }, /^The option layer of m2ib is wrong \("deep"\)/],
    [{ colour: 'red' }, /colour/],
  ])('%o is refused in one sentence', (options, message) => {
    let thrown: unknown;
    try {
      new M2IB(model, options as Partial<M2IBOptions>);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(NarrowsError);
    expect((thrown as NarrowsError).kind).toBe('usage');
    expect((thrown as NarrowsError).message).toMatch(message);
    expect((thrown as NarrowsError).message).not.toContain('\n');
  });

  it.each<[Partial<M2IBOptions>, AttributeRun, string]>([
    [
      { layer: 3 },
      {},
      'The layer 3 is out of range: the image tower has 4 blocks, so a layer from 0 to 2 can be chosen (-1 for the embeddings, or "auto").',
    ],
    [
      { layer: -2 },
      {},
      'The layer -2 is out of range: the image tower has 4 blocks, so a layer from 0 to 2 can be chosen (-1 for the embeddings, or "auto").',
    ],
    [
      { textLayer: 2 },
      {},
      'The layer 2 is out of range: the text tower has 3 blocks, so a layer from 0 to 1 can be chosen (-1 for the embeddings, or "auto").',
    ],
    [{}, { seeds: 0 }, 'The number of seeds must be at least 1, got 0.'],
    [{}, { seed: -1 }, 'The seed must be a whole number from 0 to 2^53, got -1.'],
    [{}, { seed: 0.5 }, 'The seed must be a whole number from 0 to 2^53, got 0.5.'],
  ])('%o, %o is refused with a sentence', async (options, run, message) => {
    const error = await m2ib(options)
      .attribute(PAIRS[0], run)
      .catch(e => e);
    expect(error).toBeInstanceOf(NarrowsError);
    expect(error).toMatchObject({ kind: 'usage', message });
  });

  it('that are undefined are unset, also where the official code has another default', () => {
    const unset = { beta: undefined, batchSize: undefined, steps: undefined };
    expect(m2ib(unset).options).toEqual(m2ib().options);
    expect(m2ib({ ...unset, compat: 'm2ib-official' }).options).toEqual(m2ib({ compat: 'm2ib-official' }).options);
  });

  it('choose the layer, the number of steps and the gates', async () => {
    const base = await m2ib().attribute(PAIRS[0]);
    for (const options of [
      { layer: 2, textLayer: 1 },
      { layer: -1, textLayer: 0 },
      { steps: 4 },
      { learningRate: 0.3 },
      { beta: 3, textBeta: 3 },
      { alpha: 'token' as const },
    ]) {
      const other = await m2ib(options).attribute(PAIRS[0]);
      expect(other.image!.tokens, JSON.stringify(options)).not.toEqual(base.image!.tokens);
      expect(textValues(other), JSON.stringify(options)).not.toEqual(textValues(base));
    }
  });

  it('price information: the dearer, the less is kept', async () => {
    const bits: number[] = [];
    for (const beta of [0.01, 1, 100]) {
      const { image, text } = await m2ib({ beta, textBeta: beta, steps: 20 }).attribute(PAIRS[1]);
      bits.push(image!.totalBits! + text!.totalBits!);
    }
    expect(bits[0]).toBeGreaterThan(bits[1]);
    expect(bits[1]).toBeGreaterThan(bits[2]);
    expect((await m2ib({ beta: 0 }).attribute(PAIRS[1], { modality: 'image' })).image!.convergence.compression).toEqual(Array(6).fill(0));
  });
});

describe('noise', () => {
  it.each<[M2IBOptions['normalisation'], number]>([
    ['none', 1],
    ['none', 0.25],
    ['sample', 1],
    ['sample', 0.3],
    ['dataset', 2],
  ])('%s with variance %d is the prior of the cost', async (normalisation, variance) => {
    const encoded = await encode(PAIRS);
    const path = join(root, 'prior.safetensors');
    const fitted = await featureStatistics(model, [PAIRS]);
    await saveStatistics(path, fitted);
    const method = m2ib({ normalisation, variance, steps: 1 }, statisticsAt(path));
    const results = await method.attributeAll(PAIRS);
    for (const [p, result] of results.entries())
      for (const modality of ['image', 'text'] as const) {
        const width = model[modality].width;
        const rows = modality === 'image' ? 17 : encoded.text.batch.rows[p].ids.length;
        const hidden = row(encoded[modality].hidden, p).subarray(0, rows * width);
        const unit: ChannelStatistics = { mean: new Float32Array(width), deviation: new Float32Array(width).fill(1) };
        const statistics = {
          none: () => unit,
          sample: () => sampleStatistics(hidden, width),
          dataset: () => fitted.get(`${modality}.${LAYERS[modality]}`)!,
        };
        const { mean, deviation } = statistics[normalisation]();
        const nats = sum(Array.from(hidden, (h, i) => gateNats(5, (h - mean[i % width]) / (deviation[i % width] * Math.sqrt(variance)))));
        const beta = modality === 'image' ? method.options.beta : method.options.textBeta;
        expect(result[modality]!.convergence.compression[0]).toBeCloseTo((beta * nats) / hidden.length, 3);
      }
  });

  it('of another variance gives another map', async () => {
    const maps: Attribution[] = [];
    for (const normalisation of ['none', 'sample'] as const)
      for (const variance of [0.3, 1, 3]) maps.push(await m2ib({ normalisation, variance }).attribute(PAIRS[1]));
    for (const [i, a] of maps.entries())
      for (const b of maps.slice(i + 1)) {
        expect(sum(a.image!.tokens.map((v, n) => Math.abs(v - b.image!.tokens[n])))).toBeGreaterThan(0.1);
        expect(sum(textValues(a).map((v, n) => Math.abs(v - textValues(b)[n])))).toBeGreaterThan(0.1);
      }
  });
});
