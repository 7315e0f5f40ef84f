/** @file `narrows judge`: answers compared with references by a judge behind an endpoint, or reviews that exist summed up. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { askJudge } from '../../evaluation/judge/ask.ts';
import { type JudgeItems, picturePath, questionPictures, readJudgeItems } from '../../evaluation/judge/files.ts';
import { itemsOfRun } from '../../evaluation/judge/from-run.ts';
import type { JudgeItem } from '../../evaluation/judge/item.ts';
import { judgeMessages } from '../../evaluation/judge/prompt.ts';
import { type JudgeResults, judgeResults } from '../../evaluation/judge/results.ts';
import { type Review, readReviews, writeReviews } from '../../evaluation/judge/review.ts';
import { OWN_RULES, readRules } from '../../evaluation/judge/rules.ts';
import { idKey } from '../../evaluation/judge/score.ts';
import { EndpointError } from '../../generation/endpoint/failure.ts';
import { pictureUri } from '../../generation/endpoint/picture.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { examples } from '../flags.ts';
import { addEndpointFlags, addJudgeFlags, openJudge, ordersOf, requireFlags } from '../judge/flags.ts';
import { judgeText } from '../judge/print.ts';

function configure(command: Command): void {
  addJudgeFlags(command).option('--output <directory>', 'replies, reviews and judge.json; the same command goes on with what is there');
  addEndpointFlags(command).addHelpText(
    'after',
    examples(
      [
        'narrows judge --questions q.jsonl --answers a.jsonl --references r.jsonl --context c.jsonl --endpoint http://localhost:8000/v1 --judge-model my-judge --output judged',
        'Ask a judge, both orders',
      ],
      [
        'narrows judge --run out --endpoint http://localhost:8000/v1 --judge-model my-judge --output judged',
        'Judge a run of narrows evaluate',
      ],
      ['narrows judge --reviews review.jsonl --questions q.jsonl', "Sum up reviews that exist, LLaVA's or ours"],
    ),
  );
}

/** The comparisons that the flags name; none where only reviews are given. */
async function itemsOf(options: Options): Promise<(JudgeItems & { benchmark?: string; scenario?: string }) | undefined> {
  const { run, benchmark, scenario, questions, answers, references, context } = options as Record<string, string | undefined>;
  if (run !== undefined) return itemsOfRun({ output: run, benchmark, scenario });
  if (options.reviews !== undefined && (answers === undefined || references === undefined)) return undefined;
  requireFlags(options, ['questions', 'answers', 'references'], 'Comparisons need --run, or questions, answers and references');
  return readJudgeItems({ questions: questions!, answers: answers!, references: references!, context });
}

/** Pictures of the questions, for a judge that sees. */
async function withPictures({ items, images }: JudgeItems, folder: string | undefined): Promise<readonly JudgeItem[]> {
  if (folder === undefined) return items;
  const uris = new Map<string, string>();
  for (const image of new Set(images.values())) uris.set(image, await pictureUri(await decodeImage(picturePath(folder, image))));
  return items.map(item => {
    const image = images.get(item.key);
    return image === undefined ? item : { ...item, pictures: [uris.get(image)!] };
  });
}

/** Files of reviews as one list: a file that does not number its repeats is one repeat. */
async function readAll(paths: readonly string[], options: Options): Promise<Review[]> {
  const order = options.order === 'model-first' ? 'model first' : 'reference first';
  const all: Review[] = [];
  for (const [repeat, path] of paths.entries()) all.push(...(await readReviews(path, order, repeat)));
  return all;
}

/** Pictures of questions, where only reviews are given. */
async function clustersFrom(path: string | undefined, warnings: string[]): Promise<Map<string, string>> {
  if (path === undefined) {
    warnings.push(
      'Without --questions it is not known which questions are on one picture: each counts as its own, and errors come out too small.',
    );
    return new Map();
  }
  return questionPictures(path);
}

async function sumUp(options: Options): Promise<JudgeResults> {
  const items = await itemsOf(options);
  const warnings = [...(items?.warnings ?? [])];
  const clusters = items
    ? new Map(items.items.map(({ id, cluster }) => [idKey(id), cluster]))
    : await clustersFrom(options.questions as string | undefined, warnings);
  const reviews = await readAll(options.reviews as string[], options);
  return judgeResults({
    ...{ judge: 'the judge of the reviews', model: items?.model ?? 'the model of the reviews', rules: 'of the reviews' },
    ...{ reviews, warnings, clusterOf: key => clusters.get(key), ...lengthsOf(items?.items), byRule: items?.byRule },
    ...(await againstOf(options)),
  });
}

