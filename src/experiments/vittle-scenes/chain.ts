/** @file The chain KL → JSD → EMID → accuracy: for each link whether it moves against the first condition, and whether it goes with the next. */
import { mean } from '../../tensor/statistics/descriptive.ts';
import { type PairedTResult, pairedT } from '../../tensor/statistics/paired-t.ts';
import { type Correlation, correlate } from '../../tensor/statistics/pearson-interval.ts';
import { type ChainCell, meansBy } from './cells.ts';

/** The links whose movement and correlation are looked at. */
export const LINKS = ['kl', 'jsd', 'emid', 'change'] as const;
/** Name of a link. */
export type Link = (typeof LINKS)[number];

/** What a link is called. */
export const LINK_TITLES: Readonly<Record<Link, string>> = { kl: 'KL', jsd: 'JSD', emid: 'EMID', change: 'accuracy' };

/** From one link to the next. */
export interface Carrying {
  readonly from: Link;
  readonly to: Link;
  /**
   * Over conditions (means over seeds and shifts) for KL, which no shift changes; else over conditions and shifts, once each shift's mean is
   * taken away. Undefined with fewer than four conditions or pairs.
   */
  readonly correlation?: Correlation;
}

const ANY = (): string => '';

/** Pairs of two links over conditions: of all shifts together, or shift by shift with the shift's mean taken away. */
function pairs(cells: readonly ChainCell[], from: Link, to: Link): (readonly [number, number])[] {
  const both = cells.filter(cell => cell[from] !== undefined && cell[to] !== undefined);
  const byShift = from !== 'kl';
  const key = (cell: ChainCell): string => `${cell.condition}${byShift ? ` ${cell.exam}` : ''}`;
  const shift = byShift ? (cell: ChainCell): string => cell.exam : ANY;
  const [x, y] = [from, to].map(link => meansBy(both, cell => cell[link], key));
  const [mx, my] = [from, to].map(link => meansBy(both, cell => cell[link], shift));
  return [...x.keys()].map(name => {
    const at = byShift ? name.slice(name.indexOf(' ') + 1) : '';
    return [x.get(name)! - mx.get(at)!, y.get(name)! - my.get(at)!];
  });
}

/** The three steps of the chain. Fisher's intervals: conditions are taken for a sample. */
export function carrying(cells: readonly ChainCell[]): Carrying[] {
  return LINKS.slice(1).map((to, i) => {
    const from = LINKS[i];
    const points = pairs(cells, from, to);
    const found =
      points.length < 4
        ? undefined
        : correlate(
            points.map(p => p[0]),
            points.map(p => p[1]),
          );
    return { from, to, ...(found ? { correlation: found } : {}) };
  });
}

/** How a link of a condition differs from that of the first, seed by seed, over all shifts. */
export function moved(cells: readonly ChainCell[], condition: string, base: string, link: Exclude<Link, 'kl'>): PairedTResult | undefined {
  const of = (name: string): Map<string, number> =>
    meansBy(
      cells.filter(cell => cell.condition === name),
      cell => cell[link],
      cell => `${cell.seed}`,
    );
  const [a, b] = [of(condition), of(base)];
  const seeds = [...a.keys()].filter(seed => b.has(seed));
  return seeds.length < 2
    ? undefined
    : pairedT(
        seeds.map(seed => a.get(seed)!),
        seeds.map(seed => b.get(seed)!),
      );
}

/** KL per dimension above which a bottleneck carries something, and the share of dimensions that is in use then. */
const IN_USE = { kl: 0.05, share: 0.25 } as const;

/** Whether a condition's KL lies where the plan calls it moved. @param used shares of dimensions in use, one per run */
export const klMoves = (kl: readonly number[], used: readonly number[]): boolean => mean(kl) > IN_USE.kl && mean(used) >= IN_USE.share;

/** The first step of the chain that is not shown for a condition, in words; undefined where every one is. */
export function firstBreak(
  cells: readonly ChainCell[],
  condition: string,
  base: string,
  klIsMoved: boolean,
  steps = carrying(cells),
): string | undefined {
  if (!klIsMoved) return 'KL does not move';
  for (const link of LINKS.slice(1) as Exclude<Link, 'kl'>[]) {
    const step = steps.find(({ to }) => to === link)!;
    const r = step.correlation;
    if (!r) return `${LINK_TITLES[step.from]} → ${LINK_TITLES[link]}: not measured`;
    if (!(r.low > 0 || r.high < 0)) return `${LINK_TITLES[step.from]} → ${LINK_TITLES[link]}: not shown`;
    const movement = moved(cells, condition, base, link);
    if (!movement || !(movement.low > 0 || movement.high < 0)) return `${LINK_TITLES[link]} does not move`;
  }
  return undefined;
}
