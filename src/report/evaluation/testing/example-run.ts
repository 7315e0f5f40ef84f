/** @file A made-up run for tests and for looking at the report: answers are drawn, every statistic comes from the functions that a run uses. */
import type { Question } from '../../../evaluation/benchmarks/question.ts';
import { changesOf, pairedScores } from '../../../evaluation/run/changes.ts';
import type { ScoredRun, ScoredScenario, ScoredSet } from '../../../evaluation/run/compare-runs.ts';
import type { AnswerLine, EvaluationResults, ScenarioResult, SetResult, WorstCase } from '../../../evaluation/run/results.ts';
import { CLEAN, type Scenario, scenarioKind } from '../../../evaluation/run/scenario.ts';
import type { Score } from '../../../evaluation/scorers/score.ts';
import type { ScoredAnswer } from '../../../evaluation/scorers/scorer.ts';
import { RandomStream } from '../../../tensor/random.ts';
import { clusterBootstrap } from '../../../tensor/statistics/cluster-bootstrap.ts';
import { holm } from '../../../tensor/statistics/holm.ts';

/** What is drawn. */
export interface ExampleOptions {
  readonly questions?: number;
  readonly scenarios?: readonly Scenario[];
  readonly sets?: readonly string[];
  /** Put behind every text, to see what a page makes of it. */
  readonly text?: string;
  readonly seed?: number;
  readonly model?: string;
  readonly categories?: boolean;
  readonly distances?: boolean;
}

const image = (shift: string, severity = 3): Scenario => ({ name: `${shift}:${severity}`, image: { shift, severity } });
const words = (shift: string, severity = 3): Scenario => ({ name: `${shift}:${severity}`, text: { shift, severity } });
const both = (a: Scenario, b: Scenario): Scenario => ({ name: `${a.name}+${b.name}`, image: a.image, text: b.text });
const PICTURES = ['defocus_blur', 'zoom_blur', 'gaussian_noise', 'frost', 'snow'] as const;
const WORDS = ['keyboard', 'ocr', 'synonyms'] as const;

/** Clean, shifts of pictures in two severities, of words, and pairs of them. */
export const exampleScenarios: readonly Scenario[] = [
  CLEAN,
  ...PICTURES.flatMap(name => [image(name, 2), image(name, 4)]),
  ...WORDS.map(name => words(name)),
  ...WORDS.map((name, i) => both(image(PICTURES[i], 4), words(name))),
];

/** How much of what is right a scenario spoils. */
const harm = ({ image: picture, text }: Scenario): number => (picture ? 0.05 * picture.severity : 0) + (text ? 0.03 * text.severity : 0);

const CATEGORIES = ['existence', 'count', 'position'];

function questionsOf(benchmark: string, options: ExampleOptions): Question[] {
  const { questions = 60, text = '', categories = true } = options;
  return Array.from({ length: questions }, (_, i) => ({
    id: i,
    key: `${i}${text}`,
    kind: 'yes-no',
    text: `Is there a ${['dog', 'cup', 'red car'][i % 3]} in the picture (${benchmark} ${i})?${text}`,
    pictures: [],
    answers: [i % 2 === 0 ? 'yes' : 'no'],
    ...(categories ? { category: `${CATEGORIES[i % 3]}${text}`, split: i % 2 === 0 ? 'random' : 'adversarial' } : {}),
    cluster: `picture ${i >> 1}`,
    facts: {},
    where: `questions.jsonl, line ${i + 1}`,
  }));
}

const accuracyOf = (rows: readonly ScoredAnswer[]) => ({ accuracy: rows.reduce((sum, r) => sum + r.correct, 0) / rows.length });

const groups = (rows: readonly ScoredAnswer[], of: (row: ScoredAnswer) => string | undefined) =>
  Object.fromEntries(
    [...new Set(rows.map(of))].flatMap(name => (name === undefined ? [] : [[name, accuracyOf(rows.filter(r => of(r) === name))] as const])),
  );

/** A score of answers, by the share that is right. @param scale 1, or 2000 for a figure that is a sum of points */
function scoreOf(benchmark: string, scorer: string, rows: readonly ScoredAnswer[], seed: number): Score {
  const clusters = rows.map(row => row.question.cluster);
  const { low, high } = clusterBootstrap(
    rows.map(row => row.correct),
    clusters,
    { random: new RandomStream(seed, 'example'), resamples: 200 },
  );
  const yes = rows.filter(row => row.value === 'yes').length / rows.length;
  return {
    benchmark,
    scorer,
    ...{ n: rows.length, missing: 1, duplicates: 0, unknown: 0 },
    metrics: { ...accuracyOf(rows), yesRatio: yes },
    byCategory: groups(rows, row => row.question.category),
    bySplit: groups(rows, row => row.question.split),
    interval: { metric: 'accuracy', low, high, clusters: new Set(clusters).size },
    warnings: [],
  };
}

