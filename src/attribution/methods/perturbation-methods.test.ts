/** @file Perturbation and interaction methods on the tiny CLIP: exact goldens, sums, blocks, words, noise, targets, one-word captions. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIPModel } from '../../models/pretrained.ts';
import { RandomStream } from '../../tensor/random.ts';
import { mean, variance } from '../../tensor/statistics/descriptive.ts';
import { ints } from '../../tensor/tensor.ts';
import { ReferenceFile } from '../../verify/reference.ts';
import { explainTensors, type TensorPairs } from '../../verify/tensor-run.ts';
import { Attributor } from '../attributor.ts';
import type { MethodEntry, MethodMaps } from '../method.ts';
import { drawCoalitions } from '../perturbation/coalitions.ts';
import { regressor } from '../perturbation/estimators/least-squares.ts';
import { pairMethods } from '../registry.ts';
import type { Attribution } from '../result.ts';
import { drawPair, PAIRS, sum, textValues, tinyPairModel } from '../testing/tiny-pairs.ts';
import { drawMasks, splitMasks } from './banzhaf-interactions.ts';
import { smoothMask } from './rise.ts';

const GAMES = ['occlusion', 'rise', 'lime', 'kernel-shap', 'shapley', 'banzhaf'];
const JOINT = ['banzhaf-interactions', 'exclip'];
const testdata = fileURLToPath(new URL('../../models/testdata/clip-tiny', import.meta.url));

let model: Awaited<ReturnType<typeof tinyPairModel>>;
beforeAll(async () => {
  model = await tinyPairModel();
});
afterAll(async () => {
  await model.release();
  await model.remove();
});

const entryOf = (name: string): MethodEntry => pairMethods().find(m => m.name === name)!;
/** Few samples, for tests that look at no noise. */
const few = (name: string): Record<string, unknown> =>
  ['rise', 'lime', 'kernel-shap', 'shapley', 'banzhaf'].includes(name)
    ? { samples: 60 }
    : name === 'banzhaf-interactions'
      ? { imageMasks: 60, textMasks: 30 }
      : {};

async function run(
  name: string,
  options: Record<string, unknown> = {},
  call: Parameters<Attributor['attributeAll']>[1] & { pairs?: typeof PAIRS } = {},
): Promise<{ results: Attribution[]; warnings: string[] }> {
  await using method = new Attributor(entryOf(name), model, options);
  const warnings: string[] = [];
  const results = await method.attributeAll(call.pairs ?? PAIRS.slice(0, 2), { ...call, onWarning: w => warnings.push(w) });
  return { results, warnings };
}

describe('sampled values and the golden exact ones', () => {
  let golden: ReferenceFile;
  let pair: TensorPairs;
  let tiny: CLIPModel;
  beforeAll(async () => {
    golden = await ReferenceFile.open(`${testdata}/attributions.safetensors`);
    const outputs = await ReferenceFile.open(`${testdata}/outputs.safetensors`);
    const pixels = await outputs.floats('pixel_values');
    const ids = await outputs.integers('input_ids');
    const pixelValues = { ...pixels, shape: [1, 3, 32, 32], data: pixels.data.subarray(0, 3072) } as typeof pixels;
    pair = { pixelValues, inputIds: ints([1, 6], (ids.data as Int32Array).slice(0, 6)) };
    tiny = await CLIPModel.fromPretrained(testdata);
  });
  afterAll(() => tiny.release());

  const explain = (name: string, options: Record<string, unknown>): Promise<MethodMaps> =>
    explainTensors(tiny, entryOf(name), pair, { options });
  const within = (got: ArrayLike<number>, want: ArrayLike<number>, error: ArrayLike<number>): void => {
    for (let i = 0; i < want.length; i++) expect(Math.abs(got[i] - want[i])).toBeLessThan(4.5 * error[i] + 1e-6);
  };

  for (const [name, exact, options] of [
    ['shapley', 'shapley', { samples: 3000 }],
    ['kernel-shap', 'shapley', {}],
    ['banzhaf', 'banzhaf', {}],
    ['banzhaf', 'banzhaf', { estimator: 'reuse', samples: 3000 }],
    ['rise', 'banzhaf', {}],
  ] as const)
    it(`${name} ${JSON.stringify(options)}: within its standard errors of brute force, words listed exactly`, async () => {
      const { image, text } = await explain(name, options);
      const want = await golden.floats(`exact.image.${exact}`);
      const [map] = image!;
      within(map.tokens.subarray(1), want.data, map.standardError!.subarray(1));
      expect(map.tokens[0]).toBe(0);
      const words = await golden.floats(`exact.text.${exact}`);
      const error = name === 'rise' ? text![0].standardError!.subarray(1, 5) : new Float32Array(4);
      within(text![0].tokens.subarray(1, 5), words.data, error);
      expect([text![0].tokens[0], text![0].tokens[5]]).toEqual([0, 0]);
    });

  it('banzhaf-interactions: pairs and first-order values within their standard errors of brute force', async () => {
    const { image, text, interactions } = await explain('banzhaf-interactions', { imageMasks: 2048 });
    const pairs = await golden.floats('exact.joint.banzhaf_pairs');
    const first = (await golden.floats('exact.joint.banzhaf')).data;
    const [got] = interactions!;
    expect([got.patches, got.tokens]).toEqual([16, [1, 2, 3, 4]]);
    const want = Float32Array.from({ length: 64 }, (_, at) => pairs.data[Math.floor(at / 4) * 20 + 16 + (at % 4)]);
    within(got.values, want, got.standardError!);
    within(image![0].tokens.subarray(1), first.subarray(0, 16), image![0].standardError!.subarray(1));
    within(text![0].tokens.subarray(1, 5), first.subarray(16), text![0].standardError!.subarray(1, 5));
    const all = await explain('banzhaf-interactions', { imageMasks: 2048, within: true });
    expect(all.interactions![0].fit!).toBeGreaterThan(got.fit!);
    // Drawn freely, not in antithetic pairs: other masks, the same limit.
    within(all.interactions![0].values, want, all.interactions![0].standardError!);
  });
});

