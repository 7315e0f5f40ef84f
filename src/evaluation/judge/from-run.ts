/** @file Comparisons from a folder of `narrows evaluate`: its questions, their references, and the answers under a scenario. */

import { stripThinking } from '../../generation/thinking.ts';
import { jsonRecords } from '../../inputs/chat/json-records.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Question } from '../benchmarks/question.ts';
import { benchmarks } from '../benchmarks/registry.ts';
import { answersPath, type RunSet, readRun, readStoredQuestions } from '../run/folder.ts';
import { scorers } from '../scorers/registry.ts';
import { contextOf } from './context.ts';
import type { JudgeItems } from './files.ts';
import type { JudgedAnswer, JudgeItem } from './item.ts';
import { idKey } from './score.ts';

/** Which answers of a run are judged. */
export interface RunToJudge {
  readonly output: string;
  /** The set; the only open one by default. */
  readonly benchmark?: string;
  /** Default `clean`. */
  readonly scenario?: string;
}

const usage = (message: string): NarrowsError => new NarrowsError(message, { kind: 'usage' });
const quoted = (names: readonly string[]): string => names.join(', ') || 'none';

/** A set's reference: the one that its files call so, else its first right answer. */
const referenceOf = ({ facts, answers }: Question): string | undefined =>
  typeof facts.reference === 'string' ? facts.reference : answers[0];

async function answersByKey(path: string): Promise<Map<string, JudgedAnswer>> {
  const answers = new Map<string, JudgedAnswer>();
  for await (const { value, where } of jsonRecords(path)) {
    const row = value as { text?: unknown; answer_id?: unknown; metadata?: { key?: unknown } };
    if (typeof row.text !== 'string' || typeof row.metadata?.key !== 'string')
      throw new NarrowsError(`${where} is no answer of narrows evaluate (text and metadata.key).`);
    answers.set(row.metadata.key, { id: String(row.answer_id ?? row.metadata.key), text: row.text });
  }
  return answers;
}

async function openSet(sets: readonly RunSet[], { output, benchmark }: RunToJudge): Promise<{ set: RunSet; questions: Question[] }> {
  if (benchmark !== undefined) {
    const set = sets.find(one => one.benchmark === benchmark);
    if (!set) throw usage(`${output} has no set ${benchmark}, only ${quoted(sets.map(one => one.benchmark))}.`);
    return { set, questions: await readStoredQuestions(output, benchmark) };
  }
  const open: { set: RunSet; questions: Question[] }[] = [];
  for (const set of sets) {
    const questions = await readStoredQuestions(output, set.benchmark);
    if (questions.some(({ kind }) => kind === 'open')) open.push({ set, questions });
  }
  if (open.length !== 1)
    throw usage(
      `${output} has ${open.length} sets for a judge (${quoted(open.map(({ set }) => set.benchmark))}); name one with --benchmark.`,
    );
  return open[0];
}

/** What the set's own scorer makes of the answers, where it has one that marks them. */
function marksByRule(benchmark: string, questions: readonly Question[], answers: ReadonlyMap<string, JudgedAnswer>): JudgeItems['byRule'] {
  const names = benchmarks.find(({ name }) => name === benchmark)?.scorers ?? [];
  for (const name of names) {
    const scorer = scorers[name];
    if (!scorer?.kinds.includes('open')) continue;
    const marks = new Map<string, number>();
    for (const question of questions) {
      const answer = answers.get(question.key);
      const mark = answer ? scorer.read(stripThinking(answer.text).text, question).correct : Number.NaN;
      if (Number.isFinite(mark)) marks.set(idKey(question.id), mark);
    }
    if (marks.size > 0) return { scorer: name, marks };
  }
  return undefined;
}

/** @throws NarrowsError for a folder that holds no run, a set or scenario that it does not have, a damaged file */
export async function itemsOfRun(wanted: RunToJudge): Promise<JudgeItems & { readonly benchmark: string; readonly scenario: string }> {
  const { output, scenario = 'clean' } = wanted;
  const run = await readRun(output);
  if (!run) throw usage(`${output} holds no run of narrows evaluate.`);
  const { set, questions } = await openSet(run.sets, wanted);
  const names = set.scenarios.map(({ name }) => name);
  if (!names.includes(scenario)) throw usage(`${set.benchmark} was not asked under ${scenario} in ${output}, only under ${quoted(names)}.`);
  const answers = await answersByKey(answersPath(output, set.benchmark, scenario));
  const items: JudgeItem[] = [];
  let [unanswered, without, blind] = [0, 0, 0];
  for (const question of questions) {
    const answer = answers.get(question.key);
    const reference = referenceOf(question);
    if (!answer) unanswered++;
    else if (reference === undefined) without++;
    if (!answer || reference === undefined) continue;
    const context = contextOf(question.facts);
    if (!context) blind++;
    const category = question.category ?? 'all';
    items.push({
      ...{ id: question.id, key: question.key, text: question.text, category, cluster: question.cluster },
      rule: context?.form === 'caption' && !category.startsWith('llava_bench') ? `llava_bench_${category}` : category,
      ...(context ? { context: context.text } : {}),
      ...{ reference: { id: question.key, text: reference }, answer },
    });
  }
  const warnings = [
    ...(unanswered ? [`${unanswered} questions of ${set.benchmark} have no answer under ${scenario} and are left out.`] : []),
    ...(without ? [`${without} questions of ${set.benchmark} have no reference answer and are left out.`] : []),
    ...(blind
      ? [`For ${blind} ${blind === 1 ? 'question' : 'questions'} the judge gets no description of the picture: the set has no captions.`]
      : []),
  ];
  if (items.length === 0)
    throw new NarrowsError(`${set.benchmark} in ${output} has no answer with a reference; there is nothing to judge.`);
  const byRule = marksByRule(set.benchmark, questions, answers);
  return { items, images: new Map(), ...(byRule ? { byRule } : {}), model: run.model, warnings, benchmark: set.benchmark, scenario };
}
