/** @file `narrows judge`: answers compared with references by a judge behind an endpoint, or reviews that exist summed up. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { askJudge } from '../../evaluation/judge/ask.ts';
import type { JudgeItem } from '../../evaluation/judge/item.ts';
import { judgeMessages } from '../../evaluation/judge/prompt.ts';
import { type JudgeInput, type JudgeResults, judgeResults } from '../../evaluation/judge/results.ts';
import { OWN_RULES, readRules } from '../../evaluation/judge/rules.ts';
import { idKey } from '../../evaluation/judge/score.ts';
import { VERDICT_RULES, verdictMessages, withoutVerdict } from '../../evaluation/judge/verdict.ts';
import { type VerdictResults, verdictResults } from '../../evaluation/judge/verdict-results.ts';
import { EndpointError } from '../../generation/endpoint/failure.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { CommandModule, Context, Options } from '../command.ts';
import { examples } from '../flags.ts';
import { addEndpointFlags, addJudgeFlags, checkWays, openJudge, ordersOf, requireFlags } from '../judge/flags.ts';
import { againstOf, clustersFrom, itemsOf, lengthsOf, readAll, withPictures, writeAll } from '../judge/inputs.ts';
import { judgeText, verdictText } from '../judge/print.ts';

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

type Results = JudgeResults | VerdictResults;

/** Askings beyond the first where a judgement holds no verdict at all; the official script does so, too. */
const AGAIN = 2;

const byVerdict = (options: Options): boolean => options.form === 'verdict';

/** Figures in the form that was asked for. */
const figures = async (options: Options, input: JudgeInput): Promise<Results> =>
  byVerdict(options) ? verdictResults(input) : judgeResults({ ...input, ...(await againstOf(options)) });

/** What is sent, and what it is called in results. */
async function form(options: Options) {
  if (byVerdict(options))
    return { name: VERDICT_RULES, check: () => {}, messages: verdictMessages, askAgain: { times: AGAIN, without: withoutVerdict } };
  const rules = options.rules === undefined ? OWN_RULES : await readRules(options.rules as string);
  return {
    name: rules.name,
    check: rules.of,
    messages: (item: Parameters<typeof judgeMessages>[0], order: Parameters<typeof judgeMessages>[2]) =>
      judgeMessages(item, rules.of(item.rule), order),
  };
}

async function sumUp(options: Options): Promise<Results> {
  const items = await itemsOf(options);
  const warnings = [...(items?.warnings ?? [])];
  const clusters = items
    ? new Map(items.items.map(({ id, cluster }) => [idKey(id), cluster]))
    : await clustersFrom(options.questions as string | undefined, warnings);
  const reviews = await readAll(options.reviews as string[], options);
  return figures(options, {
    ...{ judge: 'the judge of the reviews', model: items?.model ?? 'the model of the reviews', rules: 'of the reviews' },
    ...{ reviews, warnings, clusterOf: key => clusters.get(key), ...lengthsOf(items?.items), byRule: items?.byRule },
  });
}

/** Says where the judge knows nothing of a picture; a run says so itself. */
function blindness({ run: fromRun }: Options, items: readonly JudgeItem[]): string[] {
  const blind = items.filter(({ context, pictures }) => context === undefined && !pictures?.length).length;
  return fromRun === undefined && blind > 0
    ? [
        `For ${blind} of ${items.length} questions the judge gets no description of the picture; give --context, or --images to one that sees.`,
      ]
    : [];
}

async function askAll(context: Context, options: Options): Promise<Results> {
  requireFlags(options, ['endpoint', 'judgeModel', 'output'], 'A judge needs a server, its name there and a folder for what it says');
  const output = options.output as string;
  const given = await itemsOf(options);
  if (!given) throw new NarrowsError('Give --run, or --questions, --answers and --references.', { kind: 'usage' });
  const { name: rules, check, ...asking } = await form(options);
  for (const item of given.items) check(item.rule);
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
      ...asking,
      ...{ orders, repeats, settings: { temperature, maxTokens, seed: context.seed }, signal: context.signal },
      onProgress: n => {
        done = n;
        bar.update(n);
      },
    });
    bar.done();
    await writeAll(output, asked.reviews, endpoint.model);
    const clusters = new Map(items.map(({ id, cluster }) => [idKey(id), cluster]));
    const results = await figures(options, {
      ...{ judge: endpoint.model, model: given.model ?? 'the model', rules },
      settings: { temperature, seed: context.seed, maxTokens, orders, repeats, sees: options.images !== undefined },
      ...(given.benchmark === undefined ? {} : { benchmark: given.benchmark, scenario: given.scenario }),
      ...{ reviews: asked.reviews, clusterOf: key => clusters.get(key), ...lengthsOf(items), byRule: given.byRule, cost: endpoint.cost },
      warnings: [...given.warnings, ...blindness(options, items), ...asked.warnings],
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

async function run(context: Context, options: Options, _: readonly unknown[], given: ReadonlySet<string>): Promise<undefined> {
  checkWays(given);
  for (const flag of ['rules', 'against'])
    if (byVerdict(options) && options[flag] !== undefined)
      throw new NarrowsError(`--${flag} belongs to marks, not to --form verdict.`, { kind: 'usage' });
  const results = await (options.reviews === undefined ? askAll(context, options) : sumUp(options));
  for (const warning of results.warnings) context.log.warn(warning);
  context.print(
    context.json
      ? JSON.stringify(results)
      : 'board' in results
        ? verdictText(results, context.columns)
        : judgeText(results, context.columns),
  );
  return undefined;
}

/** `narrows judge`. */
export const judgeCommand: CommandModule = { configure, run };