describe('the standard error', () => {
  const ofTokens = (a: Attribution): Record<string, [values: ArrayLike<number>, error: ArrayLike<number>]> => ({
    image: [a.image!.tokens, a.image!.standardError!],
    ...(a.interactions ? { interactions: [a.interactions.values, a.interactions.standardError!] } : {}),
  });
  for (const [name, options] of [
    ['shapley', { samples: 300 }],
    ['kernel-shap', { samples: 300 }],
    ['banzhaf', { samples: 300 }],
    ['banzhaf', { samples: 300, estimator: 'reuse' }],
    ['guided-banzhaf', { samples: 64 }],
    ['rise', { samples: 300 }],
    ['rise', { samples: 300, published: true }],
    ['banzhaf-interactions', { imageMasks: 200, textMasks: 64 }],
  ] as const)
    it(`of ${name} ${JSON.stringify(options)} is how its values scatter over seeds, neither larger nor smaller`, async () => {
      await using method = new Attributor(entryOf(name), model, options);
      const modality = name === 'banzhaf-interactions' ? 'both' : 'image';
      const seen: Record<string, [values: ArrayLike<number>, error: ArrayLike<number>]>[] = [];
      for (let seed = 0; seed < 12; seed++) seen.push(ofTokens(await method.attribute(PAIRS[1], { modality, seed })));
      for (const part of Object.keys(seen[0])) {
        let [scatter, error] = [0, 0];
        for (let i = 0; i < seen[0][part][0].length; i++) {
          scatter += variance(seen.map(s => s[part][0][i]));
          error += mean(seen.map(s => s[part][1][i] ** 2));
        }
        expect(Math.sqrt(error / scatter), part).toBeGreaterThan(0.6);
        expect(Math.sqrt(error / scatter), part).toBeLessThan(1.6);
      }
    });
});

