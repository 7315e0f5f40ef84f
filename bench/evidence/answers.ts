/**
 * @file Maps of answers on scenes: methods by metrics with 95 % intervals and controls, M2IB's layers and betas, and whether grounding foretells
 * invented answers. Writes Markdown and JSON.
 * usage: node --import tsx bench/evidence/answers.ts [--model REF] [--scenes 200] [--pope 60] [--settings 40] [--costly 40] [--faithful 40] [--part maps|settings|pope|all] [--output DIR]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { AnswerAttributor, answerModelOf } from '../../src/attribution/answers/answer-attributor.ts';
import type { MethodEntry } from '../../src/attribution/method.ts';
import { answerMethods, findMethod } from '../../src/attribution/registry.ts';
import { foretells, foretellsMore, groundingOf, type ScoredAnswer } from '../../src/evaluation/answers/grounding.ts';
import { type AskedQuestion, answerSample, gamesOfQuestion } from '../../src/evaluation/answers/sample.ts';
import { sceneSet } from '../../src/evaluation/benchmarks/scenes/world.ts';
import { scenesPope } from '../../src/evaluation/benchmarks/scenes-pope.ts';
import { findMetric, type MetricName } from '../../src/evaluation/metrics/registry.ts';
import { ChatModel } from '../../src/generation/pretrained.ts';
import { GraphCache } from '../../src/graph/index.ts';
import { existence } from '../../src/scenes/instructions.ts';
import type { Scene } from '../../src/scenes/scene.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { bootstrap } from '../../src/tensor/statistics/bootstrap.ts';
import { mean } from '../../src/tensor/statistics/descriptive.ts';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'scene-llava' },
    scenes: { type: 'string', default: '200' },
    pope: { type: 'string', default: '60' },
    settings: { type: 'string', default: '40' },
    // Questions on which methods of many passes are asked; the others are asked on all.
    costly: { type: 'string', default: '40' },
    // Questions on which metrics are measured that run the model again; places of maps are measured on all.
    faithful: { type: 'string', default: '40' },
    seed: { type: 'string', default: '20261129' },
    part: { type: 'string', default: 'all' },
    output: { type: 'string', default: 'out/evidence' },
  },
});
const seed = Number(flags.seed);
const random = new RandomStream(seed, 'evidence.bootstrap');
const chat = await ChatModel.open(flags.model);
const graphs = new GraphCache();
const METRICS: readonly MetricName[] = [
  'energy-pointing-game',
  'pointing-game',
  'insertion',
  'deletion',
  'p-faithfulness',
  'prompt-randomisation',
];
/** Fewer samples than the defaults: on squares of two patches a side there are 16 players. */
const FEW = {
  ...{ rise: { samples: 64, block: 2 }, lime: { samples: 64, block: 2 }, 'kernel-shap': { samples: 64, block: 2 } },
  ...{
    shapley: { samples: 64, block: 2 },
    banzhaf: { samples: 64, block: 2 },
    smoothgrad: { nSamples: 10 },
    'integrated-gradients': { nSteps: 20 },
  },
} as Readonly<Record<string, object>>;
/** Methods that take dozens of passes a map. */
const COSTLY = new Set([
  'smoothgrad',
  'integrated-gradients',
  'layer-integrated-gradients',
  'nib',
  'm2ib-token',
  'gated-gradients',
  'occlusion',
  ...Object.keys(FEW),
]);
const VALUES = { answer: 'yes', against: 'no', parts: 'none' } as const;

interface Case extends AskedQuestion {
  readonly truth: Uint8Array;
}

const boxMask = ({ width, height }: Scene, { left, top, width: w, height: h }: Scene['objects'][number]['box']): Uint8Array =>
  Uint8Array.from({ length: width * height }, (_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return Number(x >= left && x < left + w && y >= top && y < top + h);
  });

/** Questions whether a thing that is there is there, which the model answers with yes. */
async function* cases(count: number): AsyncGenerator<Case> {
  const set = sceneSet('answers', seed, 4 * count + 40, { least: 3, most: 4 });
  await using plain = new AnswerAttributor(findMethod('uniform') as MethodEntry, chat);
  let found = 0;
  for (let i = 0; i < set.things.length && found < count; i++) {
    const scene = await set.draw(i);
    const [thing, other] = scene.objects;
    const pair = { image: scene.image, text: existence(thing.concept, true).question };
    const { image } = await plain.attribute(pair, { ...VALUES, modality: 'image' });
    if (!(image!.score! > 0)) continue;
    found++;
    const otherQuestion = existence(other.concept, true).question;
    yield {
      pair,
      answer: 'yes',
      against: 'no',
      truth: boxMask(scene, thing.box),
      size: [scene.height, scene.width],
      otherQuestion,
      key: i,
    };
  }
}

