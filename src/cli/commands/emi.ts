/** @file `narrows emi`: EMI of clean and shifted answers, EMID and its bound. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { loadClub, saveClub } from '../../evaluation/emi/club-file.ts';
import { openEmiEncoders } from '../../evaluation/emi/encoders.ts';
import { measureEmi } from '../../evaluation/emi/measure-emi.ts';
import { readEmiFiles } from '../../evaluation/emi/read-files.ts';
import { readEmiRun } from '../../evaluation/emi/read-run.ts';
import { type EmiResults, emiCsv } from '../../evaluation/emi/results.ts';
import type { EmiSet } from '../../evaluation/emi/sets.ts';
import { DEFAULT_CHAT_MODEL } from '../../models/bundled.ts';
import { makeDirectory, writeFileAtomic } from '../../node/files.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Correlation } from '../../tensor/statistics/pearson-interval.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { addShiftMeans, shiftMeans } from '../evaluate/shift-means.ts';
import { collect, examples, integer, number } from '../flags.ts';
import { hubOptions } from '../hub-progress.ts';
import { addPictureFlags, pictureOptions } from '../picture-flags.ts';
import { formatTable } from '../table.ts';

function configure(command: Command): void {
  command
    .option('--source <dir>', 'output folder of narrows evaluate: its answers without a shift')
    .option('--target <dir>', 'output folder of narrows evaluate: its answers under shifts; may be repeated (default: the source)', collect)
    .option('--benchmark <name>', 'which set of the folders, where they hold several')
    .option('--data <dir>', "where the set's data are (default: where the run had them)");
  for (const [side, what, repeat] of [
    ['source', 'the clean set', ''],
    ['target', 'a shifted set', '; may be repeated'],
  ] as const) {
    const add = (flag: string, text: string): Command =>
      repeat ? command.option(flag, `${text}${repeat}`, collect) : command.option(flag, text);
    add(`--${side}-questions <file>`, `questions of ${what}: .jsonl of {question_id, image, text}, instead of a folder`);
    add(`--${side}-answers <file>`, `the model's answers to them: {question_id, text}`);
    add(`--${side}-references <file>`, `right answers: {question_id, text}${side === 'target' ? ' (default: those of the source)' : ''}`);
    add(`--${side}-images <dir>`, "what the images' paths are relative to (default: the directory of the questions)");
  }
  command
    .option('--model <name>', 'whose vision tower and token embeddings embed pictures and texts: CLIP, SigLIP or LLaVA', DEFAULT_CHAT_MODEL)
    .option('--text-model <name>', 'embeds texts instead; a BERT-like model, too (published: xlm-roberta-base)')
    .option('--estimator <file>', '.safetensors of a CLUB estimator (default: trained on the pairs of all sets)')
    .option('--save-estimator <file>', 'where the estimator that was trained on all pairs is written (with --folds 1)')
    .option('--folds <n>', 'estimators, each blind to the items it judges; 1: one for all, as published', integer(1, 100), 5)
    .option('--steps <n>', 'steps of training', integer(1, 1_000_000), 300)
    .option('--learning-rate <rate>', 'of Adam', number(1e-9, 10), 0.001)
    .option('--batch-size <n>', 'pairs of a step', integer(1, 1_000_000), 2048)
    .option('--units <n>', "units of the estimator's hidden layers", integer(1, 100_000), 250)
    .addOption(
      new Option('--form <form>', 'of the estimate: in linear time, or over all pairs as published')
        .choices(['closed', 'pairs'])
        .default('closed'),
    )
    .addOption(
      new Option('--weights <weights>', 'of sets of unequal size in divergences; by size as published')
        .choices(['equal', 'size'])
        .default('equal'),
    )
    .option('--entropy <nats>', "factor of the theorem's bound, given in addition to the scaled one", number(0))
    .option('--output <dir>', 'writes emi.json and emi.csv there');
  addShiftMeans(command);
  addPictureFlags(command).addHelpText(
    'after',
    examples(
      ['narrows emi --source OUT', 'Every shift that narrows evaluate asked, against the clean answers'],
      [
        'narrows emi --source OUT_CLEAN --target OUT_SHIFTED --model openai/clip-vit-base-patch32 --text-model xlm-roberta-base',
        'With the published encoders',
      ],
      [
        'narrows emi --source-questions q.jsonl --source-answers a.jsonl --source-references r.jsonl --target-questions q2.jsonl --target-answers a2.jsonl',
        "From files in LLaVA's form",
      ],
    ),
  );
}

const usage = (message: string): NarrowsError => new NarrowsError(message, { kind: 'usage' });

/** Of a list of files the one for a target; a single one serves all. */
function nth(files: readonly string[] | undefined, i: number, count: number, flag: string): string | undefined {
  if (files === undefined || files.length === 0) return undefined;
  if (files.length !== 1 && files.length !== count)
    throw usage(`${flag} was given ${files.length} times, but there are ${count} --target-questions.`);
  return files[files.length === 1 ? 0 : i];
}

/** The name of a set of files: that of its answers. */
const nameOf = (file: string): string => file.replace(/^.*[\\/]/, '').replace(/\.[^.]*$/, '');