describe('every method', () => {
  for (const name of [...GAMES, ...JOINT])
    it(`${name}: special tokens and CLS have no value, a pair comes out the same by itself as in a batch, a one-word caption makes sense`, async () => {
      const pairs = [PAIRS[1], PAIRS[2]];
      const { results } = await run(name, few(name), { pairs });
      const { results: separate } = await run(name, few(name), { pairs: [PAIRS[2]] });
      for (const { image, text, interactions } of [...results, ...separate]) {
        expect([...image!.tokens, ...textValues({ text } as Attribution)].every(Number.isFinite)).toBe(true);
        expect(image!.tokens[0]).toBe(0);
        for (const t of text!.tokens) if (t.special) expect(t.value).toBe(0);
        if (!JOINT.includes(name)) expect(interactions).toBeUndefined();
        else expect(interactions!.values.every(Number.isFinite)).toBe(true);
      }
      results[1].image!.tokens.forEach((v, i) => void expect(v).toBeCloseTo(separate[0].image!.tokens[i], 5));
      textValues(results[1]).forEach((v, i) => void expect(v).toBeCloseTo(textValues(separate[0])[i], 5));
      // One word: what is lost without it, but for exCLIP, whose words are the towers' own.
      if (['occlusion', 'lime', 'kernel-shap', 'shapley', 'banzhaf'].includes(name)) {
        const { results: out } = await run('occlusion', {}, { pairs: [PAIRS[2]] });
        expect(textValues(separate[0])[1]).toBeCloseTo(textValues(out[0])[1], 6);
      }
    });

  for (const name of ['kernel-shap', 'shapley'])
    it(`${name}: values add up to the score minus that of the empty input, whatever the target`, async () => {
      for (const target of [{}, { against: 'a blue car' }, { labels: ['a dog', 'a tree'] }]) {
        const { results } = await run(name, few(name), { target });
        for (const { image } of results) expect(Math.abs(image!.convergenceDelta!)).toBeLessThan(1e-6);
        expect(sum(results[0].image!.tokens)).not.toBeCloseTo(0, 4);
      }
    });

  it('blocks share a value; removals differ; a token can be a player of its own', async () => {
    const { results: blocks } = await run('occlusion', { block: 2 });
    const { patches } = blocks[0].image!;
    expect([patches[1], patches[4], patches[5]]).toEqual([patches[0], patches[0], patches[0]]);
    expect(patches[2]).not.toBe(patches[0]);
    const maps = [];
    for (const removal of ['mean', 'blur', 'drop']) maps.push((await run('occlusion', { removal })).results[0].image!.patches);
    expect(new Set(maps.map(m => m[3].toFixed(6))).size).toBe(3);
    const words = (await run('occlusion', {})).results[0];
    const deleted = (await run('occlusion', { textRemoval: 'delete' })).results[0];
    expect(textValues(words)[1]).not.toBeCloseTo(textValues(deleted)[1], 5);
    expect(textValues((await run('occlusion', { textPlayers: 'token' })).results[0])).toEqual(textValues(words));
    const { results: windows } = await run('occlusion', { window: 4 });
    // One window over everything: all that the picture gives, which Shapley values share out.
    const whole = sum((await run('kernel-shap', { samples: 60 })).results[0].image!.tokens);
    for (const v of windows[0].image!.patches) expect(v).toBeCloseTo(whole, 6);
  });

  it('another seed draws other masks; the same seed the same map', async () => {
    const [a, b, c] = await Promise.all(
      [0, 0, 1].map(async seed => (await run('rise', { samples: 40 }, { seed })).results[0].image!.tokens),
    );
    expect([...a]).toEqual([...b]);
    expect([...a]).not.toEqual([...c]);
  });

  it('too few samples warn with the standard error, or are refused in one sentence', async () => {
    const { warnings } = await run('rise', { samples: 8 });
    expect(warnings[0]).toMatch(/^The image map of rise is noisy: its standard error \(median [\d.e-]+\) is more than half/);
    await expect(run('banzhaf', { samples: 10 })).rejects.toThrow(/10 coalitions are too few to tell what 16 players/);
    expect((await run('rise', { samples: 4000 }, { pairs: [PAIRS[3]] })).warnings).toEqual([]);
  });
});

describe('published RISE', () => {
  it('a mask has values from 0 to 1, p on average, and is smooth', () => {
    const stream = new RandomStream(3, 'test');
    const masks = Array.from({ length: 200 }, (_, m) => smoothMask(stream.reader(0, m), 4, 0.3, [30, 20]));
    expect(masks[0].length).toBe(600);
    expect(Math.min(...masks.flatMap(m => [...m]))).toBe(0);
    expect(Math.max(...masks.flatMap(m => [...m]))).toBeLessThanOrEqual(1);
    expect(masks.reduce((s, m) => s + sum(m), 0) / 200 / 600).toBeCloseTo(0.3, 1);
    let jump = 0;
    for (const m of masks) for (let i = 1; i < 20; i++) jump = Math.max(jump, Math.abs(m[i] - m[i - 1]));
    // A cell is 5 pixels wide, so enlarged by (4 + 1)·5/4.
    expect(jump).toBeLessThan(0.17);
  });

  it('S = Σ f·M / (N·p): pixels whose sums per patch are the tokens; its level is the mean score', async () => {
    const { results, warnings } = await run('rise', { published: true, samples: 200, removal: 'drop' });
    const { pixels, patches, standardError } = results[0].image!;
    expect([pixels!.height, pixels!.width]).toEqual([32, 32]);
    let first = 0;
    for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) first += pixels!.values[y * 32 + x];
    expect(patches[0]).toBeCloseTo(first, 4);
    expect(standardError![1]).toBeGreaterThan(0);
    expect(warnings[0]).toMatch(/cannot drop patches: the mean colour is used instead/);
  });
});

