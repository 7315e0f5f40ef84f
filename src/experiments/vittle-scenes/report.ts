/** @file Tables and a chart of the Vittle experiment, as Markdown and SVG. */

import { markdownTable } from '../../report/evaluation/markdown.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import {
  analyse,
  byCondition,
  type Column,
  columnsOf,
  contrasts,
  type Explanation,
  explain,
  FURTHER_COLUMNS,
  movements,
  PLANNED_SEEDS,
  SMALLEST_EFFECT,
  type TableCell,
  verdict,
} from './analyse.ts';
import { calibration, withoutProbabilities } from './calibration.ts';
import type { EmidTable } from './cells.ts';
import { CONDITIONS, titleOf } from './conditions.ts';
import type { ExamFacts, RunOutcome } from './outcome.ts';
import { POSTERIOR_FIGURES } from './posterior.ts';
import { chainSections } from './report-chain.ts';
import { digits, interval, pValue } from './table.ts';

type Table = ReturnType<typeof analyse>;

/** What a report shows beside its runs. */
export interface Beside {
  /** As far as it was measured. */
  readonly emid?: EmidTable;
  /** What the start answered before any tuning. */
  readonly untuned?: RunOutcome;
}

const UNTUNED_ROW = '*the start, before tuning*';

/** The start as a table of one condition. */
const untunedTable = (untuned: RunOutcome, exams: readonly ExamFacts[], columns: readonly Column[]): Table =>
  analyse([{ ...untuned, condition: CONDITIONS[0].name }], exams, columns);

/** Share right of a column, or a difference with its sign where that is what the column has. */
const figure = ({ of }: Column, { accuracy }: TableCell): string =>
  `${digits(accuracy.estimate, of === 'gap')} ${interval(accuracy, of === 'gap')}`;

/** The start's row of a table of accuracies. */
function untunedRow(untuned: RunOutcome | undefined, exams: readonly ExamFacts[], columns: readonly Column[]): string[][] {
  if (!untuned) return [];
  const [cells] = untunedTable(untuned, exams, columns).values();
  return [[UNTUNED_ROW, ...columns.map(column => figure(column, cells.get(column.name)!))]];
}

/** One row per condition: accuracy with its interval, and below it the paired difference to the first condition. */
function mainTable(table: Table, columns: readonly Column[], untuned: string[][]): string {
  const rows = [...table].map(([name, cells]) => [
    titleOf(name),
    ...columns.map(column => {
      const cell = cells.get(column.name)!;
      const { difference } = cell;
      const text = figure(column, cell);
      return difference ? `${text}<br>${digits(difference.estimate, true)} ${interval(difference, true)}, p ${pValue(difference.p)}` : text;
    }),
  ]);
  return markdownTable(['', ...columns.map(c => c.name)], [...untuned, ...rows]);
}

/** One row per condition but the first: what its difference says, whether it could be shown to be too small to matter. */
function equivalenceTable(table: Table, columns: readonly Column[]): string {
  const rows = [...table].slice(1).map(([name, cells]) => [
    titleOf(name),
    ...columns.map(({ name: column }) => {
      const { difference } = cells.get(column)!;
      return difference ? `${verdict(difference)} (p ${pValue(difference.equivalence)})` : '–';
    }),
  ]);
  return markdownTable(['', ...columns.map(c => c.name)], rows);
}

/** One row per condition and control of it. */
function contrastTable(
  runs: readonly RunOutcome[],
  exams: readonly ExamFacts[],
  smallest: number,
  columns: readonly Column[],
): string | undefined {
  const rows = contrasts(runs, exams, columns, smallest).map(({ condition, control, differences }) => [
    `${titleOf(condition)} − ${titleOf(control)}`,
    ...columns.map(({ name }) => {
      const difference = differences.get(name)!;
      return `${digits(difference.estimate, true)} ${interval(difference, true)}, p ${pValue(difference.p)}<br>${verdict(difference)} (p ${pValue(difference.equivalence)})`;
    }),
  ]);
  return rows.length > 0 ? markdownTable(['', ...columns.map(c => c.name)], rows) : undefined;
}

