/** @file Scores and changes as CSV: a line per set, scenario and scorer; every further figure in a long table. */
import type { EvaluationResults, ScenarioResult, SetResult } from '../../evaluation/run/results.ts';
import type { Score } from '../../evaluation/scorers/score.ts';
import { csvCell } from '../../system/csv.ts';

type Value = string | number | undefined;
interface Row {
  readonly set: SetResult;
  readonly one: ScenarioResult;
  readonly scorer: string;
  readonly score: Score;
}

const first = ({ set, scorer }: Row): boolean => scorer === set.scorer;
/** Changes are by the set's first scorer, so they stand in its line only. */
const change = (row: Row) => (first(row) ? row.one.againstClean : undefined);

const COLUMNS: readonly (readonly [name: string, of: (row: Row) => Value])[] = [
  ['benchmark', r => r.set.benchmark],
  ['title', r => r.set.title],
  ['scenario', r => r.one.scenario.name],
  ['kind', r => r.one.kind],
  ['image_shift', r => r.one.scenario.image?.shift],
  ['image_severity', r => r.one.scenario.image?.severity],
  ['text_shift', r => r.one.scenario.text?.shift],
  ['text_severity', r => r.one.scenario.text?.severity],
  ['scorer', r => r.scorer],
  ['metric', r => r.score.interval.metric],
  ['value', r => r.score.metrics[r.score.interval.metric]],
  ['low', r => r.score.interval.low],
  ['high', r => r.score.interval.high],
  ['clusters', r => r.score.interval.clusters],
  ['n', r => r.score.n],
  ['missing', r => r.score.missing],
  ['duplicates', r => r.score.duplicates],
  ['unknown', r => r.score.unknown],
  ['unanswered', r => (first(r) ? r.one.unanswered : undefined)],
  ['paired_n', r => change(r)?.n],
  ['share_clean', r => change(r)?.a],
  ['share_shifted', r => change(r)?.b],
  ['difference', r => change(r)?.difference],
  ['difference_low', r => change(r)?.low],
  ['difference_high', r => change(r)?.high],
  ['p_paired_t', r => change(r)?.pValue],
  ['p_holm', r => change(r)?.adjusted],
  ['right_to_wrong', r => change(r)?.rightToWrong],
  ['wrong_to_right', r => change(r)?.wrongToRight],
  ['p_mcnemar', r => change(r)?.mcnemar],
  ['questions_for_one_point', r => change(r)?.questionsForOnePoint],
  ['smallest_difference', r => change(r)?.smallestDifference],
];

function* rowsOf({ sets }: EvaluationResults): Generator<Row> {
  for (const set of sets)
    for (const one of set.scenarios) {
      yield { set, one, scorer: set.scorer, score: one.score };
      for (const [scorer, score] of Object.entries(one.others)) yield { set, one, scorer, score };
    }
}

const line = (cells: readonly Value[]): string => `${cells.map(csvCell).join(',')}\r\n`;

/** Scores and changes; distances are columns of their own, named as in the results. */
export function scoresCsv(results: EvaluationResults): string {
  const distances = [...new Set(results.sets.flatMap(set => set.scenarios.flatMap(one => Object.keys(one.distances ?? {}))))];
  const head = [...COLUMNS.map(([name]) => name), ...distances];
  const lines = Array.from(rowsOf(results), row =>
    line([...COLUMNS.map(([, of]) => of(row)), ...distances.map(name => (first(row) ? row.one.distances?.[name] : undefined))]),
  );
  return line(head) + lines.join('');
}

/** Every figure of every scorer: of the whole, by category, by split. */
export function figuresCsv(results: EvaluationResults): string {
  const lines: string[] = [line(['benchmark', 'scenario', 'scorer', 'part', 'name', 'figure', 'value'])];
  for (const { set, one, scorer, score } of rowsOf(results)) {
    const parts = [
      ['whole', { '': score.metrics }],
      ['category', score.byCategory],
      ['split', score.bySplit ?? {}],
    ] as const;
    for (const [part, groups] of parts)
      for (const [name, figures] of Object.entries(groups))
        for (const [figure, value] of Object.entries(figures))
          lines.push(line([set.benchmark, one.scenario.name, scorer, part, name, figure, value]));
  }
  return lines.join('');
}