describe('interactions', () => {
  it('masks are split by the rule of the paper, listed where a side is small, and enough for the fit', () => {
    const none = { imageMasks: 1024, textMasks: 256 };
    expect(splitMasks({ ...none, budget: 2 ** 21 }, 49, 10)).toEqual({ image: 7084, text: 296 });
    expect(splitMasks({ ...none, budget: 2 ** 12 }, 49, 3)).toEqual({ image: 512, text: 8 });
    expect(splitMasks(none, 49, 16)).toEqual({ image: 1024, text: 256 });
    expect(splitMasks(none, 4, 2)).toEqual({ image: 16, text: 4 });
    expect(splitMasks({ ...none, imageMasks: 4 }, 49, 16).image).toBe(100);
  });

  it('are told apart by the masks, however few are asked for, and more than asked are said', async () => {
    // Five words at twelve masks, of many seeds: a few draws are too equal and go on to 14 or more, the others stay.
    const rows = Array.from({ length: 200 }, (_, seed) => drawMasks(12, 5, { p: 0.5, within: false }, seed, 'text').coalitions.length / 5);
    expect(rows.filter(r => r === 12).length).toBeGreaterThan(100);
    const seed = rows.findIndex(r => r > 12);
    expect(seed).toBeGreaterThanOrEqual(0);
    const more = drawMasks(12, 5, { p: 0.5, within: false }, seed, 'text').coalitions;
    const first = drawCoalitions(new RandomStream(seed, 'interactions.text').reader(0, 0), 12, 5, 0.5);
    expect(() => regressor(first, 5)).toThrow(/12 coalitions are too few/);
    expect([...more.slice(0, 60)]).toEqual([...first]);
    expect(() => regressor(more, 5)).not.toThrow();
    // Never more than there are.
    expect(drawMasks(6, 2, { p: 0.5, within: false }, 0, 'text').coalitions.length / 2).toBe(4);
    const { warnings } = await run('banzhaf-interactions', { imageMasks: 8, textMasks: 256 });
    expect(warnings[0]).toMatch(/^8 image masks cannot tell 16 patches apart: 3\d are taken\.$/);
    expect((await run('banzhaf-interactions', { budget: 64 })).warnings[0]).toMatch(
      /^A budget of 64 values is too small for 16 patches and /,
    );
  });

  it('say where another target was asked for', async () => {
    const { warnings } = await run(
      'banzhaf-interactions',
      { ...few('banzhaf-interactions'), within: true },
      { target: { against: 'a dog' } },
    );
    expect(warnings.join(' ')).toMatch(/other target is left aside/);
    const plain = await run('banzhaf-interactions', { ...few('banzhaf-interactions'), within: true });
    expect(plain.warnings.join(' ')).not.toMatch(/target/);
  });

  it('exclip: the sum over all pairs of tokens approaches f(x,y) − f(r,y) − f(x,r) + f(r,r)', async () => {
    const gaps: number[] = [];
    for (const steps of [5, 40]) {
      const { results } = await run('exclip', { steps }, { pairs: [drawPair(3, 5)] });
      gaps.push(Math.abs(results[0].image!.convergenceDelta!));
      const { values, patches, tokens } = results[0].interactions!;
      expect(values.length).toBe(patches * tokens.length);
      expect(sum(values)).toBeCloseTo(sum(results[0].image!.tokens), 6);
      expect(sum(values)).toBeCloseTo(sum(textValues(results[0])), 6);
    }
    expect(gaps[1]).toBeLessThan(gaps[0] / 10);
    expect(gaps[1]).toBeLessThan(1e-4);
    await expect(run('exclip', { layer: 3 })).rejects.toThrow(/layer 3 is out of range/);
  });
});
