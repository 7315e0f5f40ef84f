/** @file Warnings as a list of a page: a few are shown, the rest unfolds. */
import { escapeText } from '../svg.ts';

/** Warnings that are shown before the rest is folded away. */
const SHOWN = 10;

const items = (warnings: readonly string[]): string => warnings.map(warning => `<li>${escapeText(warning)}</li>`).join('');

/** All warnings, whole; nothing where there are none. */
export function warningList(warnings: readonly string[] = []): string {
  if (warnings.length === 0) return '';
  const rest = warnings.slice(SHOWN);
  const more =
    rest.length > 0
      ? `<details><summary>${rest.length} more ${rest.length === 1 ? 'warning' : 'warnings'}</summary><ul class="warnings">${items(rest)}</ul></details>`
      : '';
  return `<ul class="warnings" aria-label="Warnings">${items(warnings.slice(0, SHOWN))}</ul>${more}`;
}