/** Calibration by condition, or why there is none. */
function calibrationTable(runs: readonly RunOutcome[], exams: readonly ExamFacts[]): string {
  const without = withoutProbabilities(runs, exams).length;
  if (without > 0)
    return `Not given: ${without} of ${runs.length} runs were measured by an older version, which kept no probabilities. Delete their files in results, and the same command measures them again from their checkpoints.`;
  const table = [...calibration(runs, exams)];
  const rows = table.map(([name, cells]) => [
    titleOf(name),
    ...cells.map(({ mean: value, difference: d }) =>
      d ? `${digits(value)}<br>${digits(d.difference, true)} ${interval(d, true)}, p ${pValue(d.pValue)}` : digits(value),
    ),
  ]);
  return markdownTable(['', ...table[0][1].map(({ figure, group }) => `${group === 'clean' ? 'clean' : 'corrupted'}: ${figure}`)], rows);
}

/** Columns by exam, closed questions. */
const examColumns = (exams: readonly ExamFacts[]): Column[] =>
  exams.map(({ id }) => ({ name: id, exams: facts => facts.id === id, items: ({ task }) => task !== 'caption', of: 'correct' }));

/** One row per exam, one column per condition: accuracies for themselves, and differences that are clear of zero in bold. */
function examTable(runs: readonly RunOutcome[], exams: readonly ExamFacts[]): string {
  const table = analyse(runs, exams, examColumns(exams));
  const names = [...table.keys()];
  const rows = exams.map(({ id }) => [
    id,
    ...names.map(name => {
      const { accuracy, difference } = table.get(name)!.get(id)!;
      const text = digits(accuracy.estimate);
      const clear = difference && (difference.low > 0 || difference.high < 0);
      return clear ? `**${text}** (${digits(difference.estimate, true)})` : text;
    }),
  ]);
  return markdownTable(['', ...names.map(titleOf)], rows);
}

/** Accuracy by task on the clean exam. */
function taskTable(runs: readonly RunOutcome[], exams: readonly ExamFacts[], untuned?: RunOutcome): string {
  const tasks = [...new Set(exams[0].items.map(i => i.task))];
  const columns: Column[] = tasks.map(task => ({
    name: task,
    exams: facts => facts.group === 'clean',
    items: of => of.task === task,
    of: task === 'caption' ? 'tokens' : 'correct',
  }));
  const table = analyse(runs, exams, columns);
  const named = [
    ...(untuned ? [...untunedTable(untuned, exams, columns)].map(([, cells]) => [UNTUNED_ROW, cells] as const) : []),
    ...[...table].map(([name, cells]) => [titleOf(name), cells] as const),
  ];
  const rows = named.map(([name, cells]) => [name, ...tasks.map(task => digits(cells.get(task)!.accuracy.estimate))]);
  return markdownTable(['', ...tasks.map(task => (task === 'caption' ? 'caption (tokens)' : task))], rows);
}

const DISTANCES = ['rjsd_visual', 'rjsd_text', 'cosine_visual', 'cosine_text'] as const;

/** Mean distances by condition over image shifts, and over text shifts. */
function distanceTable(runs: readonly RunOutcome[], exams: readonly ExamFacts[]): string {
  const all = movements(runs, exams);
  const of = (condition: string, kind: string, distance: (typeof DISTANCES)[number]): string => {
    const values = all.filter(m => m.condition === condition && m.exam.startsWith(kind)).flatMap(m => m.distance[distance] ?? []);
    return values.length ? digits(mean(values)) : '–';
  };
  const columns = [
    ['image', 'rjsd_visual'],
    ['image', 'cosine_visual'],
    ['style', 'rjsd_visual'],
    ['text', 'rjsd_text'],
    ['text', 'cosine_text'],
  ] as const;
  const rows = [...byCondition(runs).keys()].map(name => [titleOf(name), ...columns.map(([kind, distance]) => of(name, kind, distance))]);
  return markdownTable(['', ...columns.map(([kind, distance]) => `${kind}: ${distance.replace('_', ' ')}`)], rows);
}

