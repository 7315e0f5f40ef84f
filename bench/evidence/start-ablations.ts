/**
 * @file What each part of the recipe of a small LLaVA brings: the recipe of `examples/pretrain-scene-llava.json`, shortened, whole and with one
 * part left out, from some seeds each, and what each start then answers about fresh scenes. Goes on where it stopped; the stage on patches is taken
 * from the whole recipe where a variant leaves it as it is. Two processes may share a folder by `--only`.
 * usage: node --import tsx bench/evidence/start-ablations.ts --output DIR [--seeds N] [--only 'NAME;NAME'] [--tables]
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { pretrain } from '../../src/experiments/vittle-scenes/pretrain.ts';
import { experimentSchema } from '../../src/experiments/vittle-scenes/settings.ts';
import { writeFileAtomic } from '../../src/node/files.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { TASKS, type Task } from '../../src/scenes/instructions.ts';
import { TRAIN_STYLES } from '../../src/scenes/sprite-atlas.ts';
import { loadSprites } from '../../src/scenes/sprites.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { clusterBootstrap, pairedClusterBootstrap } from '../../src/tensor/statistics/cluster-bootstrap.ts';
import { PATCH_STAGE } from '../../src/tuning/llava/patch-stage.ts';
import { type TaskAnswers, taskExaminer, taskHead } from './scene-tasks.ts';

const { values: flags } = parseArgs({
  options: {
    output: { type: 'string' },
    seeds: { type: 'string', default: '2' },
    only: { type: 'string' },
    scenes: { type: 'string', default: '400' },
    /** Updates of the three stages; those of the table by default. */
    steps: { type: 'string', default: '500,265,600' },
    tables: { type: 'boolean', default: false },
  },
});
if (!flags.output)
  throw new Error('usage: start-ablations.ts --output DIR [--seeds N] [--only NAMES] [--tables]; names with ; between them');
const output = flags.output;
const [patchSteps, existenceSteps, steps] = flags.steps.split(',').map(Number);
const sitting = { styles: TRAIN_STYLES, seed: 20261130, scenes: Number(flags.scenes) };

const recipe: Record<string, unknown> = JSON.parse(readFileSync('examples/pretrain-scene-llava.json', 'utf8'));
const whole = {
  ...recipe,
  // The recipe had it when the table was made, and lost it for what the table says.
  pretrain_group_rates: true,
  ...{ pretrain_patch_steps: patchSteps, pretrain_existence_steps: existenceSteps, pretrain_steps: steps, pretrain_fall: 0.4 },
  ...{ pretrain_caption_steps: undefined, pretrain_dtype: undefined },
};
const off = (...keys: string[]): Record<string, unknown> => Object.fromEntries(keys.map(key => [`pretrain_${key}`, undefined]));

/** What a variant changes. Where a stage is left out, its updates go to the questions. */
const VARIANTS: Readonly<Record<string, Record<string, unknown>>> = {
  'the whole recipe': {},
  'no stage on patches, and what needs it': {
    ...off('patch_steps', 'tower', 'things', 'patch_names', 'scale', 'sink', 'mark', 'matching_start'),
    pretrain_steps: steps + patchSteps,
  },
  'no whitening': off('whiten_scenes'),
  'frozen tower': off('tower'),
  'patches say their own place': off('things'),
  'patches choose among all words': off('patch_names'),
  'no scale': off('scale'),
  'no sink, and the mark that needs it': off('sink', 'mark'),
  'no mark': off('mark'),
  'no matching start, and the mark that needs it': off('matching_start', 'mark'),
  'one rate for all': off('group_rates'),
  'no stage of existence': { ...off('existence_steps'), pretrain_steps: steps + existenceSteps },
  'conversations, not isolated turns': off('isolated_turns'),
};
/** What the stage on patches depends on. */
const PATCH_KEYS = ['patch_steps', 'tower', 'things', 'patch_names', 'whiten_scenes'].map(key => `pretrain_${key}`);

