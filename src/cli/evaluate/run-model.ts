/** @file `narrows evaluate` with a model: loads the sets, lets it answer, scores, and writes the report. */
import { join } from 'node:path';
import { answerSets, type Unanswered } from '../../evaluation/run/answer-sets.ts';
import type { Answerer } from '../../evaluation/run/answerer.ts';
import { AskedSet } from '../../evaluation/run/asked-set.ts';
import { hashOf, mergeRun, pictureSettings, type RunFacts, readRun, writeQuestions, writeRun } from '../../evaluation/run/folder.ts';
import { scenarioRemarks } from '../../evaluation/run/scenario.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { NarrowsError } from '../../system/errors.ts';
import { formatCount } from '../../system/format.ts';
import type { Context, Options } from '../command.ts';
import { answerPool } from './answer-pool.ts';
import { attributionMethod, moveMaps } from './map-shifts.ts';
import { openAnswering } from './open-answerer.ts';
import { openSets } from './open-sets.ts';
import { reportRun } from './report-run.ts';

/** Reasons that are said in the terminal. */
const NAMED = 5;

/** Says why questions have no answer: each reason once, with a count. */
function sayUnanswered(context: Context, unanswered: readonly Unanswered[]): void {
  const reasons = new Map<string, number>();
  for (const { reason } of unanswered) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  for (const [reason, count] of [...reasons].slice(0, NAMED))
    context.log.warn(`${formatCount(count)} ${count === 1 ? 'question has' : 'questions have'} no answer: ${reason}`);
  if (reasons.size > NAMED) context.log.warn(`${reasons.size - NAMED} further reasons stand in the report.`);
}

/** Settings that all sets share, and the one that is each set's. */
function answererFacts({ modelId, settings }: Answerer): { model: string; settings: Record<string, unknown>; maxNewTokens: number } {
  const { maxNewTokens, maxTokens, ...generation } = settings.generation as Record<string, unknown>;
  return { model: modelId, settings: { ...settings, generation }, maxNewTokens: (maxNewTokens ?? maxTokens) as number };
}

/**
 * Answers what is not answered yet, then scores and reports.
 * @throws NarrowsError for sets, models, folders that cannot be used; what was answered stays
 */
export async function evaluateModel(context: Context, options: Options, given: ReadonlySet<string>): Promise<undefined> {
  const output = options.output as string | undefined;
  if (output === undefined)
    throw new NarrowsError('A model’s answers need a folder: add --output DIR (the same folder again goes on where it stopped).', {
      kind: 'usage',
    });
  const method = options.attribution === undefined ? undefined : attributionMethod(options.attribution as string);
  if (method && options.endpoint !== undefined)
    throw new NarrowsError('--attribution needs the inside of a model, which an --endpoint does not show; open the model here.', {
      kind: 'usage',
    });
  const { sets, leftOut, pictures, means, meansKey } = await openSets(context, options);
  for (const { benchmark, reason } of leftOut) context.log.warn(`${benchmark} is left out: ${reason}`);
  await using lock = await lockOutput(output);
  if (lock.takenOver) context.log.info(lock.takenOver);
  await using answering = await openAnswering(context, options, given, output);
  for (const warning of answering.warnings) context.log.warn(warning);
  const asked = sets.map(set => ({ ...set, answerer: answering.of(set.benchmark) }));
  const { model, settings } = answererFacts(asked[0].answerer);
  const facts: RunFacts = {
    model,
    settings: {
      ...settings,
      pictures: pictureSettings(pictures),
      ...(meansKey ? { shifts: meansKey } : {}),
    },
    seed: context.seed,
    sets: asked.map(({ benchmark, set, prompt, scenarios, load, answerer }) => ({
      benchmark: benchmark.name,
      load: { data: load.data, split: load.split, limit: load.limit, seed: load.seed, fields: load.fields },
      prompt,
      maxNewTokens: answererFacts(answerer).maxNewTokens,
      questions: set.questions.length,
      hash: hashOf(set.questions),
      scenarios: [...scenarios],
      warnings: [...set.warnings, ...new Set(scenarios.flatMap(scenario => scenarioRemarks(scenario, means)))],
    })),
    warnings: [...answering.warnings],
  };
  for (const warning of new Set(facts.sets.flatMap(set => set.warnings))) context.log.warn(warning);
  const run = mergeRun(output, await readRun(output), facts, name => asked.find(({ benchmark }) => benchmark.name === name)!.set.questions);
  for (const { benchmark, set } of asked) await writeQuestions(output, benchmark.name, set.questions);
  await writeRun(output, run);
  const result = await answerSets(asked, output, {
    seed: context.seed,
    pictures,
    means,
    meansKey,
    pool: answerPool(context, options, given),
    signal: context.signal,
    progress: bar => context.progress(bar),
    onInfo: message => context.log.info(message),
    onWarning: message => context.log.warn(message),
  }).catch(error => {
    context.log.info(`What was answered is in ${join(output, 'answers')}; the same command goes on.`);
    throw error;
  });
  if (result.before) context.log.info(`${formatCount(result.before)} answers were there already.`);
  sayUnanswered(context, result.unanswered);
  const cost = answering.cost();
  if (cost) context.log.info(cost);
  const loaded = asked.map(set => new AskedSet(set, { seed: context.seed, pictures, means }));
  const maps = method && answering.chat ? await moveMaps(context, answering.chat, method, loaded, output) : undefined;
  await reportRun(context, options, output, { run, leftOut, unanswered: result.unanswered, loaded, maps });
  return undefined;
}