/** What the bottlenecks carry at the end of the runs, and how many runs were warned of. */
function posteriorTable(runs: readonly RunOutcome[]): string | undefined {
  const rows = [...byCondition(runs)].flatMap(([name, of]) => {
    const known = of.flatMap(run => run.posterior ?? []);
    if (known.length === 0) return [];
    const figures = POSTERIOR_FIGURES.map(figure => digits(mean(known.flatMap(({ figures: f }) => f[figure] ?? []))));
    return [[titleOf(name), ...figures, `${known.filter(({ warnings }) => warnings.length > 0).length} of ${known.length}`]];
  });
  const head = ['', ...POSTERIOR_FIGURES.map(figure => figure.replace('_', ' ')), 'runs with a warning'];
  // Of many runs of a condition the first speaks for all: they differ in their numbers only.
  const said = [...byCondition(runs)].flatMap(([name, of]) => {
    const warned = of.filter(({ posterior }) => posterior?.warnings.length);
    if (warned.length === 0) return [];
    const [first] = warned;
    const others = warned.length > 1 ? `; so ${warned.length === 2 ? 'does another run' : `do ${warned.length - 1} others`}` : '';
    return [`- ${titleOf(name)}, seed ${first.seed}, says${others}: ${first.posterior!.warnings.join(' ')}`];
  });
  return rows.length > 0 ? [markdownTable(head, rows), said.join('\n')].filter(Boolean).join('\n\n') : undefined;
}

function explanationTable(runs: readonly RunOutcome[], exams: readonly ExamFacts[]): string {
  const all = movements(runs, exams);
  // Any two points lie on a line.
  const enoughTexts = exams.filter(e => e.group === 'text').length >= 4;
  const line = (what: string, e: Explanation | undefined): string[][] =>
    e
      ? [
          [
            `${what}: ${e.distance.replace('_', ' ')}`,
            `${digits(e.acrossShifts.pearson.estimate, true)} ${interval(e.acrossShifts.pearson, true)}`,
            digits(e.acrossShifts.spearman, true),
            `${digits(e.acrossConditions.pearson.estimate, true)} ${interval(e.acrossConditions.pearson, true)}`,
            digits(e.acrossConditions.spearman, true),
          ],
        ]
      : [];
  const isImage = (exam: string): boolean => !exam.startsWith('text');
  const rows = [
    ...line('pictures', explain(all, 'rjsd_visual', isImage)),
    ...line('pictures', explain(all, 'cosine_visual', isImage)),
    ...(['rjsd_text', 'cosine_text'] as const).flatMap(distance =>
      enoughTexts
        ? line(
            'texts',
            explain(all, distance, exam => !isImage(exam)),
          )
        : [],
    ),
  ];
  return markdownTable(['', 'r across shifts', 'ρ', 'r across conditions, shift by shift', 'ρ'], rows);
}

/** Exams beside those that the plan decides by. */
function furtherSections(
  runs: readonly RunOutcome[],
  exams: readonly ExamFacts[],
  smallest: number,
  columns: readonly Column[],
  untuned: RunOutcome | undefined,
): string[] {
  if (columns.length === 0) return [];
  const table = analyse(runs, exams, columns, smallest);
  return [
    '## Beyond the plan’s outcomes',
    'Exploratory, decides nothing: joint shifts of pictures and words; the long tail (more things than trained, other sizes, names of several words, other forms of questions); the built-in benchmarks, exact answers but for the mark of `scenes-open`.',
    mainTable(table, columns, untunedRow(untuned, exams, columns)),
    equivalenceTable(table, columns),
  ];
}

/**
 * The report's tables under their headings. @param exams as sat, the clean one first @param smallest the smallest difference of accuracy that
 * matters, a share
 */