/** What one start answered. */
interface Row {
  readonly name: string;
  readonly seed: number;
  readonly answers: Record<Task, TaskAnswers>;
  readonly minutes: number;
}
mkdirSync(join(output, 'answers'), { recursive: true });
const slug = (name: string): string => name.replaceAll(/[^a-z]+/g, '-');
const place = (name: string, seed: number): string => join(output, 'answers', `${slug(name)}-${seed}.json`);
const read = (): Row[] => readdirSync(join(output, 'answers')).map(file => JSON.parse(readFileSync(join(output, 'answers', file), 'utf8')));

const settingsOf = (name: string, start: string, seed: number) =>
  experimentSchema.parse({ ...whole, ...VARIANTS[name], start, pretrain_seed: seed });

async function run(name: string, seed: number): Promise<void> {
  const change = VARIANTS[name];
  const start = join(output, `${slug(name)}-${seed}`);
  const settings = settingsOf(name, start, seed);
  const shared = join(output, `${slug('the whole recipe')}-${seed}.patches`);
  const own = `${start}.patches`;
  if (!PATCH_KEYS.some(key => key in change) && !existsSync(own) && existsSync(join(shared, PATCH_STAGE)))
    cpSync(shared, own, { recursive: true });
  const runtime = nodeRuntime({ threads: 1 });
  const began = performance.now();
  const world = await loadSprites({ styles: TRAIN_STYLES });
  if (!(await pretrain(runtime, settings, world, { onResult: text => console.error(`${basename(start)}: ${text}`) })))
    throw new Error(`${start} was stopped.`);
  const sit = await taskExaminer(runtime, start);
  const { answers } = await sit(sitting);
  const minutes = (performance.now() - began) / 60_000;
  await writeFileAtomic(place(name, seed), JSON.stringify({ name, seed, answers, minutes } satisfies Row));
  await runtime.release();
}

/** Means over seeds and scenes; the difference to the whole recipe pair by pair, of the seeds that both have. */
function table(rows: readonly Row[]): string {
  const random = new RandomStream(0, 'evidence.bootstrap');
  const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`;
  const base = new Map(rows.filter(row => row.name === 'the whole recipe').map(row => [row.seed, row]));
  const lines = taskHead('left out');
  for (const name of Object.keys(VARIANTS)) {
    const own = rows.filter(row => row.name === name);
    if (own.length === 0) continue;
    const cells = TASKS.map(task => {
      const all = own.map(row => row.answers[task]);
      const values = all.flatMap(one => one.values);
      const scenes = all.flatMap(one => one.scenes);
      const mean = clusterBootstrap(values, scenes, { random }).estimate.toFixed(2);
      const pairs = own.filter(row => base.has(row.seed));
      if (name === 'the whole recipe' || pairs.length === 0) return mean;
      const { estimate, low, high } = pairedClusterBootstrap(
        pairs.flatMap(row => row.answers[task].values),
        pairs.flatMap(row => base.get(row.seed)!.answers[task].values),
        pairs.flatMap(row => row.answers[task].scenes),
        { random },
      );
      return `${mean}<br>${signed(estimate)} [${signed(low)}, ${signed(high)}]`;
    });
    lines.push(`| ${name} (${own.length}) | ${cells.join(' | ')} |`);
  }
  return lines.join('\n');
}

if (!flags.tables) {
  const names = flags.only?.split(';') ?? Object.keys(VARIANTS);
  for (const name of names)
    if (!(name in VARIANTS)) throw new Error(`No variant "${name}". There are: ${Object.keys(VARIANTS).join('; ')}.`);
  // What cannot be run is said before hours of work.
  for (const name of names) settingsOf(name, output, 0);
  for (let seed = 0; seed < Number(flags.seeds); seed++)
    for (const name of names) if (!existsSync(place(name, seed))) await run(name, seed);
}
const text = `${table(read())}\n`;
writeFileSync(join(output, 'start-ablations.md'), text);
console.log(text);