const lengthsOf = (items: readonly JudgeItem[] | undefined) => {
  const lengths = new Map((items ?? []).map(({ id, answer, reference }) => [idKey(id), answer.text.length - reference.text.length]));
  return { lengthOf: (key: string) => lengths.get(key) };
};

async function againstOf(options: Options): Promise<Pick<Parameters<typeof judgeResults>[0], 'against'>> {
  const paths = options.against as string[] | undefined;
  return paths ? { against: { model: paths.join(', '), reviews: await readAll(paths, options) } } : {};
}

/** Files of reviews by order and asking; the first is as LLaVA writes it. */
async function writeAll(output: string, reviews: readonly Review[], judge: string): Promise<void> {
  const names = new Map<string, Review[]>();
  for (const review of reviews) {
    const name = `reviews${review.order === 'model first' ? '-swapped' : ''}${review.repeat ? `-${review.repeat + 1}` : ''}.jsonl`;
    names.set(name, [...(names.get(name) ?? []), review]);
  }
  for (const [name, group] of names) await writeReviews(join(output, name), group, judge);
}

async function askAll(context: Context, options: Options): Promise<JudgeResults> {
  requireFlags(options, ['endpoint', 'judgeModel', 'output'], 'A judge needs a server, its name there and a folder for what it says');
  const output = options.output as string;
  const given = await itemsOf(options);
  if (!given) throw new NarrowsError('Give --run, or --questions, --answers and --references.', { kind: 'usage' });
  const rules = options.rules === undefined ? OWN_RULES : await readRules(options.rules as string);
  for (const item of given.items) rules.of(item.rule);
  const items = await withPictures(given, options.images as string | undefined);
  await using lock = await lockOutput(output);
  if (lock.takenOver) context.log.info(lock.takenOver);
  await using endpoint = await openJudge(context, options, join(output, 'replies.jsonl'));
  const { temperature, maxTokens, repeats } = options as Record<'temperature' | 'maxTokens' | 'repeats', number>;
  const orders = ordersOf(options.order);
  const bar = context.progress({ label: 'Judging', total: items.length * orders.length * repeats, unit: 'reviews' });
  let done = 0;
  try {
    const asked = await askJudge(endpoint, items, {
      messages: (item, order) => judgeMessages(item, rules.of(item.rule), order),
      ...{ orders, repeats, settings: { temperature, maxTokens, seed: context.seed }, signal: context.signal },
      onProgress: n => {
        done = n;
        bar.update(n);
      },
    });
    bar.done();
    await writeAll(output, asked.reviews, endpoint.model);
    const clusters = new Map(items.map(({ id, cluster }) => [idKey(id), cluster]));
    const results = judgeResults({
      ...{ judge: endpoint.model, model: given.model ?? 'the model', rules: rules.name },
      settings: { temperature, seed: context.seed, maxTokens, orders, repeats, sees: options.images !== undefined },
      ...(given.benchmark === undefined ? {} : { benchmark: given.benchmark, scenario: given.scenario }),
      ...{ reviews: asked.reviews, clusterOf: key => clusters.get(key), ...lengthsOf(items), byRule: given.byRule, cost: endpoint.cost },
      ...(await againstOf(options)),
      warnings: [...given.warnings, ...asked.warnings],
    });
    await writeFileAtomic(join(output, 'judge.json'), `${JSON.stringify(results, undefined, 2)}\n`);
    return results;
  } catch (error) {
    bar.fail();
    if (error instanceof EndpointError)
      context.log.info(`${done} of ${items.length * orders.length * repeats} reviews are in ${output}; the same command goes on.`);
    throw error;
  }
}

async function run(context: Context, options: Options): Promise<undefined> {
  const results = await (options.reviews === undefined ? askAll(context, options) : sumUp(options));
  for (const warning of results.warnings) context.log.warn(warning);
  context.print(context.json ? JSON.stringify(results) : judgeText(results, context.columns));
  return undefined;
}

/** `narrows judge`. */
export const judgeCommand: CommandModule = { configure, run };