export function experimentMarkdown(
  runs: readonly RunOutcome[],
  exams: readonly ExamFacts[],
  smallest = SMALLEST_EFFECT,
  { emid = {}, untuned }: Beside = {},
): string {
  const seeds = new Set(runs.map(r => r.seed)).size;
  const balanced = [...byCondition(runs).values()].every(of => of.length === seeds);
  const items = exams[0].items.filter(i => i.task !== 'caption').length;
  const cued = exams.some(({ group }) => group === 'cue');
  const columns = cued ? [...columnsOf(exams), ...columnsOf(exams, FURTHER_COLUMNS)] : columnsOf(exams);
  const further = cued ? [] : columnsOf(exams, FURTHER_COLUMNS);
  const table = analyse(runs, exams, columns, smallest);
  const posteriors = posteriorTable(runs);
  const controlled = contrastTable(runs, exams, smallest, columns);
  return [
    ...(seeds < PLANNED_SEEDS
      ? [
          `**${seeds} of ${PLANNED_SEEDS} seeds are in${balanced ? '' : ', the last of them not in all conditions'}: no verdict is given, whatever an interval looks like.** Seeds are run one after the other, all conditions in each.`,
        ]
      : []),
    `${runs.length} runs: ${byCondition(runs).size} conditions × ${seeds} seeds; each exam has ${exams[0].items.at(-1)!.scene + 1} scenes and ${items} closed questions. Intervals of 95 % over seeds and scenes (pigeonhole bootstrap); differences to ${titleOf([...byCondition(runs).keys()][0])} on the same questions and seeds, p by Student’s t with one degree of freedom less than there are seeds or scenes, whichever are fewer, adjusted by Holm within a column.`,
    '## Accuracy',
    mainTable(table, columns, untunedRow(untuned, exams, columns)),
    '## Is the difference too small to matter?',
    `Two one-sided tests against a smallest effect of interest of ${digits(smallest)}, adjusted by Holm within a column: p is that of “the difference is as large as this, or larger”. *equal*: shown to be smaller (p < .05), with no difference found; *better*, *worse*: a difference was found above; *open*: neither; p –: no answer differs, so there is no spread to judge by.`,
    equivalenceTable(table, columns),
    ...(controlled
      ? [
          '## Against their controls',
          'Paired differences to conditions that do part of the same, on the same questions and seeds, with both tests; p adjusted by Holm over the rows of a column.',
          controlled,
        ]
      : []),
    ...furtherSections(runs, exams, smallest, further, untuned),
    '## Clean accuracy by task',
    taskTable(runs, exams, untuned),
    '## Do they know when they are right?',
    'Closed questions, by the probability of the greedy answer (of a wrong one up to its first wrong token): expected calibration error in 15 bins of equal width, lower is better, and AUROC of right against wrong answers, .5 is chance. Differences by paired t over seeds, the scenes taken as given; p adjusted by Holm within a column.',
    calibrationTable(runs, exams),
    '## Each shift',
    'Bold: the interval of the paired difference (in brackets) lies clear of zero; not adjusted for the number of shifts.',
    examTable(runs, exams),
    ...(posteriors
      ? [
          '## What the bottlenecks carry',
          'Means over seeds and the last tenth of each run: KL in nats per dimension, share of dimensions in use, posterior variance; of image tokens and of the prompt.',
          posteriors,
        ]
      : []),
    '## How far representations move',
    'Mean over shifts and seeds, at the output of the bottleneck layer: representation Jensen–Shannon divergence (nats) and cosine distance of the same scene or question.',
    distanceTable(runs, exams),
    ...chainSections(runs, exams, emid),
    '## Does the movement explain the loss of accuracy?',
    'Correlation of the distance with the change of accuracy: over shifts (means of all runs), and over conditions once each shift’s mean is taken away.',
    explanationTable(runs, exams),
    '',
  ].join('\n\n');
}