/** Adds to a list by name. */
function append<T>(lists: Record<string, T[]>, name: string, value: T): void {
  const list = lists[name] ?? [];
  lists[name] = list;
  list.push(value);
}

interface Row {
  readonly name: string;
  readonly values: Record<string, number[]>;
}

/** Every method on every case by every metric. */
async function judge(
  methods: readonly { name: string; entry: MethodEntry; options: object }[],
  count: number,
  metrics: readonly MetricName[],
): Promise<Row[]> {
  const attributors = methods.map(({ entry, options }) => new AnswerAttributor(entry, chat, { ...options }));
  const rows: Row[] = methods.map(({ name }) => ({ name, values: {} }));
  let n = 0;
  for await (const asked of cases(count)) {
    const games = gamesOfQuestion(chat, asked, graphs.keep);
    for (const [i, attributor] of attributors.entries()) {
      if (COSTLY.has(attributor.entry.name) && n >= Number(flags.costly)) continue;
      const started = performance.now();
      const result = await attributor.attribute(asked.pair, { ...VALUES, seed: 0 });
      append(rows[i].values, 'ms', performance.now() - started);
      append(rows[i].values, 'image share', groundingOf(result).imageShare);
      const sample = answerSample(attributor, asked, result, games);
      for (const name of metrics) {
        if (findMetric(name)!.needs.some(need => need !== 'truth') && n >= Number(flags.faithful)) continue;
        const metric = findMetric(name)!;
        const options = metric.schema.parse(
          name === 'p-faithfulness' ? { samples: 64 } : 'steps' in metric.schema.shape ? { steps: 16 } : {},
        );
        append(rows[i].values, name, await metric.evaluate(sample, options as never));
      }
    }
    if (++n % 20 === 0) console.error(`${n} of ${count} questions`);
  }
  for (const attributor of attributors) await attributor.release();
  return rows;
}

const show = (values: readonly number[]): string => {
  const known = (values ?? []).filter(v => !Number.isNaN(v));
  if (known.length < 2) return '–';
  const { estimate, low, high } = bootstrap(known, mean, { random });
  return `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] (${known.length})`;
};
const table = (rows: readonly Row[], columns: readonly string[]): string[] => [
  `| map | ${columns.join(' | ')} | median ms |`,
  `|---|${columns.map(() => '---|').join('')}---|`,
  ...rows.map(({ name, values }) => {
    const ms = [...values.ms].sort((a, b) => a - b)[values.ms.length >> 1];
    return `| ${name} | ${columns.map(column => show(values[column])).join(' | ')} | ${ms.toFixed(0)} |`;
  }),
];

async function settings(): Promise<string[]> {
  const m2ib = findMethod('m2ib') as MethodEntry;
  const { layers } = answerModelOf(chat);
  const variant = (name: string, options: object) => ({ name, entry: m2ib, options });
  const list = [
    variant('default', {}),
    ...Array.from({ length: layers - 1 }, (_, layer) => variant(`layer ${layer}`, { layer })),
    ...[1, 3, 30].map(beta => variant(`beta ${beta}`, { beta })),
    variant('one gate per token, beta 1', { alpha: 'token', beta: 1 }),
    variant('5 steps', { steps: 5 }),
    variant('20 steps', { steps: 20 }),
    variant('one pair of samples', { batchSize: 2 }),
  ];
  const metrics = ['energy-pointing-game', 'pointing-game', 'insertion', 'deletion', 'p-faithfulness'] as const;
  const rows = await judge(list, Number(flags.settings), metrics);
  return [
    `## M2IB's settings (n = ${Math.max(...rows.map(({ values }) => values.ms.length))})`,
    '',
    ...table(rows, [...metrics, 'image share']),
    '',
  ];
}

async function maps(): Promise<string[]> {
  const list = answerMethods().map(entry => ({ name: entry.name, entry, options: FEW[entry.name] ?? {} }));
  const rows = await judge(list, Number(flags.scenes), METRICS);
  writeFileSync(
    `${flags.output}/answers.json`,
    JSON.stringify({ model: chat.name, seed, rows }, (_, v) => (typeof v === 'number' && !Number.isFinite(v) ? null : v)),
  );
  return [
    `## Methods by metrics (n = ${Math.max(...rows.map(({ values }) => values.ms.length))})`,
    '',
    ...table(rows, [...METRICS, 'image share']),
    '',
  ];
}

