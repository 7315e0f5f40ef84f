/** @file Methods by metrics: ranks on the strength of the accent, best first. */
import type { ComparisonView, PartView } from '../../evidence.ts';
import { titleOf } from './titles.ts';

/** What is shown. */
export interface RankTableProps {
  readonly view: ComparisonView;
  readonly part: PartView;
  /** The metric whose values are shown below. */
  readonly metric: string | undefined;
  readonly choose: (metric: string) => void;
}

/** How strong a rank's ground is, in percent of the accent: the first half of the field fades out. */
export const shade = (rank: number, count: number): number => Math.round(42 * Math.max(0, 1 - (2 * (rank - 1)) / Math.max(1, count - 1)));

/** The table. */
export function RankTable({ view, part, metric, choose }: RankTableProps) {
  const ranked = part.tables.filter(table => table.rows.some(row => row.rank !== undefined));
  const names = [...new Set(ranked.flatMap(table => table.rows.map(row => row.method)))];
  names.sort((a, b) => (part.meanRank[a] ?? 2) - (part.meanRank[b] ?? 2));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section class="scroll" tabIndex={0} aria-label="Ranks of methods by metrics">
      <table class="ranks">
        <thead>
          <tr>
            <th scope="col">Method</th>
            <th scope="col">Mean place</th>
            {ranked.map(table => (
              <th key={table.metric} scope="col" aria-current={table.metric === metric ? 'true' : undefined}>
                <button type="button" class="plain" onClick={() => choose(table.metric)}>
                  {view.metrics.find(each => each.name === table.metric)?.title ?? table.metric}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {names.map(name => (
            <tr key={name} class={name === view.reference ? 'reference' : ''}>
              <th scope="row">{titleOf(view, name)}</th>
              <td>{part.meanRank[name]?.toFixed(2) ?? '–'}</td>
              {ranked.map(table => {
                const row = table.rows.find(each => each.method === name);
                const count = table.rows.filter(each => each.rank !== undefined).length;
                return (
                  <td
                    key={table.metric}
                    style={
                      row?.rank === undefined
                        ? undefined
                        : { background: `color-mix(in srgb, var(--accent) ${shade(row.rank, count)}%, transparent)` }
                    }
                  >
                    {row?.rank === undefined ? '–' : row.best ? <b>{row.rank}</b> : row.rank}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
