/**
 * @file How settled M2IB's numbers of nats are: maps by several settings against those of 300 steps at a rate that falls to nought, and these
 * against another seed of themselves (the control). Answers of `scene-llava`, plain and against the other answer, and pairs of `scene-clip`.
 * Finished cells stand in OUTPUT/nats-cells.jsonl; a stopped run goes on.
 * usage: node --import tsx bench/evidence/nats.ts [--scenes 60] [--seed N] [--output DIR] [--tables]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { AnswerAttributor } from '../../src/attribution/answers/answer-attributor.ts';
import type { MethodEntry } from '../../src/attribution/method.ts';
import { M2IB, type M2IBOptions } from '../../src/attribution/methods/m2ib.ts';
import { findMethod } from '../../src/attribution/registry.ts';
import type { Attribution } from '../../src/attribution/result.ts';
import { mapAgreement } from '../../src/evaluation/answers/map-movement.ts';
import { sceneSet } from '../../src/evaluation/benchmarks/scenes/world.ts';
import { ChatModel } from '../../src/generation/pretrained.ts';
import { CellStore } from '../../src/jobs/store.ts';
import { CLIPModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { nameCaption } from '../../src/scenes/captions.ts';
import { existence } from '../../src/scenes/instructions.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { bootstrap } from '../../src/tensor/statistics/bootstrap.ts';
import { mean, median, quantile } from '../../src/tensor/statistics/descriptive.ts';
import { spearman } from '../../src/tensor/statistics/rank.ts';

const { values: flags } = parseArgs({
  options: {
    scenes: { type: 'string', default: '60' },
    seed: { type: 'string', default: '20261130' },
    output: { type: 'string', default: 'out/evidence' },
    tables: { type: 'boolean', default: false },
  },
});

const falling = { quietSteps: 0, learningRateSchedule: 'cosine' } as const;
const LONG = '300 steps, falling';
const SETTINGS: Readonly<Record<string, { readonly options: Partial<M2IBOptions>; readonly seed?: number }>> = {
  [LONG]: { options: { ...falling, steps: 300, learningRate: 0.5 } },
  [`${LONG}, other seed`]: { options: { ...falling, steps: 300, learningRate: 0.5 }, seed: 1 },
  '100 steps, falling': { options: { ...falling, steps: 100, learningRate: 0.7 } },
  '40 steps, falling': { options: { ...falling, steps: 40, learningRate: 1 } },
  default: { options: {} },
  'default, other seed': { options: {}, seed: 1 },
  'six steps at a constant rate': { options: { steps: 6, learningRateSchedule: 'constant' } },
  'ten noisy steps': { options: { steps: 10, learningRate: 1, quietSteps: 0 } },
  '40 steps, constant rate of 2': { options: { steps: 40, learningRate: 2 } },
};
const KINDS = ['answer', 'answer against the other', 'pair'] as const;

mkdirSync(flags.output, { recursive: true });
const part = z.object({ bits: z.number(), verdict: z.string(), map: z.array(z.number()) });
const schema = z.object({ image: part, text: part });
type Cell = z.infer<typeof schema>;
await using store = await CellStore.open<Cell>(join(flags.output, 'nats-cells.jsonl'), {
  ...{ kind: 'nats-evidence', version: 1, schema, readOnly: flags.tables },
  onWarning: message => console.error(message),
});

const short = (values: ArrayLike<number>): number[] => Array.from(values, value => Number(value.toPrecision(5)));
const cellOf = ({ image, text }: Attribution): Cell => ({
  image: { bits: image!.totalBits!, verdict: image!.convergence.verdict, map: short(image!.patches) },
  text: { bits: text!.totalBits!, verdict: text!.convergence.verdict, map: short(text!.words.map(word => word.value)) },
});
const keyOf = (kind: string, setting: string, i: number): string => `${flags.seed}|${kind}|${setting}|${i}`;

async function run(): Promise<void> {
  const runtime = nodeRuntime({ threads: 1 });
  await using chat = await ChatModel.open('scene-llava', { runtime });
  await using clip = await CLIPModel.fromPretrained('scene-clip', { runtime });
  const entry = findMethod('m2ib') as MethodEntry;
  const each = Object.entries(SETTINGS).map(([setting, { options, seed = 0 }]) => ({
    ...{ setting, seed, answers: new AnswerAttributor(entry, chat, { ...options }), pairs: new M2IB(clip, options) },
  }));
  const set = sceneSet('nats', Number(flags.seed), Number(flags.scenes), { least: 2, most: 4 });
  for (let i = 0; i < Number(flags.scenes); i++) {
    const scene = await set.draw(i);
    const [first, second] = scene.objects.map(object => object.concept);
    const asked = { image: scene.image, text: existence(first, true).question };
    const named = { image: scene.image, text: `${nameCaption(first)} and ${nameCaption(second)}` };
    for (const { setting, seed, answers, pairs } of each)
      for (const kind of KINDS) {
        const key = keyOf(kind, setting, i);
        if (store.result(key)) continue;
        const against = kind === 'answer' ? {} : { against: 'no' };
        const result =
          kind === 'pair'
            ? await pairs.attribute(named, { seed })
            : await answers.attribute(asked, { answer: 'yes', parts: 'none', ...against, seed });
        await store.put(key, { result: cellOf(result) });
      }
    console.error(`${i + 1} of ${flags.scenes} scenes`);
  }
  for (const { answers, pairs } of each) {
    await answers.release();
    await pairs.release();
  }
}
if (!flags.tables) await run();

const shown = (value: number, digits = 2): string => value.toFixed(digits);
const lines: string[] = [];
for (const kind of KINDS) {
  lines.push('', `### ${kind}`, '');
  lines.push(
    "| settings | picture: bits | of 300 steps', median [5 %, 95 %] | words: bits | of 300 steps', median [5 %, 95 %] | picture's share: rank correlation | map: rank agreement | said to be settled |",
  );
  lines.push('|---|---|---|---|---|---|---|---|');
  for (const setting of Object.keys(SETTINGS)) {
    const both = Array.from({ length: Number(flags.scenes) }, (_, i) =>
      [setting, LONG].map(name => store.result(keyOf(kind, name, i))),
    ).filter((cells): cells is [Cell, Cell] => cells.every(cell => cell !== undefined));
    if (both.length === 0) continue;
    const column = (of: 'image' | 'text'): string[] => {
      const ratios = both.map(([cell, long]) => cell[of].bits / long[of].bits);
      const { estimate, low, high } = bootstrap(both, cells => mean(cells.map(([cell]) => cell[of].bits)), {
        random: new RandomStream(0, 'nats'),
      });
      return [
        `${shown(estimate, 0)} [${shown(low, 0)}, ${shown(high, 0)}]`,
        setting === LONG ? '1' : `${shown(median(ratios))} [${shown(quantile(ratios, 0.05))}, ${shown(quantile(ratios, 0.95))}]`,
      ];
    };
    const share = ({ image, text }: Cell): number => image.bits / (image.bits + text.bits);
    const order = bootstrap(
      both,
      cells =>
        spearman(
          cells.map(([cell]) => share(cell)),
          cells.map(([, long]) => share(long)),
        ),
      {
        random: new RandomStream(0, 'share'),
      },
    );
    const agreement = bootstrap(both, cells => mean(cells.map(([cell, long]) => mapAgreement(cell.image.map, long.image.map))), {
      random: new RandomStream(0, 'map'),
    });
    const settled = (of: 'image' | 'text'): number => both.filter(([cell]) => cell[of].verdict === 'converged').length / both.length;
    const interval = ({ estimate, low, high }: typeof order): string => `${shown(estimate)} [${shown(low)}, ${shown(high)}]`;
    lines.push(
      `| ${setting} | ${[...column('image'), ...column('text')].join(' | ')} | ${setting === LONG ? '1' : interval(order)} | ${setting === LONG ? '1' : interval(agreement)} | ${Math.round(100 * settled('image'))} %, ${Math.round(100 * settled('text'))} % |`,
    );
  }
}
const text = `${lines.join('\n')}\n`;
writeFileSync(join(flags.output, 'nats.md'), text);
console.log(text);
