/** @file The engine on the tiny CLIP: picked rows equal masked pixels and shortened captions, each coalition is encoded once, in any chunk. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, gather, input, normalise } from '../../graph/index.ts';
import { RandomStream } from '../../tensor/random.ts';
import { type FloatTensor, floats, ints } from '../../tensor/tensor.ts';
import { encodeTargets } from '../encode-target.ts';
import { type EncodedPairs, encodePairs } from '../pair.ts';
import { row } from '../rows.ts';
import type { Target } from '../target.ts';
import { unit } from '../target.ts';
import { drawImage, drawPair, PAIRS, tinyPairModel } from '../testing/tiny-pairs.ts';
import { gaussianBlur } from './blur.ts';
import { allCoalitions, coalitionKeys, drawCoalitions } from './coalitions.ts';
import { FeatureStore } from './feature-store.ts';
import { crossValues, imageGame, jointGame, textGame } from './games.ts';
import { Perturbation, type PerturbationContext } from './perturbation.ts';
import { captionPlayers, overTokens, patchPlayers } from './players.ts';

const LAYERS = { image: -1, text: -1 };
let model: Awaited<ReturnType<typeof tinyPairModel>>;
let encoded: EncodedPairs;
let targets: { image: Target; text: Target };
beforeAll(async () => {
  model = await tinyPairModel();
  encoded = await encodePairs(model, PAIRS, LAYERS);
  targets = await encodeTargets(model, encoded);
});
afterAll(async () => {
  await model.release();
  await model.remove();
});

const engineOf = (more: Partial<PerturbationContext> = {}): Perturbation => new Perturbation({ model, encoded, ...more });
const close = (a: ArrayLike<number>, b: ArrayLike<number>, tolerance = 2e-6): void => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(Math.abs(a[i] - b[i])).toBeLessThan(tolerance);
};
const draw = (count: number, n: number): Uint8Array => drawCoalitions(new RandomStream(1, 'test.draw').reader(0, 0), count, n, 0.5);

/** Pixels of pair 0 with the patches of absent players taken from `other`. */
function masked(coalition: Uint8Array, other: FloatTensor): FloatTensor {
  const pixels = row(encoded.image.inputs.pixel_values as FloatTensor, 0);
  const out = floats([1, 3, 32, 32], Float32Array.from(other.data));
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < 32; y++)
      for (let x = 0; x < 32; x++) if (coalition[(y >> 3) * 4 + (x >> 3)]) out.data[(c * 32 + y) * 32 + x] = pixels[(c * 32 + y) * 32 + x];
  return out;
}

