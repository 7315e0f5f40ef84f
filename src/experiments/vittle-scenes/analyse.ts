/** @file From outcomes to numbers: accuracy with intervals over seeds and scenes, paired differences, and whether distances explain them. */

import { RandomStream } from '../../tensor/random.ts';
import { bootstrap, type Estimate } from '../../tensor/statistics/bootstrap.ts';
import { type Cell, crossedBootstrap } from '../../tensor/statistics/crossed-bootstrap.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import { equivalence, twoSidedP } from '../../tensor/statistics/equivalence.ts';
import { holm } from '../../tensor/statistics/holm.ts';
import { pearson, spearman } from '../../tensor/statistics/rank.ts';
import { CONDITIONS } from './conditions.ts';
import type { ExamGroup, ExamItem } from './exams/exam.ts';
import type { ExamFacts, ExamOutcome, RunOutcome } from './outcome.ts';

/** What a column of the tables counts. */
export interface Column {
  readonly name: string;
  /** Which exams and items. */
  readonly exams: (facts: ExamFacts) => boolean;
  readonly items: (item: ExamItem) => boolean;
  /** Exactly right answers, the share of right tokens, or right answers where the cue is wrong less those where it is right. */
  readonly of: 'correct' | 'tokens' | 'gap';
}

const closed = ({ task }: ExamItem): boolean => task !== 'caption';
const caption = ({ task }: ExamItem): boolean => task === 'caption';
const group = (wanted: ExamGroup) => (facts: ExamFacts) => facts.group === wanted;

/** Columns of the main table: what the plan of analysis decides by. */
export const COLUMNS: readonly Column[] = [
  { name: 'clean', exams: group('clean'), items: closed, of: 'correct' },
  { name: 'unseen styles', exams: group('style'), items: closed, of: 'correct' },
  { name: 'image corruptions', exams: group('image'), items: closed, of: 'correct' },
  { name: 'text perturbations', exams: group('text'), items: closed, of: 'correct' },
  { name: 'clean captions, tokens', exams: group('clean'), items: caption, of: 'tokens' },
  { name: 'corrupted captions, tokens', exams: group('image'), items: caption, of: 'tokens' },
];

/** Columns of exams that are sat where they are asked for. */
export const FURTHER_COLUMNS: readonly Column[] = [
  { name: 'joint shifts', exams: group('joint'), items: closed, of: 'correct' },
  { name: 'long tail', exams: group('tail'), items: closed, of: 'correct' },
  ...['random', 'popular', 'adversarial'].map(
    (split): Column => ({ name: `pope, ${split}`, exams: ({ id }) => id === `pope:${split}`, items: closed, of: 'correct' }),
  ),
  { name: 'choice', exams: group('choice'), items: closed, of: 'correct' },
  { name: 'open, mark of rules', exams: group('open'), items: () => true, of: 'tokens' },
  { name: 'cue right', exams: group('cue'), items: ({ cue }) => cue === 'right', of: 'correct' },
  { name: 'cue wrong', exams: group('cue'), items: ({ cue }) => cue === 'wrong', of: 'correct' },
  { name: 'cue wrong − right', exams: group('cue'), items: () => true, of: 'gap' },
];

/** The columns for which there are exams: settings may leave out corruptions or perturbations. */
export const columnsOf = (exams: readonly ExamFacts[], columns: readonly Column[] = COLUMNS): Column[] =>
  columns.filter(column => exams.some(facts => column.exams(facts) && facts.items.some(column.items)));

/** An estimate of a condition, and its paired difference to the first condition. */
export interface TableCell {
  readonly accuracy: Estimate;
  readonly difference?: Difference;
}

/** A paired difference to the first condition, with its tests; p-values are Holm-adjusted over the differences of a column. */
export interface Difference extends Estimate {
  /** Of "no difference". */
  readonly p: number;
  /** Seeds that both have. */
  readonly seeds: number;
  /** Of "a difference as large as the smallest effect of interest, or larger": small where the two are shown to be equal; NaN without spread. */
  readonly equivalence: number;
}

/** A difference of accuracy below this does not matter, where the settings say nothing else: one point. */
export const SMALLEST_EFFECT = 0.01;

/** Seeds below which no difference is called anything: the plan of analysis has so many, and seeds are what spreads most. */
export const PLANNED_SEEDS = 8;

/**
 * What a difference says at level .05: `equal` is shown, not only not refuted. Of fewer seeds than planned nothing is said but how many there are:
 * a look before the end is no test.
 */
export function verdict({ estimate, p, equivalence: equal, seeds }: Difference): string {
  if (seeds < PLANNED_SEEDS) return `open: ${seeds} of ${PLANNED_SEEDS}`;
  if (p < 0.05) return equal < 0.05 ? 'differs, less than matters' : estimate > 0 ? 'better' : 'worse';
  return equal < 0.05 ? 'equal' : 'open';
}