const PREDICTORS = ['image', 'imageShare', 'peak', 'concentration'] as const;
/** Methods whose grounding is held against the model's own probability. */
const AUDITORS = ['m2ib', 'saliency', 'chefer', 'random'];

async function pope(): Promise<string[]> {
  const { questions } = await scenesPope.load({ seed });
  const wanted = questions.slice(0, 6 * Number(flags.pope));
  const attributors = AUDITORS.map(name => new AnswerAttributor(findMethod(name) as MethodEntry, chat));
  const set = sceneSet('pope', seed, 500, { least: 3, most: 4 });
  const scored: Record<string, ScoredAnswer[]> = {};
  const masses: Record<string, number[]> = {};
  const add = (name: string, score: number, right: boolean, cluster: string): void => {
    append(scored, name, { score, right, cluster });
  };
  let [yes, invented] = [0, 0];
  for (const question of wanted) {
    const image = await question.pictures[0].read();
    const pair = { image, text: question.text };
    for (const [i, attributor] of attributors.entries()) {
      const result = await attributor.attribute(pair, { ...VALUES, seed: 0 });
      if (!(result.image!.score! > 0)) break;
      const right = question.answers[0] === 'yes';
      if (i === 0) {
        yes++;
        if (!right) invented++;
        add("the answer's own log-probability", result.answer.tokens[0].logProbability, right, question.cluster);
      }
      const at = Number(String(question.id).split('-')[0]);
      const scene = await set.draw(at);
      const boxes = scene.objects.map(({ name, box }) => ({ name, box: [box.left, box.top, box.width, box.height] as const }));
      const figures = groundingOf(result);
      for (const name of PREDICTORS) add(`${AUDITORS[i]}: ${name}`, figures[name], right, question.cluster);
      const each = boxes.map(({ name, box }) => ({ name, ...groundingOf(result, box) }));
      const best = each.reduce((a, b) => ((a.thing ?? 0) > (b.thing ?? 0) ? a : b));
      add(`${AUDITORS[i]}: share on the strongest thing`, best.thingShare!, right, question.cluster);
      const asked = each.find(({ name }) => name === question.facts.concept);
      append(masses, `${AUDITORS[i]} ${right ? 'right' : 'invented'}: mass on the picture`, figures.image);
      append(masses, `${AUDITORS[i]} ${right ? 'right' : 'invented'}: on the strongest thing`, best.thing!);
      if (right && asked) {
        append(masses, `${AUDITORS[i]} right: on the thing asked for`, asked.thing!);
        append(masses, `${AUDITORS[i]} right: share on the thing asked for`, asked.thingShare!);
      }
    }
  }
  for (const attributor of attributors) await attributor.release();
  const own = scored["the answer's own log-probability"];
  const auc = (answers: readonly ScoredAnswer[]): string => {
    const { estimate, low, high } = foretells(answers, random);
    return `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  };
  const more = (answers: readonly ScoredAnswer[]): string => {
    const { estimate, low, high } = foretellsMore(answers, own, random);
    return `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  };
  return [
    `## Does grounding foretell invented things? (${wanted.length} questions of scenes-pope, ${yes} answered yes, ${invented} of them invented)`,
    '',
    '| score, high for right answers | AUC | minus that of the own probability |',
    '|---|---|---|',
    ...Object.entries(scored).map(([name, answers]) => `| ${name} | ${auc(answers)} | ${answers === own ? '' : more(answers)} |`),
    '',
    '| mass (nats for m2ib) | mean [95 %] | n |',
    '|---|---|---|',
    ...Object.entries(masses).map(([name, values]) => `| ${name} | ${show(values)} | ${values.length} |`),
    '',
  ];
}

mkdirSync(flags.output, { recursive: true });
const parts = { settings, maps, pope };
const lines: string[] = [];
for (const [name, part] of Object.entries(parts)) {
  if (flags.part !== 'all' && flags.part !== name) continue;
  const started = process.cpuUsage();
  lines.push(...(await part()));
  const { user } = process.cpuUsage(started);
  console.error(`${name}: ${(user / 60e6).toFixed(1)} CPU-minutes`);
}
await graphs.release();
await chat.release();
writeFileSync(`${flags.output}/answers${flags.part === 'all' ? '' : `-${flags.part}`}.md`, `${lines.join('\n')}\n`);
console.log(lines.join('\n'));