async function fileSets(options: Options, pictures: ReturnType<typeof pictureOptions>): Promise<EmiSet[]> {
  const { sourceQuestions, sourceAnswers, sourceReferences, sourceImages } = options as Record<string, string | undefined>;
  const lists = options as Record<string, string[] | undefined>;
  if (!sourceQuestions || !sourceAnswers || !sourceReferences)
    throw usage('A source of files takes --source-questions, --source-answers and --source-references.');
  const questions = lists.targetQuestions ?? [];
  if (questions.length === 0) throw usage('Name at least one target: --target-questions with --target-answers.');
  const source = {
    name: 'source',
    questions: sourceQuestions,
    answers: sourceAnswers,
    references: sourceReferences,
    images: sourceImages,
    pictures,
  };
  const sets = [await readEmiFiles(source)];
  for (const [i, file] of questions.entries()) {
    const pick = (key: string, flag: string): string | undefined => nth(lists[key], i, questions.length, flag);
    const answers = pick('targetAnswers', '--target-answers');
    if (answers === undefined) throw usage('Each --target-questions takes --target-answers.');
    const references = pick('targetReferences', '--target-references') ?? sourceReferences;
    const name = questions.length === 1 && nameOf(answers) === '' ? 'target' : nameOf(answers);
    sets.push(
      await readEmiFiles({ name, questions: file, answers, references, images: pick('targetImages', '--target-images'), pictures }),
    );
  }
  return sets;
}

async function readSets(context: Context, options: Options): Promise<EmiSet[]> {
  const pictures = pictureOptions(context, options);
  const source = options.source as string | undefined;
  if ((source === undefined) === (options.sourceQuestions === undefined))
    throw usage('Name the clean answers: --source with a folder of narrows evaluate, or --source-questions with its files, not both.');
  if (source === undefined) return fileSets(options, pictures);
  const { benchmark, data } = options as { benchmark?: string; data?: string };
  const { means, key: meansKey } = await shiftMeans(options);
  const shared = { benchmark, data, pictures, means, meansKey, signal: context.signal };
  const sets = await readEmiRun(source, { ...shared, scenarios: 'clean' });
  const folders = (options.target as string[] | undefined) ?? [source];
  for (const folder of folders) {
    const shifted = await readEmiRun(folder, { ...shared, scenarios: 'shifted' });
    sets.push(...shifted.map(set => (folders.length > 1 ? { ...set, name: `${nameOf(folder)} ${set.name}` } : set)));
  }
  return sets;
}

async function run(context: Context, options: Options) {
  const runtime = nodeRuntime();
  try {
    context.status('Reading the sets');
    const [source, ...targets] = await readSets(context, options);
    const given = options.estimator as string | undefined;
    const save = options.saveEstimator as string | undefined;
    if (save !== undefined && (given !== undefined || options.folds !== 1))
      throw usage('--save-estimator writes the one estimator that was trained on all pairs: give --folds 1, and no --estimator.');
    const estimator = given === undefined ? undefined : (await loadClub(given)).estimator;
    context.status('Reading the model');
    await using encoders = await openEmiEncoders(options.model as string, options.textModel as string | undefined, {
      ...hubOptions(context),
      runtime,
    });
    const { folds, steps, learningRate, batchSize, units, entropy } = options as Record<string, number>;
    const results = await measureEmi(runtime, encoders, source, targets, {
      ...{ folds, steps, learningRate, batchSize, units, entropy, estimator, seed: context.seed, signal: context.signal },
      form: options.form as 'closed' | 'pairs',
      weights: options.weights as 'equal' | 'size',
      onStage: what => context.status(`${what[0].toUpperCase()}${what.slice(1)}`),
      onFitted: async ([fitted]) => {
        if (save !== undefined)
          await saveClub(save, fitted, { encoders: `${encoders.pictures.name}; ${encoders.texts.name}`, steps: String(steps) });
      },
    });
    context.status();
    for (const warning of results.warnings) context.log.warn(warning, warning);
    const output = options.output as string | undefined;
    if (output !== undefined) {
      await makeDirectory(output);
      await writeFileAtomic(join(output, 'emi.json'), `${JSON.stringify(results, undefined, 2)}\n`);
      await writeFileAtomic(join(output, 'emi.csv'), emiCsv(results));
    }
    if (context.json) context.print(JSON.stringify(results));
    else printTable(context, results);
    return undefined;
  } finally {
    await runtime.release();
  }
}

const digits = (value: number | undefined, places = 3): string =>
  value === undefined ? '' : Number.isNaN(value) ? '-' : value.toFixed(places);

function printTable(context: Context, { encoders, source, targets, correlations }: EmiResults): void {
  context.print(`Pictures: ${encoders.pictures}. Texts: ${encoders.texts}. Joined: ${encoders.joining}.\n`);
  const scored = source.accuracy !== undefined;
  const header = ['set', 'items', 'EMI', 'EMID', '95 %', 'bound', 'JSD pictures', 'texts', 'answers', ...(scored ? ['accuracy'] : [])];
  const rows = [
    [source.name, String(source.items), digits(source.emi), '', '', '', '', '', '', ...(scored ? [digits(source.accuracy)] : [])],
    ...targets.map(target => [
      target.name,
      String(target.items),
      digits(target.emi),
      digits(target.emid.value),
      `${digits(target.emid.low)} to ${digits(target.emid.high)}`,
      digits(target.bound),
      digits(target.divergences.visual),
      digits(target.divergences.text),
      digits(target.divergences.targetOutput),
      ...(scored ? [digits(target.accuracy)] : []),
    ]),
  ];
  context.print(formatTable(header, rows, context.columns));
  const line = (what: string, found: Correlation | undefined): void => {
    if (found)
      context.print(
        `${what}: r = ${digits(found.r)} (95 %: ${digits(found.low)} to ${digits(found.high)}, Fisher's z; ${found.n} sets, p = ${digits(found.pValue)})`,
      );
  };
  context.print('');
  line('EMID and its bound', correlations.emidAndBound);
  line('EMID and accuracy lost', correlations.emidAndAccuracyLost);
  line('Bound and accuracy lost', correlations.boundAndAccuracyLost);
}

/** `narrows emi`. */
export const emiCommand: CommandModule = { configure, run };
