/** @file Results and answers in the form that lmms-eval writes, for programs that read its files (EvolvingLMMs-Lab/lmms-eval, MIT). */
import type { AnswerLine, EvaluationResults, ScenarioResult, SetResult } from '../../evaluation/run/results.ts';
import type { Score } from '../../evaluation/scorers/score.ts';
import { join } from '../../node/paths.ts';
import type { AnswerSource } from './answers.ts';
import { scenarioTitle } from './view.ts';
import { writeAll } from './write-report.ts';

/** What lmms-eval calls the figures of its tasks, where the answers were scored by its rule. */
const NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'pope@lmms-eval': {
    accuracy: 'pope_accuracy',
    precision: 'pope_precision',
    recall: 'pope_recall',
    f1_score: 'pope_f1_score',
    yes_ratio: 'pope_yes_ratio',
  },
  'mme@lmms-eval': { perception: 'mme_perception_score', cognition: 'mme_cognition_score' },
  'mmmu@lmms-eval': { accuracy: 'mmmu_acc' },
  'mmmu@lmms-eval-75571cf': { accuracy: 'mmmu_acc' },
  'scienceqa@lmms-eval': { accuracy: 'exact_match' },
};

/** Files of the export, below the run's folder. */
export const LMMS_EVAL_FOLDER = 'lmms-eval';

/** What the results do not say. */
export interface LmmsEvalOptions {
  /** Default: now. */
  readonly date?: Date;
}

interface Task {
  readonly name: string;
  readonly set: SetResult;
  readonly one: ScenarioResult;
  readonly scorer: string;
  readonly score: Score;
}

/** Task names hold letters, digits and underscores only: `pope`, `pope_gaussian_noise_3`. */
const word = (text: string): string => text.replaceAll(/\W+/g, '_').replaceAll(/^_+|_+$/g, '');

/** lmms-eval's rule where it was among the scorers, else the set's first. */
function scoreOf(set: SetResult, { score, others }: ScenarioResult): readonly [string, Score] {
  return (
    Object.entries({ [set.scorer]: score, ...others }).find(([name]) => name in NAMES || name.includes('@lmms-eval')) ?? [set.scorer, score]
  );
}

function tasksOf({ sets }: EvaluationResults): Task[] {
  const taken = new Set<string>();
  return sets.flatMap(set =>
    set.scenarios.map(one => {
      const base = one.kind === 'clean' ? word(set.benchmark) : `${word(set.benchmark)}_${word(one.scenario.name)}`;
      let name = base;
      for (let k = 2; taken.has(name); k++) name = `${base}_${k}`;
      taken.add(name);
      const [scorer, score] = scoreOf(set, one);
      return { name, set, one, scorer, score };
    }),
  );
}

/** The figures that lmms-eval gives, by its names; of other rules all that they give, by ours. */
function metricsOf({ scorer, score }: Task): [name: string, value: number][] {
  const names = NAMES[scorer];
  return Object.entries(score.metrics).flatMap(([name, value]): [string, number][] => {
    if (!names) return [[name, value]];
    return names[name] === undefined ? [] : [[names[name], value]];
  });
}

const byTask = <T>(tasks: readonly Task[], of: (task: Task) => T): Record<string, T> =>
  Object.fromEntries(tasks.map(task => [task.name, of(task)]));

/** lmms-eval's stamp: `20260131_235959`, in UTC. */
const stamp = (date: Date): string => date.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');