function answer(question: Question, scenario: Scenario, options: ExampleOptions, draw: { skill: number; harm: number }): ScoredAnswer {
  const [right] = question.answers;
  // A shift turns what is right into wrong and, less often, the reverse.
  const ok = draw.skill < 0.85 !== draw.harm < harm(scenario);
  const value = ok ? right : right === 'yes' ? 'no' : 'yes';
  const raw = `${value === 'yes' ? 'Yes, there is.' : 'No.'}${options.text ?? ''}`;
  return { question, raw, stripped: raw, value, correct: ok ? 1 : 0 };
}

function scoredSet(benchmark: string, place: number, options: ExampleOptions): ScoredSet {
  const { seed = 0, scenarios = exampleScenarios, text = '' } = options;
  const questions = questionsOf(benchmark, options);
  const drawn = (stream: string, step: number): number[] => {
    const reader = new RandomStream(seed + place, stream).reader(step, 0);
    return questions.map(() => reader.uniform());
  };
  const skills = drawn('skills', 0);
  const scored = scenarios.map((scenario, s): ScoredScenario => {
    const harms = drawn('harms', s + 1);
    const rows = questions.map((question, i) => answer(question, scenario, options, { skill: skills[i], harm: harms[i] }));
    return { scenario, score: scoreOf(benchmark, 'pope@official', rows, s), rows };
  });
  const title = `${{ pope: 'POPE', 'scenes-pope': 'Scenes POPE' }[benchmark] ?? benchmark}${text}`;
  return { benchmark, title, scorer: 'pope@official', primary: 'accuracy', best: 1, prompt: 'llava@1.5', scenarios: scored };
}

/** The run with all its answers, scored. */
export function exampleScoredRun(options: ExampleOptions = {}): ScoredRun {
  const { sets = ['pope', 'scenes-pope'], model = 'tiny-llava' } = options;
  return { name: model, model, settings: { maxNewTokens: 16 }, sets: sets.map((name, i) => scoredSet(name, i, options)) };
}

function setResult(set: ScoredSet, options: ExampleOptions): SetResult {
  const clean = set.scenarios.find(s => scenarioKind(s.scenario) === 'clean');
  const changes = set.scenarios.map(s => (clean && s !== clean ? changesOf(pairedScores(clean.rows, s.rows)) : undefined));
  const adjusted = holm(changes.map(c => c?.pValue ?? Number.NaN));
  const scenarios = set.scenarios.map((s, i): ScenarioResult => {
    const change = changes[i];
    const distances = { rjsd_visual: harm(s.scenario) / 3 + 0.01 * i, emid: 0.2 - harm(s.scenario) };
    return {
      scenario: s.scenario,
      kind: scenarioKind(s.scenario),
      score: s.score,
      others: { 'pope@lmms-eval': scoreOf(set.benchmark, 'pope@lmms-eval', s.rows.slice(1), i) },
      ...(change ? { againstClean: { ...change, adjusted: adjusted[i] } } : {}),
      unanswered: 0,
      ...(options.distances !== false && change ? { distances } : {}),
    };
  });
  const { benchmark, title, scorer, primary, best, prompt } = set;
  const [{ rows }] = set.scenarios;
  const clusters = new Set(rows.map(row => row.question.cluster)).size;
  return { ...{ benchmark, title, scorer, primary, best, prompt, questions: rows.length + 1, clusters }, scenarios, warnings: [] };
}

/** Answers of a run as the search shows them. */
export function answerLines(run: ScoredRun): AnswerLine[] {
  return run.sets.flatMap(set =>
    set.scenarios.flatMap(({ scenario, rows }) =>
      rows.map(({ question, raw, value, correct }) => {
        const { key, text, answers, category } = question;
        return { benchmark: set.benchmark, scenario: scenario.name, key, text, right: answers, raw, value, correct, category };
      }),
    ),
  );
}

function worstOf(set: ScoredSet): WorstCase[] {
  const [clean, ...shifted] = set.scenarios;
  return clean.rows.slice(0, 3).map(({ question, raw, correct }, i) => {
    const wrong = shifted.filter(s => s.rows[i].correct === 0).map(s => ({ scenario: s.scenario.name, raw: s.rows[i].raw }));
    const { key, text, answers: right } = question;
    return {
      ...{ benchmark: set.benchmark, key, text, right, clean: { raw, correct } },
      wrong: wrong.slice(0, 3),
      wrongUnder: wrong.length,
      scenarios: shifted.length,
    };
  });
}

/** Results and answers of a made-up run. */
export function exampleRun(options: ExampleOptions = {}): { readonly results: EvaluationResults; readonly answers: AnswerLine[] } {
  const run = exampleScoredRun(options);
  const { text = '', seed = 0 } = options;
  const results: EvaluationResults = {
    schemaVersion: 1,
    narrows: '0.0.0',
    model: `${run.model}${text}`,
    settings: { maxNewTokens: 16, note: `settings${text}` },
    seed,
    sets: run.sets.map(set => setResult(set, options)),
    leftOut: [{ benchmark: 'mmmu', reason: `its data are not there${text}` }],
    unanswered: [
      { benchmark: run.sets[0].benchmark, scenario: 'clean', key: '60', where: 'questions.jsonl, line 61', reason: `too long${text}` },
    ],
    worst: run.sets.flatMap(worstOf),
    warnings: [`The model has no chat template of its own.${text}`],
  };
  return { results, answers: answerLines(run) };
}