describe('pictures', () => {
  it('mean and blur: picked rows equal the picture with those patches replaced, and so do soft masks of whole patches', async () => {
    await using engine = engineOf();
    const coalitions = draw(6, 16);
    const pixels = { dtype: 'float32', shape: [1, 3, 32, 32], data: row(encoded.image.inputs.pixel_values as FloatTensor, 0) } as const;
    const others = { mean: floats([1, 3, 32, 32], new Float32Array(3072)), blur: gaussianBlur(pixels, 4) };
    for (const removal of ['mean', 'blur'] as const) {
      const got = await engine.imageFeatures(0, coalitions, { removal });
      const mask = (m: number): Float32Array =>
        Float32Array.from({ length: 1024 }, (_, at) => coalitions[m * 16 + (at >> 8) * 4 + ((at & 31) >> 3)]);
      const soft = await engine.softImageFeatures(0, { name: 'test', count: 6, mask }, removal);
      for (let m = 0; m < 6; m++) {
        const want = await engine.pixelFeatures(masked(coalitions.subarray(m * 16, (m + 1) * 16), others[removal]));
        close(row(got, m), want.data);
        close(row(soft, m), want.data);
      }
    }
  });

  it('drop: the same as a sequence of only the other tokens', async () => {
    await using engine = engineOf();
    const coalition = Uint8Array.from({ length: 16 }, (_, i) => +(i % 3 === 0));
    const left = [
      0,
      ...Array.from(coalition.keys())
        .filter(i => coalition[i])
        .map(i => i + 1),
    ];
    const got = await engine.imageFeatures(0, coalition, { removal: 'drop' });
    const hidden = gather(input('hidden', [1, 17, model.image.width]), input('left', [left.length], 'int32'), 1);
    await using graph = await compile(model.runtime, { features: normalise(model.image.suffix(-1, hidden, 1, encoded.image.inputs)) });
    const firstRow = floats([1, 17, model.image.width], row(encoded.image.hidden, 0));
    close(got.data, (await graph.run({ hidden: firstRow, left: ints([left.length], left) })).features.data as Float32Array);
    const [mean, none] = [await engine.imageFeatures(0, coalition), await engine.imageFeatures(0, new Uint8Array(16), { removal: 'drop' })];
    expect(Math.max(...mean.data.map((v, i) => Math.abs(v - got.data[i])))).toBeGreaterThan(1e-3);
    expect(none.data.every(Number.isFinite)).toBe(true);
  });

  it('blocks of patches play together', async () => {
    await using engine = engineOf();
    expect(patchPlayers([3, 3], 2)).toEqual([[0, 1, 3, 4], [2, 5], [6, 7], [8]]);
    const blocks = Uint8Array.of(1, 0, 0, 1);
    const fine = Uint8Array.from({ length: 16 }, (_, i) => +(Math.floor(i / 8) === Math.floor((i % 4) / 2)));
    const got = await engine.imageFeatures(0, blocks, { players: patchPlayers([4, 4], 2) });
    close(got.data, (await engine.imageFeatures(0, fine)).data);
    expect(() => patchPlayers([4, 4], 4)).toThrow(/make one player of a grid of 4 × 4/);
  });
});

describe('captions', () => {
  it('delete: the caption without those words; BOS and EOS stay, to the empty caption', async () => {
    await using engine = engineOf();
    const words = PAIRS[1].text.split(' ');
    const coalitions = Uint8Array.from([1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]);
    const got = await engine.textFeatures(1, coalitions, { removal: 'delete' });
    for (let m = 0; m < 3; m++) {
      const text = words.filter((_, i) => coalitions[m * 7 + i]).join(' ');
      const { ids } = model.requireTokenizer().encode(text);
      const want = await model.textFeatures(ints([1, ids.length], ids));
      close(row(got, m), unit(want.data));
    }
  });

  it('mask: the caption with those words hidden from attention, its positions kept; not the same as deleting them', async () => {
    await using engine = engineOf();
    const { ids } = encoded.text.batch.rows[1];
    const coalition = Uint8Array.of(1, 0, 1, 1, 0, 0, 1);
    const got = await engine.textFeatures(1, coalition);
    const want = await model.textFeatures(ints([1, 9], ids), ints([1, 9], [1, ...coalition, 1]));
    close(got.data, unit(want.data));
    const deleted = await engine.textFeatures(1, coalition, { removal: 'delete' });
    expect(Math.max(...got.data.map((v, i) => Math.abs(v - deleted.data[i])))).toBeGreaterThan(1e-3);
    const all = await engine.textFeatures(1, new Uint8Array(7).fill(1));
    close(all.data, unit(row(encoded.text.features, 1)));
  });

  it('a pair of a padded batch comes out as it does by itself, and the tokens of a word are one player', async () => {
    const onlyFirst = await encodePairs(model, [PAIRS[0]], LAYERS);
    await using engine = engineOf();
    await using single = engineOf({ encoded: onlyFirst });
    for (const removal of ['mask', 'delete'] as const)
      close(
        (await engine.textFeatures(0, allCoalitions(2), { removal })).data,
        (await single.textFeatures(0, allCoalitions(2), { removal })).data,
      );
    expect(captionPlayers(encoded, 0)).toEqual([[1], [2]]);
    expect([...overTokens([6, 1], [[0, 1, 2], [4]], 6, 1)]).toEqual([0, 2, 2, 2, 0, 1]);
  });
});

