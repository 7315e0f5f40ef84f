/**
 * @file Which settings of M2IB work best on captions. A caption names two things, one in the scene and one that is not; the map should
 * give its nats to the words of the one that is there. Controls: equal nats per word, and nats by position.
 * usage: node --import tsx bench/evidence/m2ib-text.ts [--model REF] [--samples N] [--settings FILE.json] [--output DIR]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { M2IB, type M2IBOptions } from '../../src/attribution/methods/m2ib.ts';
import type { WordScore } from '../../src/attribution/result.ts';
import { CLIPModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { nameCaption } from '../../src/scenes/captions.ts';
import { CONCEPTS } from '../../src/scenes/concepts.ts';
import { drawScene } from '../../src/scenes/scene.ts';
import { loadSprites } from '../../src/scenes/sprites.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { bootstrap, pairedBootstrap } from '../../src/tensor/statistics/bootstrap.ts';
import { mean } from '../../src/tensor/statistics/descriptive.ts';
import { spearman } from '../../src/tensor/statistics/rank.ts';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'scene-clip' },
    samples: { type: 'string', default: '200' },
    settings: { type: 'string' },
    output: { type: 'string', default: 'out/evidence' },
    seed: { type: 'string', default: '20261124' },
    threads: { type: 'string', default: '2' },
  },
});
const samples = Number(flags.samples);
const seed = Number(flags.seed);
const model = await CLIPModel.fromPretrained(flags.model, { runtime: nodeRuntime({ threads: Number(flags.threads) }) });
const world = await loadSprites();
const stream = new RandomStream(seed, 'evidence.text.scenes');
const choices = new RandomStream(seed, 'evidence.text.choices');

/** One present and one absent name, in random order. Names of as many words, so that equal nats per word score one half. */
const cases = Array.from({ length: samples }, (_, i) => {
  const scene = drawScene(world, { minObjects: 1, maxObjects: 2 }, stream.reader(0, i));
  const reader = choices.reader(0, i);
  const here = reader.pick(scene.objects).concept;
  const words = (concept: number): number => CONCEPTS[concept].name.split(' ').length;
  const present = new Set(scene.objects.map(o => o.concept));
  let absent = reader.integer(CONCEPTS.length);
  while (present.has(absent) || words(absent) !== words(here)) absent = reader.integer(CONCEPTS.length);
  const first = reader.uniform() < 0.5;
  const names = first ? [nameCaption(here), nameCaption(absent)] : [nameCaption(absent), nameCaption(here)];
  const text = names.join(' and ');
  const at = (name: string): [number, number] => [text.indexOf(name), text.indexOf(name) + name.length];
  return { pair: { image: scene.image, text }, present: at(nameCaption(here)), absent: at(nameCaption(absent)) };
});

/** Sum over the words inside a span, articles left out. */
const within = (words: readonly WordScore[], [start, end]: readonly [number, number]): number =>
  words.filter(w => w.start >= start && w.end <= end && !/^(an?|some)$/.test(w.text)).reduce((sum, w) => sum + w.value, 0);

const settings: Record<string, Partial<M2IBOptions>> = flags.settings
  ? JSON.parse(readFileSync(flags.settings, 'utf8'))
  : { default: {}, 'published form (compat)': { compat: 'm2ib-official' } };
const random = new RandomStream(seed, 'evidence.text.bootstrap');
const show = (values: readonly number[]): string => {
  const { estimate, low, high } = bootstrap(values, mean, { random });
  return `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
};
const lines = [
  '| settings | share of nats on the thing that is there | it has more | rank stability | ms a map |',
  '|---|---|---|---|---|',
];
const shares: Record<string, number[]> = {};
const stabilities: Record<string, number[]> = {};
for (const [name, options] of Object.entries(settings)) {
  const method = new M2IB(model, options);
  const runs: (readonly WordScore[])[][] = [];
  let seconds = 0;
  for (const s of [1, 2]) {
    const words: (readonly WordScore[])[] = [];
    for (let from = 0; from < samples; from += 20) {
      const batch = cases.slice(from, from + 20).map(c => c.pair);
      const results = await method.attributeAll(batch, { modality: 'text', seed: s });
      seconds += results[0].timings['explain text'];
      words.push(...results.map(r => r.text!.words));
    }
    runs.push(words);
  }
  shares[name] = runs[0].map((words, i) => {
    const [a, b] = [within(words, cases[i].present), within(words, cases[i].absent)];
    return a + b > 0 ? a / (a + b) : 0.5;
  });
  stabilities[name] = runs[0].map((words, i) =>
    spearman(
      words.map(w => w.value),
      runs[1][i].map(w => w.value),
    ),
  );
  const more = shares[name].map(s => (s > 0.5 ? 1 : 0));
  const line = `| ${name} | ${show(shares[name])} | ${show(more)} | ${show(stabilities[name])} | ${((1000 * seconds) / (2 * samples)).toFixed(1)} |`;
  lines.push(line);
  console.error(line);
  await method.release();
}
const [first, ...others] = Object.keys(settings);
lines.push('', `Paired differences from "${first}" (share; stability), 95 % over ${samples} captions:`, '');
for (const name of others) {
  const differences = [shares, stabilities].map(of => {
    const d = pairedBootstrap(of[name], of[first], { random });
    return `${d.estimate.toFixed(3)} [${d.low.toFixed(3)}, ${d.high.toFixed(3)}]`;
  });
  lines.push(`- ${name}: ${differences.join('; ')}`);
}
const d = pairedBootstrap(
  shares[first],
  shares[first].map(() => 0.5),
  { random },
);
lines.push(
  '',
  `"${first}" minus equal nats per word (.5): ${d.estimate.toFixed(3)} [${d.low.toFixed(3)}, ${d.high.toFixed(3)}], ${samples} captions.`,
);
mkdirSync(flags.output, { recursive: true });
writeFileSync(`${flags.output}/m2ib-text.md`, `${lines.join('\n')}\n`);
writeFileSync(
  `${flags.output}/m2ib-text.json`,
  JSON.stringify({ schemaVersion: 1, model: flags.model, sha256: await model.sha256(), samples, seed, settings, shares }),
);
console.log(lines.join('\n'));
await model.release();
