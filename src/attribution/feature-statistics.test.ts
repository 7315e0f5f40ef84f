import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ChannelStatistics, sampleStatistics } from '../bottleneck/statistics.ts';
import { NarrowsError } from '../system/errors.ts';
import { expectClose } from '../testing/close.ts';
import { featureStatistics, loadStatistics, type StatisticsFile } from './feature-statistics.ts';
import { M2IB, type M2IBOptions } from './methods/m2ib.ts';
import { type EncodedPairs, encodePairs, type Pair } from './pair.ts';
import { saveStatistics, statisticsAt } from './save-statistics.ts';
import { LAYERS, PAIRS, tinyPairModel } from './testing/tiny-pairs.ts';

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

describe('statistics of a data set', () => {
  it('are fitted over every token but padding, saved, loaded and used', async () => {
    const progress: number[] = [];
    const fitted = await featureStatistics(model, [PAIRS.slice(0, 2), PAIRS.slice(2)], pairs => progress.push(pairs));
    expect(progress).toEqual([2, 4]);
    expect([...fitted.keys()].toSorted()).toEqual(['image.-1', 'image.0', 'image.1', 'image.2', 'text.-1', 'text.0', 'text.1']);
    // However the pairs are dealt out, and equal to the statistics of all tokens together.
    for (const p of [1, 2, 3]) {
      const other = await featureStatistics(model, [PAIRS.slice(0, p), PAIRS.slice(p)]);
      for (const [key, { mean, deviation }] of fitted) {
        expectClose(other.get(key)!.mean, mean, { rtol: 1e-4, atol: 1e-5 });
        expectClose(other.get(key)!.deviation, deviation, { rtol: 1e-4, atol: 1e-5 });
      }
    }
    const hidden: number[] = [];
    for (const pair of PAIRS) hidden.push(...(await encode([pair], { image: 1, text: 1 })).text.hidden.data);
    const all = sampleStatistics(Float32Array.from(hidden), 24);
    expectClose(fitted.get('text.1')!.mean, all.mean, { rtol: 1e-4, atol: 1e-5 });
    expectClose(fitted.get('text.1')!.deviation, all.deviation, { rtol: 1e-4, atol: 1e-5 });

    const path = join(root, 'all.safetensors');
    await saveStatistics(path, fitted);
    expect(await loadStatistics(statisticsAt(path), LAYERS)).toEqual({ image: fitted.get('image.1'), text: fitted.get('text.-1') });
    const mapped = await m2ib({ normalisation: 'dataset' }, statisticsAt(path)).attribute(PAIRS[0]);
    expect(mapped.image!.tokens).not.toEqual((await m2ib().attribute(PAIRS[0])).image!.tokens);
  });

  it('that are missing, of another model or damaged are named in a sentence', async () => {
    const missing = await m2ib({ normalisation: 'dataset' })
      .attribute(PAIRS[0])
      .catch(e => e);
    expect(missing).toBeInstanceOf(NarrowsError);
    expect(missing.message).toMatch(
      /^Normalisation "dataset" needs .+feature_statistics\.safetensors, which does not exist: .+ or choose normalisation "sample"\.$/,
    );
    const unit = (width: number, deviation = 1): ChannelStatistics => ({
      mean: new Float32Array(width),
      deviation: new Float32Array(width).fill(deviation),
    });
    const attempt = async (entries: [string, ChannelStatistics][]): Promise<string> => {
      const path = join(root, 'wrong.safetensors');
      await saveStatistics(path, new Map(entries));
      const error = await m2ib({ normalisation: 'dataset' }, statisticsAt(path))
        .attribute(PAIRS[0])
        .catch(e => e);
      expect(error).toBeInstanceOf(NarrowsError);
      return error.message;
    };
    expect(await attempt([['image.1', unit(32)]])).toMatch(/has no "text.-1.mean"; fit the statistics again with this model/);
    expect(
      await attempt([
        ['image.1', unit(8)],
        ['text.-1', unit(24)],
      ]),
    ).toMatch(/has statistics of 8 channels, not 32; fit them again with this model/);
    expect(
      await attempt([
        ['image.1', unit(32, 0)],
        ['text.-1', unit(24)],
      ]),
    ).toMatch(/^"image.1" in .+ is no mean and positive deviation per channel/);
  });
});
