/**
 * @file How many masks the interactions' fit needs: p-faithfulness (R² on fresh masks) at FIxLIP's budget of 2²¹ values and at smaller ones,
 * the same masks nested, on captioned scenes. Prints a Markdown table with 95 % intervals over scenes.
 * usage: node --import tsx bench/evidence/interaction-budget.ts [--model REF] [--scenes N] [--seed N]
 */
import { parseArgs } from 'node:util';
import { splitMasks } from '../../src/attribution/methods/banzhaf-interactions.ts';
import { encodePairs } from '../../src/attribution/pair.ts';
import { allCoalitions, bernoulliWeights, drawCoalitions } from '../../src/attribution/perturbation/coalitions.ts';
import { fitInteractions, type MaskedSide, predictInteractions } from '../../src/attribution/perturbation/estimators/interactions.ts';
import { crossValues } from '../../src/attribution/perturbation/games.ts';
import { Perturbation } from '../../src/attribution/perturbation/perturbation.ts';
import { captionPlayers } from '../../src/attribution/perturbation/players.ts';
import { rows } from '../../src/attribution/rows.ts';
import { CLIPModel } from '../../src/models/pretrained.ts';
import { caption } from '../../src/scenes/captions.ts';
import { drawScene } from '../../src/scenes/scene.ts';
import { loadSprites } from '../../src/scenes/sprites.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { bootstrap } from '../../src/tensor/statistics/bootstrap.ts';
import { mean } from '../../src/tensor/statistics/descriptive.ts';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'scene-clip' },
    scenes: { type: 'string', default: '12' },
    seed: { type: 'string', default: '20261201' },
  },
});
const P = 0.5;
const FRESH = { image: 512, text: 128 };
const SIZES = [256, 512, 1024, 2048];
/** The published rule gives 65,536 image masks to a caption of five words; more than this is not worth the wait. */
const MOST = 8192;
const seed = Number(flags.seed);
await using model = await CLIPModel.fromPretrained(flags.model);
const world = await loadSprites();
const stream = (name: string): RandomStream => new RandomStream(seed, `budget.${name}`);

/** R² of predictions on fresh masks; every mask comes with probability p by itself, so all weigh the same. */
function faithfulness(predicted: Float64Array, values: Float64Array): number {
  const level = mean(values);
  let [left, all] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    left += (values[i] - predicted[i]) ** 2;
    all += (values[i] - level) ** 2;
  }
  return 1 - left / all;
}

const found = new Map<string, number[]>();
const cosines = new Map<string, number[]>();
const note = (into: Map<string, number[]>, key: string, value: number): void => void into.set(key, [...(into.get(key) ?? []), value]);
for (let s = 0; s < Number(flags.scenes); s++) {
  const scene = drawScene(world, {}, stream('scenes').reader(0, s));
  const pair = { image: scene.image, text: caption(scene, stream('captions').reader(0, s)) };
  const encoded = await encodePairs(model, [pair], { image: -1, text: -1 });
  await using engine = new Perturbation({ model, encoded });
  const n = encoded.image.grid[0] * encoded.image.grid[1];
  const k = captionPlayers(encoded, 0).length;
  const split = splitMasks({ budget: 2 ** 21, imageMasks: 0, textMasks: 0 }, n, k);
  const published = { ...split, image: Math.min(MOST, split.image) };
  const draw = (name: string, count: number, players: number, antithetic = false): Uint8Array =>
    drawCoalitions(stream(name).reader(0, s), count, players, P, antithetic);
  const texts = (count: number): { coalitions: Uint8Array; weights?: Float64Array } =>
    count === 2 ** k ? { coalitions: allCoalitions(k), weights: bernoulliWeights(k, P) } : { coalitions: draw('texts', count, k) };
  // As the method draws them: free for pairs within a side, antithetic otherwise.
  const free = draw('images', published.image, n);
  const opposed = draw('images', SIZES.at(-1)!, n, true);
  const features = { free: await engine.imageFeatures(0, free), opposed: await engine.imageFeatures(0, opposed) };
  const [freshImages, freshTexts] = [draw('fresh images', FRESH.image, n), draw('fresh texts', FRESH.text, k)];
  const values = crossValues(await engine.imageFeatures(0, freshImages), await engine.textFeatures(0, freshTexts));
  let best: Float64Array | undefined;
  for (const size of [published.image, ...SIZES].filter((m, i) => i === 0 || m < published.image))
    for (const within of [true, false]) {
      const kind = within || size === published.image ? 'free' : 'opposed';
      const coalitions = (kind === 'free' ? free : opposed).subarray(0, size * n);
      const own: MaskedSide = { players: n, coalitions, features: rows(features[kind], [0, size]) };
      // Text masks are cheap: a smaller budget does not save on them.
      const words = texts(size === published.image ? published.text : Math.min(2 ** k, 256));
      const other: MaskedSide = { players: k, ...words, features: await engine.textFeatures(0, words.coalitions) };
      const fit = fitInteractions(own, other, P, within);
      const label = `${size === published.image ? 'published' : size} ${within ? 'all pairs' : 'cross pairs'}`;
      note(found, label, faithfulness(predictInteractions(fit, freshImages, freshTexts), values));
      best ??= fit.cross;
      let [dot, a, b] = [0, 0, 0];
      fit.cross.forEach((v, i) => {
        dot += v * best![i];
        a += v * v;
        b += best![i] * best![i];
      });
      note(cosines, label, dot / Math.sqrt(a * b));
    }
  process.stderr.write(`\r${s + 1} of ${flags.scenes} scenes (${n} patches, ${k} words, ${published.image} masks)`);
}
process.stderr.write('\n');
process.stdout.write("| image masks | fit | p-faithfulness | interactions: cosine to the largest budget's |\n| --- | --- | --- | --- |\n");
for (const [label, list] of found) {
  const [size, ...kind] = label.split(' ');
  const cell = (v: number[]): string => {
    const { estimate, low, high } = bootstrap(v, mean, { random: new RandomStream(0, 'budget.interval') });
    return `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  };
  process.stdout.write(`| ${size} | ${kind.join(' ')} | ${cell(list)} | ${cell(cosines.get(label)!)} |\n`);
}
