import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, input } from '../graph/index.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { RandomStream } from '../tensor/random.ts';
import { floats } from '../tensor/tensor.ts';
import { encodeTargets } from './encode-target.ts';
import { cosine, type EncodedPairs, encodePairs } from './pair.ts';
import { row } from './rows.ts';
import { linearTarget, scoreFeatures, type Target, type TargetSpec, targetFeeds, targetScore, unit } from './target.ts';
import { drawImage, LAYERS, PAIRS, tinyPairModel } from './testing/tiny-pairs.ts';

let model: Awaited<ReturnType<typeof tinyPairModel>>;
let encoded: EncodedPairs;
beforeAll(async () => {
  model = await tinyPairModel();
  encoded = await encodePairs(model, PAIRS, LAYERS);
});
afterAll(async () => {
  await model.release();
  await model.remove();
});

const textFeature = async (text: string): Promise<Float32Array> => {
  const { inputIds, attentionMask } = model.requireTokenizer().encodeBatch([text]);
  return (await model.textFeatures(inputIds, attentionMask)).data;
};
const scoreOf = (target: Target, p: number): number => scoreFeatures(target, p, row(encoded.image.features, p));

describe('a target', () => {
  it('is the same in a graph and on the host, for every kind', async () => {
    const normals = new RandomStream(3, 'test.target').normals(0, 0, new Float32Array(2 * 3 * 4 + 6 * 4));
    const labels: Target = {
      ...{ kind: 'labels', form: 'log-probability', scale: 7, description: '' },
      vectors: floats([2, 3, 4], normals.slice(0, 24)),
    };
    const vector = linearTarget([normals.slice(0, 4), normals.slice(4, 8)], { kind: 'caption', description: '' });
    const features = floats([6, 4], normals.slice(24));
    const runtime = nodeRuntime({ threads: 1 });
    for (const target of [labels, vector]) {
      await using graph = await compile(runtime, { score: targetScore(input('features', ['3*batch', 4]), 3, target) });
      const { score } = await graph.run({ features, ...targetFeeds(target, [0, 2]) });
      expect(score.shape).toEqual([2, 3]);
      for (let i = 0; i < 6; i++) expect(score.data[i]).toBeCloseTo(scoreFeatures(target, Math.floor(i / 3), row(features, i)), 5);
    }
    await runtime.release();
  });

  it('is the cosine of image and caption by default', async () => {
    const { image, text } = await encodeTargets(model, encoded);
    for (const p of PAIRS.keys()) {
      expect(scoreOf(image, p)).toBeCloseTo(encoded.cosines[p], 6);
      expect(scoreFeatures(text, p, row(encoded.text.features, p))).toBeCloseTo(encoded.cosines[p], 6);
    }
  });

  it('is a difference of cosines against another caption, zero against the same', async () => {
    const { image, text } = await encodeTargets(model, encoded, { against: 'green boat' });
    const other = await textFeature('green boat');
    for (const p of PAIRS.keys())
      expect(scoreOf(image, p)).toBeCloseTo(encoded.cosines[p] - cosine(row(encoded.image.features, p), other), 5);
    expect(scoreFeatures(text, 0, row(encoded.text.features, 0))).toBeCloseTo(encoded.cosines[0], 6);
    const same = await encodeTargets(model, encoded, { against: PAIRS[2].text });
    expect(scoreOf(same.image, 2)).toBeCloseTo(0, 6);
  });

  it('is a log-probability among labels; probabilities add up to one', async () => {
    const labels = ['red car', 'blue sky', 'a dog'];
    const { image } = await encodeTargets(model, encoded, { labels });
    const scale = await model.logitScale();
    const features = row(encoded.image.features, 1);
    const scores = await Promise.all([PAIRS[1].text, ...labels].map(async text => scale * cosine(features, await textFeature(text))));
    const sum = scores.reduce((total, v) => total + Math.exp(v), 0);
    expect(scoreOf(image, 1)).toBeCloseTo(scores[0] - Math.log(sum), 4);
    expect(image.description).toContain('4 labels');
    await expect(encodeTargets(model, encoded, { labels: [PAIRS[0].text] })).rejects.toThrow(
      /captions are among the labels and some are not/,
    );
    const one = await encodePairs(model, [PAIRS[0]], LAYERS);
    await expect(encodeTargets(model, one, { labels: [PAIRS[0].text] })).rejects.toThrow(/only the caption itself/);
  });

  it('is the cosine to the mean of prompts', async () => {
    const { image } = await encodeTargets(model, encoded, { templates: ['{}', 'photo of {}'] });
    const prompts = await Promise.all([PAIRS[1].text, `photo of ${PAIRS[1].text}`].map(async text => unit(await textFeature(text))));
    const mean = prompts[0].map((v, i) => v + prompts[1][i]);
    expect(scoreOf(image, 1)).toBeCloseTo(cosine(row(encoded.image.features, 1), mean), 5);
    await expect(encodeTargets(model, encoded, { templates: ['a photo'] })).rejects.toThrow(/"a photo" has no \{\}/);
  });

  it('may be another picture', async () => {
    const picture = drawImage(77);
    const { image, text } = await encodeTargets(model, encoded, { image: picture });
    const { data } = await model.imageFeatures(floats([1, 3, 32, 32], model.processor.process(picture).pixelValues.data));
    expect(scoreOf(image, 0)).toBeCloseTo(cosine(row(encoded.image.features, 0), data), 5);
    expect(scoreFeatures(text, 0, row(encoded.text.features, 0))).toBeCloseTo(cosine(row(encoded.text.features, 0), data), 5);
  });

  it('says its kind by a code, for each tower', async () => {
    const kinds = async (spec: TargetSpec): Promise<string[]> => {
      const { image, text } = await encodeTargets(model, encoded, spec);
      return [image.kind, text.kind];
    };
    expect(await kinds({})).toEqual(['caption', 'image']);
    expect(await kinds({ against: 'a dog' })).toEqual(['contrast', 'image']);
    expect(await kinds({ labels: ['a cat', 'a dog'] })).toEqual(['labels', 'image']);
    expect(await kinds({ templates: ['photo of {}'] })).toEqual(['prompts', 'image']);
    expect(await kinds({ image: drawImage(77), imageName: 'x.png' })).toEqual(['other-image', 'other-image']);
  });

  it('is one at a time, and of known words', async () => {
    await expect(encodeTargets(model, encoded, { against: 'a dog', labels: ['a cat'] })).rejects.toThrow(
      /Only one target .* against and labels/,
    );
    await expect(encodeTargets(model, encoded, { against: 'xylophone' })).rejects.toThrow(/xylophone/);
    await expect(encodeTargets(model, encoded, { against: '' })).rejects.toThrow(/empty/);
    for (const spec of [
      { against: 'a xylophone dog' },
      { labels: ['a xylophone dog', 'a cat'] },
      { templates: ['xylophone of {}', '{}'] },
    ]) {
      const warned: string[] = [];
      await encodeTargets(model, encoded, spec, { warn: message => warned.push(message) });
      expect(warned.join()).toMatch(/vocabulary lacks "xylophone"/);
    }
  });
});
