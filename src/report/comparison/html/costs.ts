/** @file What a map of each method costs: the time with its spread, and the passes through the tower. */
import { formatValue } from '../../attribution/normalise.ts';
import type { Analysis, PartAnalysis } from '../analyse.ts';
import { byFamily } from '../by-category.ts';
import { rangeText, secondsText } from '../format.ts';
import { numberCell, sortHead } from './cells.ts';
import { rowHtml, sortable } from './tables.ts';

/** The table; empty where no cost is known. */
export function costHtml({ results }: Analysis, { part }: PartAnalysis): string {
  const rows = byFamily(results.methods).flatMap(method => {
    const cost = part.cost[method.name];
    if (!cost) return [];
    const { seconds, range, measurements, forward, backward } = cost;
    return [
      rowHtml(method, results.reference, [
        numberCell(seconds, secondsText(seconds)),
        numberCell(range?.[1], rangeText(cost)),
        numberCell(measurements, measurements === undefined ? '' : String(measurements)),
        numberCell(forward, formatValue(forward, 1)),
        numberCell(backward, formatValue(backward, 1)),
      ]),
    ];
  });
  if (rows.length === 0) return '';
  const heads = [
    sortHead('method', 'text'),
    sortHead('time per map', 'number', 'up', 'Median over measurements, beyond encoding the pair; compilation apart'),
    sortHead('least to most', 'number', 'up', 'Of these measurements; sorted by the most'),
    sortHead('measurements', 'number', 'down', 'One per block of pairs and seed, of warm runs where there are any'),
    sortHead('forward', 'number', 'up', 'Passes through the tower per map'),
    sortHead('backward', 'number', 'up', 'Backward passes through the tower per map'),
  ];
  return `<h4>methods and cost</h4>${sortable('Table: methods and cost', heads, rows)}`;
}