describe('work', () => {
  it('each coalition is encoded once, for every prompt on the same picture', async () => {
    const picture = drawImage(9);
    const pairs = ['a red dog', 'a blue cat', 'two green boat'].map(text => ({ image: picture, text }));
    const same = await encodePairs(model, pairs, LAYERS);
    const { image } = await encodeTargets(model, same);
    let rows = 0;
    let answered = 0;
    await using engine = engineOf({ encoded: same, passes: (_side, count) => (rows += count), advance: (n = 1) => (answered += n) });
    const coalitions = draw(40, 16);
    const twice = Uint8Array.from([...coalitions, ...coalitions]);
    const distinct = new Set(coalitionKeys(coalitions, 16)).size;
    const values = [];
    for (const p of [0, 1, 2]) values.push(await imageGame(engine, p, image).values(twice));
    expect(rows).toBe(distinct);
    expect(answered).toBe(240);
    expect([...values[0].subarray(0, 40)]).toEqual([...values[0].subarray(40)]);
    expect(values[0][0]).not.toBe(values[1][0]);
  });

  it('memory for a single row gives the same values; an abort stops between rows', async () => {
    const coalitions = draw(9, 16);
    await using engine = engineOf();
    await using small = engineOf({ maxMemory: 100_000 });
    close((await engine.imageFeatures(0, coalitions)).data, (await small.imageFeatures(0, coalitions)).data);
    const stop = new AbortController();
    await using stopped = engineOf({ maxMemory: 100_000, signal: stop.signal, passes: () => stop.abort(new Error('enough')) });
    await expect(stopped.imageFeatures(0, coalitions)).rejects.toThrow('enough');
  });

  it('the store holds no more than its limit, and the engine does without what it forgot', async () => {
    const store = new FeatureStore(4096);
    for (let i = 0; i < 100; i++) store.set('a', `${i}`, new Float32Array(16).fill(i));
    expect(store.get('a', '0')?.[0]).toBe(0);
    expect(store.get('a', '99')).toBeUndefined();
    for (const scene of ['b', 'c', 'd', 'e', 'f']) store.set(scene, '0', new Float32Array(16));
    expect(store.get('a', '0')).toBeUndefined();
    await using engine = engineOf();
    await using forgetful = engineOf({ features: new FeatureStore(0) });
    close((await engine.imageFeatures(0, draw(70, 16))).data, (await forgetful.imageFeatures(0, draw(70, 16))).data);
  });

  it('m + n encodes give m·n values: the joint game equals the product of features', async () => {
    await using engine = engineOf();
    const u = await engine.imageFeatures(1, draw(5, 16));
    const w = await engine.textFeatures(1, draw(6, 7));
    const values = crossValues(u, w);
    const joint = jointGame(engine, 1);
    expect(joint.players).toBe(23);
    for (const [a, b] of [
      [0, 0],
      [4, 5],
      [2, 3],
    ]) {
      const both = Uint8Array.from([...draw(5, 16).subarray(a * 16, a * 16 + 16), ...draw(6, 7).subarray(b * 7, b * 7 + 7)]);
      expect((await joint.values(both))[0]).toBeCloseTo(values[a * 6 + b], 6);
    }
    const whole = (await joint.values(new Uint8Array(23).fill(1)))[0];
    expect(whole).toBeCloseTo(encoded.cosines[1], 5);
    expect((await imageGame(engine, 1, targets.image).values(new Uint8Array(16).fill(1)))[0]).toBeCloseTo(whole, 6);
    expect((await textGame(engine, 1, targets.text).values(new Uint8Array(7).fill(1)))[0]).toBeCloseTo(whole, 6);
  });

  it('a caption of special tokens only has no players', () => {
    const rows = [{ ids: [94, 95], tokens: encoded.text.batch.rows[0].tokens.filter(t => t.special), allUnknown: false }];
    const empty = { ...encoded, pairs: [drawPair(1)], text: { ...encoded.text, batch: { ...encoded.text.batch, rows } } };
    expect(() => captionPlayers(empty, 0)).toThrow(/no words that could be removed/);
  });
});
