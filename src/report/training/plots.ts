/** @file Which charts a training run has: what its figures are, put together where they share a unit. */
import { alphaAt, betaShareAt } from '../../bottleneck/gaussian/alpha.ts';
import { IN_USE } from '../../bottleneck/gaussian/penalty.ts';
import { type MetricsLine, warningsOf } from '../../tuning/tracking/metrics.ts';
import type { LinesPlot, Series } from './lines-chart.ts';
import type { TrainingRun } from './run.ts';

/** Keys of lines in the order of their first appearance, without `step` and texts. */
export function figureNames(lines: readonly MetricsLine[]): string[] {
  const names = new Set<string>();
  for (const line of lines) for (const key of Object.keys(line)) if (key !== 'step' && key !== 'warning') names.add(key);
  return [...names];
}

/** Finite values of a figure over updates. */
const pointsOf = (lines: readonly MetricsLine[], key: string): Series['points'] =>
  lines.flatMap(line => {
    const value = line[key];
    return typeof value === 'number' && Number.isFinite(value) ? [[line.step, value] as const] : [];
  });

const spaced = (name: string): string => name.replace(/^eval_/, '').replaceAll('_', ' ');

/** Training figures that stand together. Others, such as those of a loss of one's own, get a chart each. */
const KNOWN: readonly { title: string; unit: string; keys: readonly string[]; names?: readonly string[]; linear?: boolean }[] = [
  { title: 'KL to the prior', unit: 'nats per dimension', keys: ['kl_visual', 'kl_text'], names: ['image tokens', 'prompt tokens'] },
  {
    title: 'Dimensions in use',
    unit: `share above ${IN_USE} nats`,
    keys: ['used_visual', 'used_text'],
    names: ['image tokens', 'prompt tokens'],
  },
  { title: 'What β weighs', unit: 'nats', keys: ['charge_visual', 'charge_text'], names: ['image tokens', 'prompt tokens'] },
  { title: 'Learning rate', unit: 'per update', keys: ['learning_rate'], linear: true },
  { title: 'Norm of the gradient', unit: 'before clipping', keys: ['grad_norm'] },
  { title: 'Speed', unit: 'tokens per second', keys: ['tokens_per_second'] },
];
/** Figures of training that are losses or parts of one. */
const LOSSES = new Set(['loss', 'ce', 'contrastive', 'naming', 'dense', 'auxiliary']);
const SPREAD = ['variance_visual', 'variance_text'];

/** Evaluations by their first word where at least three share it (`trained_…`, `unseen_…`), the rest together; losses go with the losses. */
function evaluationPlots(lines: readonly MetricsLine[]): LinesPlot[] {
  const names = figureNames(lines).filter(name => !name.endsWith('loss') && pointsOf(lines, name).length > 0);
  const first = (name: string): string => spaced(name).split(' ')[0];
  const shared = (word: string): boolean => names.filter(name => first(name) === word).length >= 3;
  const groupOf = (name: string): string => (shared(first(name)) ? first(name) : '');
  return [...new Set(names.map(groupOf))].map(word => ({
    title: word ? `Evaluation: ${word}` : 'Evaluation',
    unit: 'as evaluated',
    linear: true,
    series: names
      .filter(name => groupOf(name) === word)
      .map(key => ({
        name: word ? spaced(key).slice(word.length + 1) : spaced(key),
        points: pointsOf(lines, key),
        marked: true,
      })),
  }));
}

/** α and what the βs are multiplied by, as the settings say. */
function schedules({ bottleneck, maxSteps, step }: TrainingRun): LinesPlot[] {
  if (!bottleneck || !maxSteps) return [];
  const updates = Array.from({ length: 101 }, (_, i) => (i * Math.min(step, maxSteps)) / 100);
  const over = (of: (update: number) => number): Series['points'] => updates.map(update => [update, of(update)] as const);
  const beta = bottleneck.control ? [] : [{ name: 'share of β', points: over(update => betaShareAt(bottleneck, update, maxSteps)) }];
  return [
    {
      title: 'Schedules',
      unit: 'share',
      linear: true,
      series: [{ name: 'α', points: over(update => alphaAt(bottleneck, update, maxSteps)) }, ...beta],
    },
  ];
}

/** Every figure of the run in a chart, the most telling ones first. Dashed lines stand where a warning was given and at the best evaluation. */
export function trainingPlots(run: TrainingRun): LinesPlot[] {
  const { steps, evaluations, bestStep } = run;
  const names = figureNames(steps);
  const line = (key: string, name = spaced(key)): Series => ({ name, points: pointsOf(steps, key) });
  const losses = names.filter(name => LOSSES.has(name));
  const evaluatedLosses = figureNames(evaluations).filter(name => name.endsWith('loss'));
  const events = [
    ...steps.flatMap(one => warningsOf(one).map(text => ({ step: one.step, text }))),
    ...(bestStep === undefined ? [] : [{ step: bestStep, text: `best evaluation, update ${bestStep}` }]),
  ];
  const taken = new Set([...losses, ...SPREAD, ...KNOWN.flatMap(({ keys }) => keys)]);
  const known = (titles: (title: string) => boolean): LinesPlot[] =>
    KNOWN.filter(({ title }) => titles(title)).map(({ title, unit, keys, names: words, linear }) => ({
      ...{ title, unit, linear },
      series: keys.map((key, i) => line(key, words?.[i])),
    }));
  const isBottleneck = (title: string): boolean => KNOWN.findIndex(one => one.title === title) < 3;
  const plots: LinesPlot[] = [
    {
      title: 'Loss',
      unit: 'nats',
      series: [
        ...losses.map(key => line(key)),
        ...evaluatedLosses.map(key => ({ name: `evaluation: ${spaced(key)}`, points: pointsOf(evaluations, key), marked: true })),
      ],
    },
    ...evaluationPlots(evaluations),
    ...known(isBottleneck),
    {
      title: 'σ of the posterior',
      unit: '√ of the mean variance',
      series: SPREAD.map((key, i) => ({
        name: ['image tokens', 'prompt tokens'][i],
        points: pointsOf(steps, key).map(([at, variance]) => [at, Math.sqrt(variance)] as const),
      })),
    },
    ...schedules(run),
    ...known(title => !isBottleneck(title)),
    ...names.filter(name => !taken.has(name)).map(name => ({ title: spaced(name), unit: 'as logged', series: [line(name)] })),
  ];
  return plots
    .map(plot => ({ ...plot, series: plot.series.filter(({ points }) => points.length > 0), events }))
    .filter(({ series }) => series.length > 0);
}
