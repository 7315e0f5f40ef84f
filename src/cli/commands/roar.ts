/**
 * @file `narrows roar`: ROAR+ (M2IB, arXiv 2312.17174, section 5): what a map holds highest is taken out of the pictures, the model is trained
 * again on what is left by `narrows train clip`'s own code, and retrieval on fresh pairs tells how much was lost. Zero-shot beside it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { createMethod, findMethod, pairMethods } from '../../attribution/registry.ts';
import { type FolderOptions, readFolder, writeFolder } from '../../evaluation/roar/folder.ts';
import { type RoarResults, roarMarkdown } from '../../evaluation/roar/report.ts';
import { retrieval } from '../../evaluation/roar/retrieval.ts';
import { DEFAULT_MODEL } from '../../models/bundled.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { makeDirectory, writeFileAtomic } from '../../node/files.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { NarrowsError } from '../../system/errors.ts';
import { parseArguments } from '../../tuning/arguments.ts';
import { clipTrainingSchema } from '../../tuning/clip/arguments.ts';
import { trainClip } from '../../tuning/clip/train.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { examples, integer, list, nearestNames, number } from '../flags.ts';
import { hubOptions } from '../hub-progress.ts';
import { pluginOption } from '../plugins.ts';

/** Nothing is taken away. */
const UNTOUCHED = 'untouched';

function configure(command: Command): void {
  command
    .option('--methods <list>', 'methods to judge; the controls random and uniform are always in', list, ['m2ib'])
    .option('--model <name>', 'CLIP to start from', DEFAULT_MODEL)
    .addOption(new Option('--modality <side>', 'what is taken away: patches or words').choices(['image', 'text']).default('image'))
    .option('--percentile <p>', 'values above it are taken away', number(1, 99), 75)
    .option('--samples <n>', 'pairs to train on', integer(64), 1000)
    .option('--validation-samples <n>', 'pairs to judge by', integer(50), 500)
    .option('--max-steps <n>', 'updates of each training; 0: zero-shot alone', integer(0), 200)
    .option('--batch-size <n>', 'pairs per update', integer(2), 64)
    .option('--learning-rate <rate>', 'learning rate', number(0, 1), 3e-4)
    .option('--seeds <n>', 'trainings per method', integer(1, 100), 3)
    .addOption(pluginOption())
    .requiredOption('--output <directory>', 'where pairs, runs and the table go; the same command goes on from there')
    .addHelpText('after', examples(['narrows roar --methods m2ib,grad-cam --output roar', 'Take away, train again, compare']));
}

async function run(context: Context, options: Options): Promise<undefined> {
  const directory = options.output as string;
  const wanted = [...new Set([...(options.methods as string[]), 'random', 'uniform'])];
  for (const name of wanted) {
    if (pairMethods().some(m => m.name === name)) continue;
    const near = nearestNames(
      name,
      pairMethods().map(m => m.name),
    );
    throw new NarrowsError(`There is no method "${name}"${near.length ? `; did you mean ${near.join(' or ')}?` : '.'}`, { kind: 'usage' });
  }
  const modality = options.modality as 'image' | 'text';
  const world = await loadSprites({});
  const base = { world, seed: context.seed, percentile: options.percentile as number, modality };
  const split = (name: 'train' | 'validation', samples: unknown): FolderOptions => ({ ...base, split: name, samples: samples as number });
  const splits = [split('train', options.samples), split('validation', options.validationSamples)];
  const { output: _, config: __, ...said } = options;
  const settings = { ...said, seed: context.seed };
  await sameSettings(directory, settings);
  await using model = await CLIPModel.fromPretrained(options.model as string, hubOptions(context));
  const outcome: Record<string, { zeroShot: number[]; retrained: number[][] }> = {};
  for (const name of [UNTOUCHED, ...wanted]) {
    const folder = join(directory, name);
    const method = name === UNTOUCHED ? undefined : createMethod(findMethod(name)!, model);
    const [train, validation] = [
      await writeFolder(context, folder, splits[0], method, name),
      await writeFolder(context, folder, splits[1], method, name),
    ];
    await method?.release();
    const pairs = await readFolder(folder, validation);
    const zeroShot = await retrieval(model, pairs);
    const perSeed: number[][] = [];
    for (let seed = 0; (options.maxSteps as number) > 0 && seed < (options.seeds as number); seed++)
      perSeed.push(await retrain(context, options, { folder, train, seed, name }, pairs));
    outcome[name] = { zeroShot, retrained: zeroShot.map((_, i) => perSeed.map(s => s[i])) };
  }
  const results: RoarResults = {
    schemaVersion: 1,
    model: { name: model.name, sha256: await model.sha256() },
    settings,
    untouched: outcome[UNTOUCHED],
    methods: wanted.map(name => ({ name, ...outcome[name] })),
  };
  await writeFileAtomic(join(directory, 'roar.json'), JSON.stringify(results));
  await writeFileAtomic(join(directory, 'roar.md'), roarMarkdown(results));
  context.print(context.json ? JSON.stringify(results) : roarMarkdown(results));
  return undefined;
}

/** Trains on a folder and gives the retrieval per validation pair; both are kept. */
async function retrain(
  context: Context,
  options: Options,
  { folder, train, seed, name }: { folder: string; train: string; seed: number; name: string },
  pairs: Parameters<typeof retrieval>[1],
): Promise<number[]> {
  const output = join(folder, `run-${seed}`);
  const record = join(folder, `retrieval-${seed}.json`);
  const kept = await readFile(record, 'utf8').catch(() => undefined);
  if (kept !== undefined) return JSON.parse(kept) as number[];
  context.log.info(`${name}, seed ${seed}: training for ${options.maxSteps} updates`);
  const args = parseArguments(
    clipTrainingSchema,
    {
      output_dir: output,
      model: options.model,
      train_file: train,
      max_steps: options.maxSteps,
      per_device_train_batch_size: options.batchSize,
      learning_rate: options.learningRate,
      weight_decay: 0.05,
      warmup_steps: 0.05,
      eval_steps: options.maxSteps,
      save_steps: options.maxSteps,
      save_total_limit: 1,
      seed,
    },
    'the training arguments',
  );
  await trainClip(args, { signal: context.signal, log: context.log, quiet: context.quiet });
  context.signal.throwIfAborted();
  await using model = await CLIPModel.fromPretrained(output);
  const scores = await retrieval(model, pairs);
  await writeFileAtomic(record, JSON.stringify(scores));
  return scores;
}

/** A directory belongs to one set of settings. @throws NarrowsError where it holds a run with others */
async function sameSettings(directory: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
  await makeDirectory(directory);
  const path = join(directory, 'settings.json');
  // More methods or seeds may be added to a run; what the others stand on may not change.
  const { methods: _, seeds: __, json: ___, quiet: ____, debug: _____, ...fixed } = settings;
  const text = JSON.stringify(fixed);
  const there = await readFile(path, 'utf8').catch(() => undefined);
  if (there === undefined) await writeFileAtomic(path, text);
  else if (there !== text)
    throw new NarrowsError(`${directory} holds a ROAR+ run with other settings; choose another --output.`, { kind: 'usage' });
}

/** `narrows roar`. */
export const roarCommand: CommandModule = { configure, run };
