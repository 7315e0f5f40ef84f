/** @file How the evaluation's report writes scores and changes: shares as percent, changes in points, names of scenarios. */
import type { AgainstClean, ScenarioResult, SetResult } from '../../evaluation/run/results.ts';
import type { Scenario } from '../../evaluation/run/scenario.ts';
import type { Score } from '../../evaluation/scorers/score.ts';
import { formatValue } from '../attribution/normalise.ts';
import { intervalText, signed } from '../comparison/format.ts';

/** Corrected p-values below this are significant. */
export const ALPHA = 0.05;

/** A figure as it is read: shares (a perfect model gets 1) in percent, other figures as they are; one digit behind the point. */
export const figureText = (value: number | undefined, best: number): string =>
  value === undefined ? '–' : formatValue(best === 1 ? 100 * value : value, 1);

/** `%`, or `of 2000`. */
export const unitText = (best: number): string => (best === 1 ? '%' : `of ${best}`);

/** `[80.1, 88.0]` of a score's primary figure; empty where there is no interval. */
export const scoreInterval = ({ interval: { low, high } }: Score, best: number): string => {
  const factor = best === 1 ? 100 : 1;
  return intervalText(factor * low, factor * high, 1);
};

/** A share or a difference of shares in points, with a sign. */
export const pointsText = (share: number): string => signed(100 * share, 1);

/** The interval of a difference, in points. */
export const pointsInterval = ({ low, high }: { readonly low: number; readonly high: number }): string =>
  intervalText(100 * low, 100 * high, 1);

/** A further figure of a scorer, whose unit is not known: percent where it may be a share. */
export const plainFigure = (value: number | undefined): string =>
  value === undefined
    ? ''
    : Number.isInteger(value) && Math.abs(value) > 1
      ? String(value)
      : formatValue(value, Math.abs(value) < 10 ? 3 : 1);

/** Whether a scenario differs significantly from the clean set by the paired test. */
export const isSignificant = ({ adjusted }: Pick<AgainstClean, 'adjusted'>): boolean => adjusted < ALPHA;

/** The figure that stands for the whole. */
export const primaryOf = ({ primary }: SetResult, { metrics }: Score): number => metrics[primary] ?? Number.NaN;

/** The clean set, where it was asked. */
export const cleanOf = ({ scenarios }: SetResult): ScenarioResult | undefined => scenarios.find(({ kind }) => kind === 'clean');

const spoken = (name: string): string => name.replaceAll('_', ' ');

/** `gaussian noise`, `gaussian noise + keyboard`; further options follow, so that scenarios with different ones do not look the same. */
export function shiftName({ image, text, name }: Scenario): string {
  const parts = [image, text].flatMap(choice => {
    if (!choice) return [];
    const { options } = choice as { readonly options?: object };
    return [`${spoken(choice.shift)}${options && Object.keys(options).length > 0 ? ` ${JSON.stringify(options)}` : ''}`];
  });
  return parts.length > 0 ? parts.join(' + ') : spoken(name);
}

/** `3`, or `4+3` where pictures and words are shifted by different grades; empty for the clean set. */
export function severityName({ image, text }: Scenario): string {
  const grades = [image?.severity, text?.severity].filter(grade => grade !== undefined);
  return [...new Set(grades)].length === 1 ? String(grades[0]) : grades.join('+');
}

/** `gaussian noise, severity 3`; `clean`. */
export const scenarioTitle = (scenario: Scenario): string => {
  const severity = severityName(scenario);
  return severity === '' ? shiftName(scenario) : `${shiftName(scenario)}, severity ${severity}`;
};

/** `A. a cat  B. a dog`; empty for no options. */
export const choicesText = (options: readonly string[] = []): string =>
  options.map((option, i) => `${String.fromCharCode(65 + i)}. ${option}`).join('  ');

/** In the order of tables. */
export const KINDS = ['clean', 'visual', 'textual', 'joint'] as const;
/** A kind of scenarios. */
export type Kind = (typeof KINDS)[number];

/** Heading of a kind. */
export const KIND_TITLES: Readonly<Record<Kind, string>> = {
  clean: 'clean',
  visual: 'pictures shifted',
  textual: 'words shifted',
  joint: 'pictures and words shifted',
};

/** Scenarios of a set in the order of kinds; within a kind in the order of the run. */
export const byKind = ({ scenarios }: SetResult): ScenarioResult[] => KINDS.flatMap(kind => scenarios.filter(s => s.kind === kind));
