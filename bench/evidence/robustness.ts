/**
 * @file The tables of docs/evidence/robustness.md from folders of `narrows evaluate`: whole clean sets, a suite of shifts, and two models compared.
 * usage: node --import tsx bench/evidence/robustness.ts CLEAN_A CLEAN_B SHIFTED_A SHIFTED_B COMPARED > tables.md
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunsComparison, Verdict } from '../../src/evaluation/run/compare-runs.ts';
import type { EvaluationResults, SetResult } from '../../src/evaluation/run/results.ts';

const [cleanA, cleanB, shiftedA, shiftedB, compared] = process.argv.slice(2);
const read = (folder: string): EvaluationResults => JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8'));
const clean = [read(cleanA), read(cleanB)];
const shifted = [read(shiftedA), read(shiftedB)];
const comparison: RunsComparison = JSON.parse(readFileSync(join(compared, 'comparison.json'), 'utf8'));

const percent = (value: number | null | undefined): string => (typeof value === 'number' ? (100 * value).toFixed(1) : '–');
const signed = (value: number): string => `${value > 0 ? '+' : value < 0 ? '−' : ''}${Math.abs(100 * value).toFixed(1)}`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n');
const share = (set: SetResult): string => (set.benchmark === 'scenes-open' ? 'mark' : 'accuracy');

console.log('### Clean, whole sets\n');
console.log(
  table(
    ['set', 'questions', 'pictures', ...clean.map(({ model }) => model), 'figure'],
    clean[0].sets.map((set, i) => [
      set.title,
      `${set.questions}`,
      `${set.clusters}`,
      ...clean.map(({ sets }) => {
        const { score } = sets[i].scenarios[0];
        const { low, high } = score.interval;
        return `${percent(score.metrics[set.primary])} [${percent(low)}, ${percent(high)}]`;
      }),
      `\`${set.primary}\` by \`${set.scorer}\``,
    ]),
  ),
);
console.log('\n### The same answers, other rules\n');
for (const set of clean[0].sets) {
  const others = Object.keys(set.scenarios[0].others);
  if (others.length === 0) continue;
  const cells = (results: EvaluationResults): string[] => {
    const scenario = results.sets.find(one => one.benchmark === set.benchmark)!.scenarios[0];
    return [scenario.score, ...others.map(name => scenario.others[name])].map(
      score => `${score.metrics[score.interval.metric]?.toFixed(3) ?? '–'}`,
    );
  };
  console.log(
    table(
      ['', `${set.scorer}`, ...others],
      clean.map(results => [`${set.title}, ${results.model}`, ...cells(results)]),
    ),
  );
  console.log('');
}
console.log('### Under shifts: points of right answers against the clean set\n');
const cell = (results: EvaluationResults, benchmark: string, name: string): string => {
  const change = results.sets.find(set => set.benchmark === benchmark)?.scenarios.find(one => one.scenario.name === name)?.againstClean;
  return change
    ? `${signed(change.difference)}${change.adjusted < 0.05 ? '' : '†'} (${change.rightToWrong} / ${change.wrongToRight})`
    : '–';
};
const names = shifted[0].sets[0].scenarios.filter(({ kind }) => kind !== 'clean');
console.log(
  table(
    ['scenario', ...shifted[0].sets.flatMap(set => shifted.map(({ model }) => `${set.title}, ${model.replace('scene-llava', 'llava')}`))],
    names.map(({ scenario }) => [
      scenario.name.replaceAll('_', '\\_'),
      ...shifted[0].sets.flatMap(set => shifted.map(results => cell(results, set.benchmark, scenario.name))),
    ]),
  ),
);
console.log('\n### Means over the nine of a kind\n');
console.log(
  table(
    ['set', 'model', 'clean', 'pictures', 'words', 'both'],
    shifted[0].sets.flatMap((set, i) =>
      shifted.map(results => {
        const { scenarios } = results.sets[i];
        const mean = (kind: string): string => {
          const of = scenarios.filter(one => one.kind === kind).map(one => one.againstClean!.difference);
          return signed(of.reduce((sum, v) => sum + v, 0) / of.length);
        };
        return [set.title, results.model, percent(scenarios[0].score.metrics[share(set)]), mean('visual'), mean('textual'), mean('joint')];
      }),
    ),
  ),
);
console.log('\n### scene-llava-vittle against scene-llava, question by question\n');
const kinds = ['clean', 'visual', 'textual', 'joint'] as const;
const sets = [...new Set(comparison.rows.map(row => row.benchmark))];
console.log(
  table(
    ['set', 'kind', 'scenarios', 'mean difference, points', 'better', 'worse', 'not significant', 'loses less', 'loses more'],
    sets.flatMap(benchmark =>
      kinds.map(kind => {
        const rows = comparison.rows.filter(row => row.benchmark === benchmark && row.kind === kind);
        const count = (verdict: Verdict): string => `${rows.filter(row => row.verdict === verdict).length}`;
        const drops = (verdict: Verdict): string => (kind === 'clean' ? '' : `${rows.filter(row => row.drop?.verdict === verdict).length}`);
        const mean = rows.reduce((sum, row) => sum + row.changes.difference, 0) / rows.length;
        return [
          benchmark,
          kind,
          `${rows.length}`,
          signed(mean),
          count('better'),
          count('worse'),
          count('not significant'),
          drops('better'),
          drops('worse'),
        ];
      }),
    ),
  ),
);