const add = (a: Cell, value: number): Cell => ({ sum: a.sum + value, count: a.count + 1 });
const random = (name: string): RandomStream => new RandomStream(0, `vittle-scenes.${name}`);

/** Value of item i of an outcome. Of a gap: a mean over as many items of either kind is the difference of their means. */
const itemValue = (outcome: ExamOutcome, of: Column['of'], i: number, { cue }: ExamItem): number =>
  of === 'tokens' ? outcome.tokens[i] / 1000 : Number(outcome.correct[i]) * (of === 'correct' ? 1 : cue === 'wrong' ? 2 : -2);

/** Sums by seed and scene of one condition: [seeds][scenes]. @param than subtracts another condition's, item by item */
function tableOf(runs: readonly RunOutcome[], exams: readonly ExamFacts[], column: Column, than?: readonly RunOutcome[]): Cell[][] {
  const scenes = Math.max(...exams.flatMap(e => e.items.map(i => i.scene))) + 1;
  return runs.map((run, r) => {
    const cells: Cell[] = Array.from({ length: scenes }, () => ({ sum: 0, count: 0 }));
    for (const exam of exams.filter(column.exams))
      for (const [i, item] of exam.items.entries()) {
        if (!column.items(item)) continue;
        const { scene } = item;
        const value = itemValue(run.outcomes[exam.id], column.of, i, item);
        cells[scene] = add(cells[scene], than ? value - itemValue(than[r].outcomes[exam.id], column.of, i, item) : value);
      }
    return cells;
  });
}

/** Degrees of freedom of a crossed table's mean: one less than the levels of its scarcer factor, of those that are resampled. */
function freedom(table: readonly (readonly Cell[])[]): number {
  const scenes = table[0].filter((_, j) => table.some(row => row[j].count > 0)).length;
  const resampled = [table.length, scenes].filter(levels => levels > 1);
  return resampled.length > 0 ? Math.min(...resampled) - 1 : 0;
}

/** Runs by condition, in the order of seeds. */
export function byCondition(runs: readonly RunOutcome[]): Map<string, RunOutcome[]> {
  const out = new Map<string, RunOutcome[]>();
  for (const { name } of CONDITIONS) {
    const of = runs.filter(r => r.condition === name).sort((a, b) => a.seed - b.seed);
    if (of.length) out.set(name, of);
  }
  return out;
}

/** Two lists of runs and a column: the paired differences, seed by seed and item by item, of the seeds that both have. */
function difference(of: readonly RunOutcome[], than: readonly RunOutcome[], exams: readonly ExamFacts[], column: Column): Raw | undefined {
  const shared = of.filter(run => than.some(r => r.seed === run.seed));
  if (shared.length === 0) return undefined;
  const base = shared.map(run => than.find(r => r.seed === run.seed)!);
  const table = tableOf(shared, exams, column, base);
  return {
    ...crossedBootstrap(table, { random: random(`difference.${column.name}`) }),
    degreesOfFreedom: freedom(table),
    seeds: shared.length,
  };
}

type Raw = Estimate & { readonly degreesOfFreedom: number; readonly seeds: number };

/** Differences with their tests, as one family. */
function tested(family: readonly Raw[], smallest: number): Difference[] {
  const p = holm(family.map(d => twoSidedP(d, d.degreesOfFreedom)));
  const equal = holm(
    family.map(d =>
      // Not one answer differs: few questions do not show that none would.
      d.standardError === 0 ? Number.NaN : equivalence(d, smallest, { degreesOfFreedom: d.degreesOfFreedom }).pValue,
    ),
  );
  return family.map(({ degreesOfFreedom: _, ...estimate }, i) => ({ ...estimate, p: p[i], equivalence: equal[i] }));
}

/**
 * The table: condition -> column -> cell. Differences are to the first condition, seed by seed and item by item; their p-values are by Student's
 * t with one degree of freedom less than there are seeds (or scenes, where those are fewer).
 * @param smallest the smallest difference that matters, a share
 */
export function analyse(
  runs: readonly RunOutcome[],
  exams: readonly ExamFacts[],
  columns: readonly Column[] = COLUMNS,
  smallest = SMALLEST_EFFECT,
): Map<string, Map<string, TableCell>> {
  const conditions = byCondition(runs);
  const [first] = conditions.values();
  const table = new Map<string, Map<string, TableCell>>([...conditions.keys()].map(name => [name, new Map()]));
  for (const column of columns) {
    const family = [...conditions].flatMap(([name, of]) => {
      const raw = of === first ? undefined : difference(of, first, exams, column);
      return raw ? [{ name, raw }] : [];
    });
    const differences = tested(
      family.map(f => f.raw),
      smallest,
    );
    for (const [name, of] of conditions) {
      const accuracy = crossedBootstrap(tableOf(of, exams, column), { random: random(`accuracy.${column.name}`) });
      table.get(name)!.set(column.name, { accuracy, difference: differences[family.findIndex(f => f.name === name)] });
    }
  }
  return table;
}

