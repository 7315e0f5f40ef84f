/** @file Do the runs know when they are right? Calibration of closed questions, by condition, with paired differences over seeds. */

import { auroc } from '../../tensor/statistics/auroc.ts';
import { calibrationError } from '../../tensor/statistics/calibration-error.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import { holm } from '../../tensor/statistics/holm.ts';
import { type PairedTResult, pairedT } from '../../tensor/statistics/paired-t.ts';
import { byCondition } from './analyse.ts';
import type { ExamGroup } from './exams/exam.ts';
import type { ExamFacts, RunOutcome } from './outcome.ts';

/** The figures: calibration error (15 bins of equal width), and AUROC of right against wrong answers by the probability of what was said. */
export const CALIBRATION_FIGURES = {
  ECE: calibrationError,
  AUROC: auroc,
} as const satisfies Record<string, (confidence: number[], correct: boolean[]) => number>;

/** What is looked at. */
const GROUPS: readonly ExamGroup[] = ['clean', 'image'];

/** A figure of a condition. */
export interface CalibrationCell {
  readonly figure: keyof typeof CALIBRATION_FIGURES;
  readonly group: ExamGroup;
  /** Mean over seeds; NaN where one of them has none. */
  readonly mean: number;
  /** To the first condition, over the seeds that both have, on the same scenes; p adjusted by Holm over the conditions. */
  readonly difference?: PairedTResult;
}

/** Runs that hold no probabilities, since an older version measured them. */
export const withoutProbabilities = (runs: readonly RunOutcome[], exams: readonly ExamFacts[]): RunOutcome[] =>
  runs.filter(run => exams.some(({ id, group }) => GROUPS.includes(group) && run.outcomes[id].said === undefined));

/** A figure over the closed questions of all exams of a group together. */
function figureOf(run: RunOutcome, exams: readonly ExamFacts[], figure: keyof typeof CALIBRATION_FIGURES): number {
  const [confidence, correct]: [number[], boolean[]] = [[], []];
  for (const { id, items } of exams) {
    const outcome = run.outcomes[id];
    for (const [i, { task }] of items.entries()) {
      if (task === 'caption') continue;
      confidence.push(Math.min(1, Math.exp(outcome.said?.[i] ?? Number.NaN)));
      correct.push(outcome.correct[i] === '1');
    }
  }
  return CALIBRATION_FIGURES[figure](confidence, correct);
}

/** Condition -> cells, clean and under corruptions where there are such exams. The scenes are taken as given: only seeds are a sample. */
export function calibration(runs: readonly RunOutcome[], exams: readonly ExamFacts[]): Map<string, CalibrationCell[]> {
  const conditions = byCondition(runs);
  const [first] = conditions.values();
  const out = new Map<string, CalibrationCell[]>([...conditions.keys()].map(name => [name, []]));
  for (const group of GROUPS) {
    const wanted = exams.filter(exam => exam.group === group);
    if (wanted.length === 0) continue;
    for (const figure of Object.keys(CALIBRATION_FIGURES) as (keyof typeof CALIBRATION_FIGURES)[]) {
      const values = new Map(runs.map(run => [run, figureOf(run, wanted, figure)]));
      const paired = [...conditions.values()].slice(1).map(of => {
        const both = of.flatMap(run => {
          const base = first.find(r => r.seed === run.seed);
          return base ? [[values.get(run)!, values.get(base)!] as const] : [];
        });
        return pairedT(
          both.map(pair => pair[0]),
          both.map(pair => pair[1]),
        );
      });
      const adjusted = holm(paired.map(result => result.pValue));
      for (const [k, [name, of]] of [...conditions].entries())
        out.get(name)!.push({
          ...{ figure, group, mean: mean(of.map(run => values.get(run)!)) },
          ...(k > 0 ? { difference: { ...paired[k - 1], pValue: adjusted[k - 1] } } : {}),
        });
    }
  }
  return out;
}
