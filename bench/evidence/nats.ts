/**
 * @file How settled M2IB's numbers of nats are: maps by several settings against those of 300 steps at a rate that falls to nought, and these
 * against another seed of themselves (the control). Answers of `scene-llava`, plain and against the other answer, and pairs of `scene-clip`.
 * Finished cells stand in OUTPUT/nats-cells.jsonl; a stopped run goes on.
 * --from FILE.gz: cells of an earlier sitting, taken where OUTPUT has none.
 * usage: node --import tsx bench/evidence/nats.ts [--from FILE.gz] [--scenes 40] [--seed N] [--output DIR] [--tables]
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { AnswerAttributor } from '../../src/attribution/answers/answer-attributor.ts';
import type { MethodEntry } from '../../src/attribution/method.ts';
import { M2IB, type M2IBOptions } from '../../src/attribution/methods/m2ib.ts';
import { findMethod } from '../../src/attribution/registry.ts';
import type { Attribution } from '../../src/attribution/result.ts';
import { sceneSet } from '../../src/evaluation/benchmarks/scenes/world.ts';
import { fineMap, scoreInside } from '../../src/evaluation/metrics/placed-map.ts';
import { ChatModel } from '../../src/generation/pretrained.ts';
import { CellStore } from '../../src/jobs/store.ts';
import { CLIPModel } from '../../src/models/pretrained.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { nameCaption } from '../../src/scenes/captions.ts';
import { existence } from '../../src/scenes/instructions.ts';
import type { Scene } from '../../src/scenes/scene.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { bootstrap, type Estimate } from '../../src/tensor/statistics/bootstrap.ts';
import { mean, median, quantile } from '../../src/tensor/statistics/descriptive.ts';
import { pearson, spearman } from '../../src/tensor/statistics/rank.ts';

const { values: flags } = parseArgs({
  options: {
    scenes: { type: 'string', default: '40' },
    seed: { type: 'string', default: '20261130' },
    output: { type: 'string', default: 'out/evidence' },
    from: { type: 'string', default: 'docs/evidence/nats-cells.jsonl.gz' },
    tables: { type: 'boolean', default: false },
  },
});

const falling = { quietSteps: 0, learningRateSchedule: 'cosine' } as const;
const LONG = '300 steps, falling';
const SETTINGS: Readonly<Record<string, { readonly options: Partial<M2IBOptions>; readonly seed?: number }>> = {
  [LONG]: { options: { ...falling, steps: 300, learningRate: 0.5 } },
  [`${LONG}, other seed`]: { options: { ...falling, steps: 300, learningRate: 0.5 }, seed: 1 },
  '100 steps, falling (settle)': { options: { settle: true } },
  '40 steps, falling': { options: { ...falling, steps: 40, learningRate: 1 } },
  default: { options: {} },
  'default, other seed': { options: {}, seed: 1 },
  'six steps at a constant rate': { options: { steps: 6, learningRateSchedule: 'constant' } },
  'ten noisy steps': { options: { steps: 10, learningRate: 1, quietSteps: 0, learningRateSchedule: 'constant' } },
  '40 steps, constant rate of 2': { options: { steps: 40, learningRate: 2, learningRateSchedule: 'constant' } },
};
const THINGS = { least: 2, most: 4 } as const;
const KINDS = ['answer', 'answer against the other', 'pair'] as const;

mkdirSync(flags.output, { recursive: true });
const cells = join(flags.output, 'nats-cells.jsonl');
if (!existsSync(cells) && existsSync(flags.from)) writeFileSync(cells, gunzipSync(readFileSync(flags.from)));
const part = z.object({ bits: z.number(), verdict: z.string(), map: z.array(z.number()) });
const schema = z.object({ image: part, text: part });
type Cell = z.infer<typeof schema>;
await using store = await CellStore.open<Cell>(cells, {
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
  const set = sceneSet('nats', Number(flags.seed), Number(flags.scenes), THINGS);
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

/** A scene's cells of one setting and of 300 steps, and where the things lie that are asked for. */
interface Row {
  readonly cell: Cell;
  readonly long: Cell;
  /** The default's. */
  readonly usual: Cell;
  readonly boxes: readonly (readonly number[])[];
  readonly side: number;
}

