/** @file Sets of EMI from the folder of `narrows evaluate`: questions and pictures of the set as it was asked, with the answers of the run. */

import { stripThinking } from '../../generation/thinking.ts';
import { jsonRecords } from '../../inputs/chat/json-records.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import { NarrowsError } from '../../system/errors.ts';
import { didYouMean } from '../../system/nearest-names.ts';
import type { LoadOptions } from '../benchmarks/benchmark.ts';
import type { QuestionSet } from '../benchmarks/question.ts';
import { findBenchmark } from '../benchmarks/registry.ts';
import { AskedSet } from '../run/asked-set.ts';
import { answersPath, checkMeans, hashOf, type RunRecord, type RunSet, readRun } from '../run/folder.ts';
import { promptOf } from '../run/load-sets.ts';
import { CLEAN, type Scenario, type ShiftMeans } from '../run/scenario.ts';
import { findScorer } from '../scorers/registry.ts';
import type { EmiItem, EmiSet } from './sets.ts';

/** What is read of a folder. */
export interface EmiRunOptions {
  /** Which set, where the run asked several. */
  readonly benchmark?: string;
  /** The clean scenario, or all others. */
  readonly scenarios: 'clean' | 'shifted';
  /** Where the set's data are now; where the run had them by default. */
  readonly data?: string;
  readonly pictures?: ImageReadOptions;
  /** What shifts are made with, and what tells it from others; they must be those of the run. */
  readonly means?: ShiftMeans;
  readonly meansKey?: Readonly<Record<string, unknown>>;
  /** Name of the scorer that says how right an answer is; the benchmark's first by default. */
  readonly scorer?: string;
  readonly signal?: AbortSignal;
}

function setOf({ sets }: RunRecord, output: string, wanted: string | undefined): RunSet {
  const names = sets.map(({ benchmark }) => benchmark);
  if (wanted === undefined) {
    if (sets.length === 1) return sets[0];
    throw new NarrowsError(`${output} holds ${sets.length} sets (${names.join(', ')}); choose one with --benchmark.`, { kind: 'usage' });
  }
  const found = sets.find(({ benchmark }) => benchmark === wanted);
  if (found) return found;
  throw new NarrowsError(`${output} has no set ${JSON.stringify(wanted)} (${didYouMean(wanted, names) ?? `it has ${names.join(', ')}`}).`, {
    kind: 'usage',
  });
}

/** @throws NarrowsError where the set cannot be loaded, or is another one than was asked */
async function loadAsAsked({ benchmark, load, hash, questions }: RunSet, seed: number, options: EmiRunOptions): Promise<QuestionSet> {
  const data = options.data ?? load.data;
  const given: LoadOptions = {
    seed,
    ...load,
    ...(data === undefined ? {} : { data: String(data) }),
    pictures: options.pictures,
    signal: options.signal,
  };
  const set = await findBenchmark(benchmark).load(given);
  if (hashOf(set.questions) === hash) return set;
  throw new NarrowsError(
    `${benchmark} has other questions now than when it was asked (${set.questions.length} now, ${questions} then); name the data of the run with --data.`,
  );
}

/** Answers by the questions' keys. */
async function answersOf(output: string, benchmark: string, scenario: string): Promise<Map<string, string>> {
  const path = answersPath(output, benchmark, scenario);
  const answers = new Map<string, string>();
  for await (const { value, where } of jsonRecords(path)) {
    const { text, metadata } = value as { text?: unknown; metadata?: { key?: unknown } };
    if (typeof text !== 'string' || typeof metadata?.key !== 'string')
      throw new NarrowsError(`${where} is no answer of narrows evaluate (its text or its metadata.key is missing); answer the set again.`);
    if (!answers.has(metadata.key)) answers.set(metadata.key, stripThinking(text).text);
  }
  return answers;
}

/**
 * The sets of a folder: one, of the clean scenario, or one per shifted scenario. Words and pictures are shifted again as they were; questions
 * without an answer, a picture or a right answer to compare with are left out, and counted in the set's warnings.
 * @throws NarrowsError for a folder that holds no run or no such scenario, data that changed since, or a set of which nothing is left
 */
export async function readEmiRun(output: string, options: EmiRunOptions): Promise<EmiSet[]> {
  const record = await readRun(output);
  if (!record) throw new NarrowsError(`${output} holds no run of narrows evaluate (there is no run.json); name its --output folder.`);
  checkMeans(output, record, { key: options.meansKey, pictures: options.pictures });
  const chosen = setOf(record, output, options.benchmark);
  const isClean = ({ name }: Scenario): boolean => name === CLEAN.name;
  // What was read from the file has the form of a scenario: run.json is held against its schema.
  const scenarios = (chosen.scenarios as readonly Scenario[]).filter(one => isClean(one) === (options.scenarios === 'clean'));
  if (scenarios.length === 0)
    throw new NarrowsError(
      options.scenarios === 'clean'
        ? `${output} has no answers to ${chosen.benchmark} without a shift; run narrows evaluate on the clean set, too.`
        : `${output} has no answers to ${chosen.benchmark} under a shift; run narrows evaluate with --shifts.`,
    );
  const set = await loadAsAsked(chosen, record.seed, options);
  const benchmark = findBenchmark(chosen.benchmark);
  const asked = new AskedSet(
    { benchmark, set, prompt: promptOf(benchmark, chosen.prompt), scenarios },
    { seed: record.seed, pictures: options.pictures, means: options.means },
  );
  const scorer = benchmark.scorers.length > 0 ? findScorer(options.scorer, benchmark) : undefined;
  const out: EmiSet[] = [];
  for (const scenario of scenarios) {
    const answers = await answersOf(output, chosen.benchmark, scenario.name);
    const lacking = { answer: 0, picture: 0, 'right answer': 0 };
    const items: EmiItem[] = [];
    for (const { question, turn, words } of await asked.ask(scenario)) {
      options.signal?.throwIfAborted();
      const answer = answers.get(question.key);
      if (answer === undefined) lacking.answer++;
      else if (turn.pictures.length === 0) lacking.picture++;
      else if (question.answers.length === 0) lacking['right answer']++;
      else {
        const score = scorer?.read(answer, question).correct ?? Number.NaN;
        items.push({
          key: question.key,
          pictures: turn.pictures.map((picture, i) => ({ id: question.pictures[i].id, read: () => picture.read() })),
          question: words,
          answer,
          reference: question.answers[0],
          ...(Number.isNaN(score) ? {} : { score }),
        });
      }
    }
    const warnings = Object.entries(lacking).flatMap(([what, count]) =>
      count ? [`${count} of ${set.questions.length} questions of ${scenario.name} have no ${what} and are left out.`] : [],
    );
    if (items.length === 0)
      throw new NarrowsError(
        `No question of ${chosen.benchmark} under ${scenario.name} has an answer in ${output} and all that EMI needs.`,
      );
    out.push({ name: scenario.name, items, warnings });
  }
  return out;
}