/** The aggregated results. Figures that are not defined are null. */
export function lmmsEvalResults(results: EvaluationResults, { date = new Date() }: LmmsEvalOptions = {}): Record<string, unknown> {
  const tasks = tasksOf(results);
  const { model, narrows, seed, settings } = results;
  const figures = (task: Task): Record<string, unknown> => {
    const rows = metricsOf(task).flatMap(([name, value]) => [
      [`${name},none`, Number.isFinite(value) ? value : null],
      // Our intervals are bootstraps over pictures: they have no standard error; they stand under `narrows`.
      [`${name}_stderr,none`, 'N/A'],
    ]);
    const alias = task.one.kind === 'clean' ? task.name : `${task.set.benchmark} (${scenarioTitle(task.one.scenario)})`;
    return { alias, ...Object.fromEntries(rows) };
  };
  return {
    results: byTask(tasks, figures),
    group_subtasks: byTask(tasks, () => []),
    configs: byTask(tasks, ({ name, set, one, scorer }) => ({
      task: name,
      output_type: 'generate_until',
      num_fewshot: 0,
      metadata: { benchmark: set.benchmark, scenario: one.scenario, prompt: set.prompt, scorer },
    })),
    versions: byTask(tasks, () => narrows),
    'n-shot': byTask(tasks, () => 0),
    // As lmms-eval's tasks have it, for the share of yes, too; of our rules only the primary figure is known to be better when higher.
    higher_is_better: byTask(tasks, ({ scorer, score }) =>
      Object.fromEntries((scorer in NAMES ? Object.values(NAMES[scorer]) : [score.interval.metric]).map(name => [name, true])),
    ),
    'n-samples': byTask(tasks, ({ set, score }) => ({ original: set.questions, effective: score.n })),
    config: { model: 'narrows', model_args: `pretrained=${model}`, gen_kwargs: settings, random_seed: seed },
    git_hash: null,
    date: stamp(date),
    model_source: 'narrows',
    model_name: model,
    model_name_sanitized: model.replaceAll(/[^\w.-]+/g, '__'),
    narrows: byTask(tasks, ({ score, one, scorer }) => ({
      scorer,
      missing: score.missing,
      interval: score.interval,
      ...(one.againstClean ? { againstClean: one.againstClean } : {}),
    })),
  };
}

/** An answer as a line of a samples file. @param id place of the question in its set */
export function lmmsEvalSample(
  { key, text, options, right, raw, value, correct, category }: AnswerLine,
  id: number,
): Record<string, unknown> {
  return {
    doc_id: id,
    doc: { question_id: key, question: text, ...(options ? { options } : {}), ...(category === undefined ? {} : { category }) },
    target: right.join(' | '),
    input: text,
    resps: [[raw]],
    filtered_resps: [raw],
    parsed: value,
    score: Number.isNaN(correct) ? null : correct,
  };
}

async function samplesByTask(source: AnswerSource, tasks: readonly Task[]): Promise<Map<string, string[]>> {
  const names = new Map(tasks.map(({ name, set, one }) => [JSON.stringify([set.benchmark, one.scenario.name]), name]));
  const lines = new Map<string, string[]>();
  const places = new Map<string, Map<string, number>>();
  for await (const line of source) {
    const name = names.get(JSON.stringify([line.benchmark, line.scenario]));
    if (name === undefined) continue;
    const ids = places.get(line.benchmark) ?? new Map<string, number>();
    places.set(line.benchmark, ids);
    const id = ids.get(line.key) ?? ids.size;
    ids.set(line.key, id);
    const all = lines.get(name) ?? [];
    lines.set(name, all);
    all.push(`${JSON.stringify(lmmsEvalSample(line, id))}\n`);
  }
  return lines;
}

/**
 * Writes `lmms-eval/results.json` and `lmms-eval/samples_TASK.jsonl`; docs/evaluation-report.md says what of lmms-eval's form has no
 * equivalent. @returns their paths @throws NarrowsError for a folder that cannot be written
 */
export async function writeLmmsEval(
  output: string,
  results: EvaluationResults,
  { answers = [], ...options }: LmmsEvalOptions & { readonly answers?: AnswerSource } = {},
): Promise<string[]> {
  const samples = await samplesByTask(answers, tasksOf(results));
  const aggregated = `${JSON.stringify(lmmsEvalResults(results, options), undefined, 2)}\n`;
  return writeAll(join(output, LMMS_EVAL_FOLDER), [
    ['results.json', aggregated],
    ...[...samples].map(([name, lines]): [string, string] => [`samples_${name}.jsonl`, lines.join('')]),
  ]);
}
