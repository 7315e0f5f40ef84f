/** @file Small line charts of an optimisation's course, as inline SVG that takes its colours from the page. */
import { formatValue, niceTicks } from '../normalise.ts';
import { escapeText, round } from '../svg.ts';

/** One chart: `values` per step under a title. The y axis spans the values (never less than a hair); x is the step. */
export function lossChart(title: string, values: readonly number[]): string {
  if (values.length < 2) return '';
  const [width, height, left, right, top, bottom] = [220, 112, 40, 8, 24, 18];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const pad = (most - least || Math.abs(most) || 1) * 0.08;
  const [low, high] = [least - pad, most + pad];
  const x = (step: number) => left + (step / (values.length - 1)) * (width - left - right);
  const y = (value: number) => top + ((high - value) / (high - low)) * (height - top - bottom);
  const ticks = niceTicks(low, high, 3);
  const grid = ticks.values.map(
    value =>
      `<line class="rule" x1="${left}" x2="${width - right}" y1="${round(y(value))}" y2="${round(y(value))}"/>` +
      `<text x="${left - 6}" y="${round(y(value) + 3.5)}" text-anchor="end">${formatValue(value, ticks.digits)}</text>`,
  );
  const path = values.map((value, step) => `${step === 0 ? 'M' : 'L'}${round(x(step))} ${round(y(value))}`).join('');
  const last = values.length - 1;
  const summary = `${title}: from ${formatValue(values[0], 3)} to ${formatValue(values[last], 3)} in ${values.length} steps`;
  return (
    `<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(summary)}">` +
    `<text class="name" x="0" y="12">${escapeText(title)}</text>${grid.join('')}` +
    `<path class="curve" d="${path}"/><circle class="dot" cx="${round(x(last))}" cy="${round(y(values[last]))}" r="3"/>` +
    `<text x="${left}" y="${height - 4}">step 1</text><text x="${width - right}" y="${height - 4}" text-anchor="end">${values.length}</text></svg>`
  );
}
