/** @file ROAR+ in numbers: accuracies, relative drops with intervals over pairs, paired differences to a control. */

import { RandomStream } from '../../tensor/random.ts';
import { bootstrap, type Estimate } from '../../tensor/statistics/bootstrap.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';

/** Per method and stage: outcomes [pair][seed]; zero-shot has one column. */
export interface RoarResults {
  readonly schemaVersion: 1;
  readonly model: { readonly name: string; readonly sha256: string };
  readonly settings: Readonly<Record<string, unknown>>;
  /** Nothing taken away. */
  readonly untouched: { readonly zeroShot: number[]; readonly retrained: number[][] };
  readonly methods: readonly { readonly name: string; readonly zeroShot: number[]; readonly retrained: number[][] }[];
}

const average = (row: readonly number[]): number => mean(row);

/** (Acc_o − Acc_c) / Acc_o with a 95 % BCa interval over pairs; seeds of a pair are averaged first. */
export function relativeDrop(untouched: readonly (readonly number[])[], corrupted: readonly (readonly number[])[], name: string): Estimate {
  const items = untouched.map((row, i) => [average(row), average(corrupted[i])] as const);
  const drop = (rows: (readonly [number, number])[]): number => {
    const before = mean(rows.map(r => r[0]));
    return (before - mean(rows.map(r => r[1]))) / before;
  };
  return bootstrap(items, drop, { random: new RandomStream(0, `roar.${name}`) });
}

const column = (values: readonly number[]): number[][] => values.map(v => [v]);
const percent = (e: Estimate): string => `${(100 * e.estimate).toFixed(1)} % [${(100 * e.low).toFixed(1)}, ${(100 * e.high).toFixed(1)}]`;

/** The table, best retrained drop first. */
export function roarMarkdown(results: RoarResults): string {
  const { untouched, methods, settings } = results;
  const rows = methods.map(m => ({
    name: m.name,
    zeroShot: relativeDrop(column(untouched.zeroShot), column(m.zeroShot), `${m.name}.zero`),
    retrained: m.retrained[0]?.length ? relativeDrop(untouched.retrained, m.retrained, m.name) : undefined,
    accuracy: m.retrained[0]?.length ? mean(m.retrained.map(average)) : Number.NaN,
  }));
  rows.sort((a, b) => (b.retrained ?? b.zeroShot).estimate - (a.retrained ?? a.zeroShot).estimate);
  const before = untouched.retrained[0]?.length ? mean(untouched.retrained.map(average)) : Number.NaN;
  return [
    `ROAR+ on ${results.model.name}: the highest ${100 - Number(settings.percentile)} % of the ${settings.modality === 'image' ? 'patches' : 'words'} taken away; retrieval among 50 pairs,`,
    `mean of both directions. Untouched: zero-shot ${mean(untouched.zeroShot).toFixed(3)}${Number.isNaN(before) ? '' : `, trained on ${before.toFixed(3)}`}. Relative drop, higher is better; 95 % intervals over ${untouched.zeroShot.length} pairs.`,
    '',
    '| map | zero-shot drop | drop after re-training | accuracy after re-training |',
    '|---|---|---|---|',
    ...rows.map(
      r =>
        `| ${r.name} | ${percent(r.zeroShot)} | ${r.retrained ? percent(r.retrained) : ''} | ${Number.isNaN(r.accuracy) ? '' : r.accuracy.toFixed(3)} |`,
    ),
    '',
  ].join('\n');
}
