/** @file Scores and changes as Markdown, for docs/evidence and pull requests. */
import type { EvaluationResults, SetResult } from '../../evaluation/run/results.ts';
import { formatCount } from '../../system/format.ts';
import { pText } from '../comparison/format.ts';
import { markdownText } from '../comparison/markdown.ts';
import { headlineOf } from './headline.ts';
import { cellText, type Matrix, matrixOf } from './matrix.ts';
import {
  byKind,
  figureText,
  isSignificant,
  KIND_TITLES,
  pointsInterval,
  pointsText,
  primaryOf,
  scenarioTitle,
  scoreInterval,
  unitText,
} from './view.ts';
import { allWarnings } from './warnings.ts';

/** A table; the first column to the left, numbers to the right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

function headlines({ sets }: EvaluationResults): string {
  const rows = sets.map(set => {
    const { first, means, worst } = headlineOf(set);
    const score = first && `**${figureText(primaryOf(set, first.score), set.best)}** ${scoreInterval(first.score, set.best)}`.trim();
    const mean = (kind: 'visual' | 'textual' | 'joint'): string => {
      const found = means[kind];
      return found ? `${pointsText(found.change)} (of ${found.scenarios})` : '';
    };
    const most = worst ? `${markdownText(scenarioTitle(worst.scenario))} ${pointsText(worst.againstClean!.difference)}` : '';
    const counts = [formatCount(set.questions), formatCount(set.clusters)];
    return [
      markdownText(set.title),
      markdownText(set.scorer),
      ...counts,
      `${score ?? '–'} ${unitText(set.best)}`,
      mean('visual'),
      mean('textual'),
      mean('joint'),
      most,
    ];
  });
  return markdownTable(['set', 'scorer', 'questions', 'pictures', 'clean', 'Δ pictures', 'Δ words', 'Δ both', 'costs most'], rows);
}

function matrixTable({ sets, groups }: Matrix): string {
  const head = sets.flatMap(({ set, severities }) => severities.map(severity => `${markdownText(set.title)}, ${markdownText(severity)}`));
  const rows = groups.flatMap(({ kind, rows: list }) => [
    [`*${KIND_TITLES[kind]}*`, ...head.map(() => '')],
    ...list.map(({ name, cells }) => [markdownText(name), ...cells.map(cell => (cell ? cellText(cell) : ''))]),
  ]);
  return markdownTable(['shift', ...head], rows);
}

function setTable(set: SetResult): string {
  const rows = byKind(set).map(({ scenario, score, againstClean: c }) => [
    markdownText(scenarioTitle(scenario)),
    `${figureText(primaryOf(set, score), set.best)} ${scoreInterval(score, set.best)}`.trim(),
    `${score.n}${score.missing > 0 ? ` (${score.missing} missing)` : ''}`,
    c ? `${pointsText(c.difference)}${isSignificant(c) ? '' : '†'} ${pointsInterval(c)}`.trim() : '',
    c ? markdownText(pText(c.adjusted)) : '',
    c ? String(c.rightToWrong) : '',
    c ? String(c.wrongToRight) : '',
    c ? markdownText(pText(c.mcnemar)) : '',
    c ? figureText(c.smallestDifference, 1) : '',
  ]);
  const head = [
    'scenario',
    `${markdownText(set.primary)} (${unitText(set.best)})`,
    'n',
    'points against clean',
    'p (Holm)',
    'right→wrong',
    'wrong→right',
    'p McNemar',
    'smallest difference',
  ];
  return `## ${markdownText(set.title)}\n\nScorer ${markdownText(set.scorer)}, prompt ${markdownText(set.prompt)}.\n\n${markdownTable(head, rows)}`;
}

/** The document. */
export function scoresMarkdown(results: EvaluationResults): string {
  const { model, seed, sets, leftOut, unanswered } = results;
  const matrix = matrixOf(results);
  const all = allWarnings(results);
  const text = [
    `# Evaluation of ${markdownText(model)}`,
    `Seed ${seed}. Brackets hold 95 % intervals over pictures. Changes are paired, shifted minus clean, in points of right answers; † is not significant (paired t over pictures, Holm-corrected over the scenarios of a set, p ≥ 0.05). The smallest difference is the one that these questions show with 80 % power, in points.`,
    ...(all.length > 0 ? ['## Warnings', all.map(warning => `- ${markdownText(warning)}`).join('\n')] : []),
    '## Sets',
    headlines(results),
    ...(matrix ? ['## Shifts', 'Points against the clean set.', matrixTable(matrix)] : []),
    ...sets.map(setTable),
    ...(leftOut.length > 0
      ? ['## Left out', leftOut.map(one => `- ${markdownText(one.benchmark)}: ${markdownText(one.reason)}`).join('\n')]
      : []),
    ...(unanswered.length > 0 ? [`${formatCount(unanswered.length)} questions have no answer; results.json lists them with reasons.`] : []),
  ];
  return `${text.join('\n\n')}\n`;
}
