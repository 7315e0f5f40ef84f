/** @file A metric's values with their intervals, a line per method, on one axis. */
import { digitsFor, formatValue, niceTicks } from '../../../report/attribution/normalise.ts';
import type { ComparisonView, PartView, RowView } from '../../evidence.ts';
import { titleOf } from './titles.ts';

const [LINE, LEFT, RIGHT, WIDTH] = [24, 210, 130, 860];

/** Where a value stands, in pixels. @param low and high are the ends of the axis */
export const place = (value: number, low: number, high: number): number =>
  LEFT + ((value - low) / (high - low || 1)) * (WIDTH - LEFT - RIGHT);

const VERDICTS: Readonly<Record<string, string>> = { better: '▲ better', worse: '▼ worse', alike: '', unknown: '' };

const meanOf = ({ value }: RowView): number | null => value.value;

/** The plot. */
export function Forest({ view, table }: { readonly view: ComparisonView; readonly table: PartView['tables'][number] }) {
  const direction = view.metrics.find(each => each.name === table.metric)?.direction;
  const rows = table.rows.filter(row => meanOf(row) !== null);
  rows.sort((a, b) => (a.rank ?? 1e6) - (b.rank ?? 1e6) || (meanOf(b) as number) - (meanOf(a) as number));
  if (rows.length === 0) return <p class="note">No method has a value here.</p>;
  const ends = rows.flatMap(row => [row.value.value, row.value.low, row.value.high].filter(each => each !== null));
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const { values: ticks, digits } = niceTicks(low, high, 5);
  const precise = Math.max(digits, digitsFor(Math.max(Math.abs(low), Math.abs(high))));
  const height = rows.length * LINE + 30;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section class="scroll" tabIndex={0} aria-label="Values with intervals">
      <svg
        class="forest"
        viewBox={`0 0 ${WIDTH} ${height}`}
        width={WIDTH}
        height={height}
        role="img"
        aria-label={`Values of ${rows.length} methods, ${direction ?? ''}; the first is ${titleOf(view, rows[0].method)}`}
      >
        {ticks.map(tick => (
          <g key={tick}>
            <line class="tick" x1={place(tick, low, high)} x2={place(tick, low, high)} y1={0} y2={height - 22} />
            <text class="muted" x={place(tick, low, high)} y={height - 6} text-anchor="middle">
              {formatValue(tick, digits)}
            </text>
          </g>
        ))}
        {rows.map((row, i) => {
          const y = i * LINE + 14;
          const x = place(meanOf(row) as number, low, high);
          const mine = row.method === view.reference;
          return (
            <g key={row.method} class={mine ? 'reference' : ''}>
              <text x={LEFT - 14} y={y + 4} text-anchor="end">
                {titleOf(view, row.method)}
              </text>
              {row.value.low !== null && row.value.high !== null && (
                <line class="interval" x1={place(row.value.low, low, high)} x2={place(row.value.high, low, high)} y1={y} y2={y} />
              )}
              <circle cx={x} cy={y} r={4} />
              <text class="muted" x={WIDTH - RIGHT + 16} y={y + 4}>
                {formatValue(meanOf(row) as number, precise)} {mine ? 'reference' : VERDICTS[row.toReference?.verdict ?? 'unknown']}
              </text>
            </g>
          );
        })}
      </svg>
    </section>
  );
}
