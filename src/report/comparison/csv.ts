/** @file All tables as one CSV file (RFC 4180): a line per part, metric and method. */
import { csvCell } from '../../system/csv.ts';
import type { Analysis, MethodRow } from './analyse.ts';

const COLUMNS: readonly (readonly [name: string, of: (row: MethodRow) => string | number | boolean | undefined])[] = [
  ['mean', r => r.value.estimate],
  ['low', r => r.value.low],
  ['high', r => r.value.high],
  ['standard_error', r => r.value.standardError],
  ['seed_sd', r => r.seedSpread],
  ['pairs', r => r.pairs],
  ['undefined_pairs', r => r.undefinedPairs],
  ['nan_values', r => r.nanCount],
  ['seeds', r => r.seeds],
  ['rank', r => r.rank],
  ['best', r => r.best],
  ['p_to_best_holm', r => r.toBest?.signFlipHolm],
  ['difference_to_reference', r => r.toReference?.difference.estimate],
  ['difference_low', r => r.toReference?.difference.low],
  ['difference_high', r => r.toReference?.difference.high],
  ['common_pairs', r => r.toReference?.pairs],
  ['p_wilcoxon', r => r.toReference?.wilcoxon],
  ['p_wilcoxon_holm', r => r.toReference?.wilcoxonHolm],
  ['p_sign_flip', r => r.toReference?.signFlip],
  ['p_sign_flip_holm', r => r.toReference?.signFlipHolm],
  ['larger', r => r.toReference?.effect.wins],
  ['equal', r => r.toReference?.effect.ties],
  ['smaller', r => r.toReference?.effect.losses],
  ['rank_biserial', r => r.toReference?.effect.rankBiserial],
  ['verdict', r => r.toReference?.verdict],
];

/** The file, piece by piece. */
export function* tablesCsv({ results, parts }: Analysis): Generator<Uint8Array> {
  const titles = new Map(results.methods.map(m => [m.name, m]));
  const names = ['group', 'modality', 'category', 'metric', 'direction', 'unit', 'method', 'title', 'family', 'reference'];
  yield Buffer.from(
    `${[...names, ...COLUMNS.map(([name]) => name), 'seconds', 'forward', 'backward', 'seconds_least', 'seconds_most', 'measurements'].join(',')}\r\n`,
  );
  for (const { part, tables } of parts)
    for (const { metric, rows } of tables) {
      const lines = rows.map(row => {
        const { title, family } = titles.get(row.method)!;
        const cost = part.cost[row.method];
        const left = [part.group, part.modality, metric.category, metric.name, metric.direction, metric.unit, row.method, title, family];
        const work = [cost?.seconds, cost?.forward, cost?.backward, cost?.range?.[0], cost?.range?.[1], cost?.measurements];
        const cells = [...left, results.reference, ...COLUMNS.map(([, of]) => of(row)), ...work];
        return `${cells.map(csvCell).join(',')}\r\n`;
      });
      yield Buffer.from(lines.join(''));
    }
}
