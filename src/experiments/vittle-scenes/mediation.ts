/** @file Does the movement of representations carry a difference in accuracy? Slope times difference, with an interval over seeds and shifts. */
import { RandomStream } from '../../tensor/random.ts';
import { bootstrapInterval, type Estimate } from '../../tensor/statistics/bootstrap.ts';
import { mean, standardDeviation } from '../../tensor/statistics/descriptive.ts';
import type { ChainCell } from './cells.ts';

const RESAMPLES = 2000;

/** What of a condition's difference to the first one goes through the movement. */
export interface Mediation {
  /** Accuracy under shift less clean, of the condition less that of the first: how much less is lost. */
  readonly difference: Estimate;
  /** Slope of accuracy's change on JSD, within shifts and over the runs of both conditions, times the difference in JSD. */
  readonly carried: Estimate;
  /**
   * The same with the slope within shifts and conditions. The first slope also sees that the two conditions differ in both, whatever the reason;
   * this one asks whether runs of one condition that move less lose less.
   */
  readonly carriedWithin: Estimate;
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly treated: boolean;
  readonly shift: number;
}

/** Σ(x − x̄)(y − ȳ) / Σ(x − x̄)² with means by group; NaN where x does not vary in any. */
function slope(points: readonly Point[], group: (p: Point) => number): number {
  const sums = new Map<number, { x: number; y: number; n: number }>();
  for (const p of points) {
    const sum = sums.get(group(p)) ?? { x: 0, y: 0, n: 0 };
    sums.set(group(p), { x: sum.x + p.x, y: sum.y + p.y, n: sum.n + 1 });
  }
  let [cross, square] = [0, 0];
  for (const p of points) {
    const { x, y, n } = sums.get(group(p))!;
    cross += (p.x - x / n) * (p.y - y / n);
    square += (p.x - x / n) ** 2;
  }
  return square > 0 ? cross / square : Number.NaN;
}

function parts(points: readonly Point[]): { difference: number; carried: number; carriedWithin: number } {
  const gap = (value: (p: Point) => number): number =>
    mean(points.filter(p => p.treated).map(value)) - mean(points.filter(p => !p.treated).map(value));
  const x = gap(p => p.x);
  return {
    difference: gap(p => p.y),
    carried: slope(points, p => p.shift) * x,
    carriedWithin: slope(points, p => 2 * p.shift + Number(p.treated)) * x,
  };
}

/**
 * @param cells of both conditions; only seeds and shifts that both have are taken @returns undefined with fewer than two seeds or shifts
 */
export function mediation(cells: readonly ChainCell[], condition: string, base: string, resamples = RESAMPLES): Mediation | undefined {
  const at = (cell: ChainCell): string => `${cell.seed} ${cell.exam}`;
  const [treated, plain] = [condition, base].map(name => new Map(cells.filter(c => c.condition === name).map(c => [at(c), c])));
  const shared = [...treated.keys()].filter(key => plain.has(key));
  const seeds = [...new Set(shared.map(key => treated.get(key)!.seed))];
  const shifts = [...new Set(shared.map(key => treated.get(key)!.exam))];
  if (seeds.length < 2 || shifts.length < 2) return undefined;
  /** Points of drawn seeds and shifts; a shift that is drawn twice counts as two. */
  const points = (drawnSeeds: readonly number[], drawnShifts: readonly string[]): Point[] =>
    drawnShifts.flatMap((exam, shift) =>
      drawnSeeds.flatMap(seed => {
        const [a, b] = [treated.get(`${seed} ${exam}`), plain.get(`${seed} ${exam}`)];
        return a && b ? [a, b].map(({ jsd: x, change: y }, i) => ({ x, y, treated: i === 0, shift })) : [];
      }),
    );
  const whole = parts(points(seeds, shifts));
  const random = new RandomStream(0, 'vittle-scenes.mediation');
  const replicates = Array.from({ length: resamples }, (_, r) => {
    const reader = random.reader(0, r);
    const draw = <T>(of: readonly T[]): T[] => of.map(() => of[reader.integer(of.length)]);
    return parts(points(draw(seeds), draw(shifts)));
  });
  const estimate = (name: keyof typeof whole): Estimate => {
    const values = Float64Array.from(replicates.map(r => r[name]).filter(value => !Number.isNaN(value)));
    const [low, high] = values.length > 1 ? bootstrapInterval(whole[name], values, 0.95) : [Number.NaN, Number.NaN];
    return { estimate: whole[name], low, high, level: 0.95, standardError: standardDeviation(values) };
  };
  return { difference: estimate('difference'), carried: estimate('carried'), carriedWithin: estimate('carriedWithin') };
}

const clear = ({ low, high }: Estimate): boolean => low > 0 || high < 0;

/** What that says: nothing to carry, carried (by both slopes, half of the difference or more), or not shown. */
export function mediationVerdict({ difference, carried, carriedWithin }: Mediation): 'nothing to carry' | 'JSD carries it' | 'not shown' {
  if (!clear(difference)) return 'nothing to carry';
  const half = carried.estimate / difference.estimate >= 0.5 && carriedWithin.estimate / difference.estimate > 0;
  return clear(carried) && clear(carriedWithin) && half ? 'JSD carries it' : 'not shown';
}