/** A condition against one of its controls. */
export interface Contrast {
  readonly condition: string;
  readonly control: string;
  /** By column; p-values are adjusted over the contrasts of a column. */
  readonly differences: ReadonlyMap<string, Difference>;
}

/** Each condition against its controls (see `Condition`), where both were run. */
export function contrasts(
  runs: readonly RunOutcome[],
  exams: readonly ExamFacts[],
  columns: readonly Column[] = COLUMNS,
  smallest = SMALLEST_EFFECT,
): Contrast[] {
  const conditions = byCondition(runs);
  const pairs = CONDITIONS.flatMap(({ name, controls = [] }) =>
    controls.flatMap(control => {
      const [of, than] = [conditions.get(name), conditions.get(control)];
      return of && than && of.some(run => than.some(r => r.seed === run.seed)) ? [{ condition: name, control, of, than }] : [];
    }),
  );
  const out = pairs.map(({ condition, control }) => ({ condition, control, differences: new Map<string, Difference>() }));
  for (const column of columns) {
    const family = tested(
      pairs.map(({ of, than }) => difference(of, than, exams, column)!),
      smallest,
    );
    for (const [i, { differences }] of out.entries()) differences.set(column.name, family[i]);
  }
  return out;
}

/** How a run's representations moved under one shift, and what it cost. */
export interface Movement {
  readonly condition: string;
  readonly seed: number;
  readonly exam: string;
  readonly distance: ExamOutcome['distance'];
  /** Accuracy on closed questions under the shift less the clean one. */
  readonly change: number;
}

/** Every run under every shift. */
export function movements(runs: readonly RunOutcome[], exams: readonly ExamFacts[]): Movement[] {
  const accuracy = (run: RunOutcome, exam: ExamFacts): number =>
    mean(exam.items.flatMap((item, i) => (closed(item) ? [Number(run.outcomes[exam.id].correct[i])] : [])));
  const clean = exams.find(e => e.group === 'clean')!;
  return runs.flatMap(run =>
    exams
      .filter(e => e !== clean)
      .map(exam => ({
        condition: run.condition,
        seed: run.seed,
        exam: exam.id,
        distance: run.outcomes[exam.id].distance,
        change: accuracy(run, exam) - accuracy(run, clean),
      })),
  );
}

/** Correlation between a distance and the change of accuracy. */
export interface Explanation {
  readonly distance: string;
  /** Over shifts, of means over runs. */
  readonly acrossShifts: { readonly pearson: Estimate; readonly spearman: number };
  /** Over conditions, of deviations from the mean of all conditions under the same shift: does the method that moves less lose less? */
  readonly acrossConditions: { readonly pearson: Estimate; readonly spearman: number };
}

/** Whether distances explain accuracy. @param groups of exams to take: images' distances say nothing of shifted texts */
export function explain(
  all: readonly Movement[],
  distance: keyof ExamOutcome['distance'],
  wanted: (exam: string) => boolean,
): Explanation | undefined {
  const used = all.filter(m => wanted(m.exam) && m.distance[distance] !== undefined);
  if (used.length === 0) return undefined;
  const key = (m: Movement, by: readonly ('exam' | 'condition')[]): string => by.map(k => m[k]).join(' ');
  const means = (by: readonly ('exam' | 'condition')[]): Map<string, [number, number]> => {
    const groups = new Map<string, Movement[]>();
    for (const m of used) groups.set(key(m, by), [...(groups.get(key(m, by)) ?? []), m]);
    return new Map([...groups].map(([k, list]) => [k, [mean(list.map(m => m.distance[distance]!)), mean(list.map(m => m.change))]]));
  };
  const shifts = means(['exam']);
  const cells = means(['exam', 'condition']);
  const deviations = [...cells].map(([k, [d, c]]): [number, number] => {
    const [md, mc] = shifts.get(k.split(' ')[0])!;
    return [d - md, c - mc];
  });
  const correlate = (pairs: readonly (readonly [number, number])[], name: string) => ({
    pearson: bootstrap(
      pairs,
      drawn =>
        pearson(
          drawn.map(p => p[0]),
          drawn.map(p => p[1]),
        ),
      { random: random(name), method: 'percentile' },
    ),
    spearman: spearman(
      pairs.map(p => p[0]),
      pairs.map(p => p[1]),
    ),
  });
  return {
    distance,
    acrossShifts: correlate([...shifts.values()], `explain.${distance}`),
    acrossConditions: correlate(deviations, `explain.conditions.${distance}`),
  };
}