const shown = (value: number, digits = 2): string => value.toFixed(digits).replace('-', '−');
const interval = ({ estimate, low, high }: Estimate, digits = 2): string =>
  `${shown(estimate, digits)} [${shown(low, digits)}, ${shown(high, digits)}]`;
const sampled = (rows: readonly Row[], statistic: (rows: Row[]) => number): Estimate =>
  bootstrap(rows, statistic, { random: new RandomStream(0, 'nats') });
const share = ({ image, text }: Cell): number => image.bits / (image.bits + text.bits);
const inside = ({ cell, boxes, side }: Row): number => {
  const grid = Math.sqrt(cell.image.map.length);
  const view = { left: 0, top: 0, width: side, height: side };
  return scoreInside(fineMap({ grid: [grid, grid], patches: cell.image.map, view }), boxes).energy;
};

function bitsOf(rows: readonly Row[], of: 'image' | 'text', control: boolean): string[] {
  const ratios = rows.map(({ cell, long }) => cell[of].bits / long[of].bits);
  const spread = `${shown(median(ratios))} [${shown(quantile(ratios, 0.05))}, ${shown(quantile(ratios, 0.95))}]`;
  const bits = sampled(rows, some => mean(some.map(({ cell }) => cell[of].bits)));
  return [interval(bits, 0), control ? '1' : spread];
}

function tableOf(kind: (typeof KINDS)[number], scenes: readonly Scene[]): string[] {
  const head = ['settings', 'picture: bits', 'of 300 steps’, median [5 %, 95 %]', 'words: bits', 'of 300 steps’, median [5 %, 95 %]'];
  const more = [
    'picture’s share, rank correlation with 300 steps’',
    'map’s correlation with 300 steps’',
    'inside the box',
    'less the default’s',
    'said to be settled',
  ];
  const lines = Object.keys(SETTINGS).flatMap(setting => {
    const rows = scenes.flatMap(({ objects, width }, i): Row[] => {
      const [cell, long, usual] = [setting, LONG, 'default'].map(name => store.result(keyOf(kind, name, i)));
      const boxes = objects.slice(0, kind === 'pair' ? 2 : 1).map(({ box }) => [box.left, box.top, box.width, box.height]);
      return cell && long && usual ? [{ cell, long, usual, boxes, side: width }] : [];
    });
    if (rows.length === 0) return [];
    const order = sampled(rows, some =>
      spearman(
        some.map(({ cell }) => share(cell)),
        some.map(({ long }) => share(long)),
      ),
    );
    const alike = bootstrap(
      rows.map(({ cell, long }) => pearson(cell.image.map, long.image.map)),
      mean,
      { random: new RandomStream(0, 'nats') },
    );
    const settled = (['image', 'text'] as const).map(
      of => `${Math.round((100 * rows.filter(({ cell }) => cell[of].verdict === 'converged').length) / rows.length)} %`,
    );
    const own = setting === LONG;
    const cells = [
      ...bitsOf(rows, 'image', own),
      ...bitsOf(rows, 'text', own),
      ...(own ? ['1', '1'] : [interval(order), interval(alike)]),
      interval(bootstrap(rows.map(inside), mean, { random: new RandomStream(0, 'nats') })),
      setting === 'default'
        ? ''
        : interval(
            bootstrap(
              rows.map(row => inside(row) - inside({ ...row, cell: row.usual })),
              mean,
              { random: new RandomStream(0, 'nats') },
            ),
          ),
      kind === 'pair' ? settled.join(', ') : settled[0],
    ];
    return [`| ${[setting, ...cells].join(' | ')} |`];
  });
  return ['', `### ${kind}`, '', `| ${[...head, ...more].join(' | ')} |`, `|${'---|'.repeat(head.length + more.length)}`, ...lines];
}

const drawn = sceneSet('nats', Number(flags.seed), Number(flags.scenes), THINGS);
const scenes = await Promise.all(Array.from({ length: Number(flags.scenes) }, (_, i) => drawn.draw(i)));
const text = `${KINDS.flatMap(kind => tableOf(kind, scenes)).join('\n')}\n`;
writeFileSync(join(flags.output, 'nats.md'), text);
console.log(text);
