/** @file A judging as text: the score by category, what did not count, the judge's noise, the cost. */

import type { RelativeScore } from '../../evaluation/judge/relative.ts';
import type { JudgeResults } from '../../evaluation/judge/results.ts';
import type { VerdictResults } from '../../evaluation/judge/verdict-results.ts';
import type { EndpointCost } from '../../generation/endpoint/client.ts';
import { formatTable } from '../table.ts';

const fixed = (value: number, digits = 1): string => (Number.isFinite(value) ? value.toFixed(digits) : '–');
const percent = (share: number): string => `${fixed(100 * share, 0)} %`;
const interval = ({ low, high }: { readonly low: number; readonly high: number }): string =>
  Number.isFinite(low) ? `${fixed(low)} to ${fixed(high)}` : '–';

const scoreRow = (name: string, score: RelativeScore): string[] => [
  name,
  fixed(score.relative),
  interval(score),
  fixed(score.model, 2),
  fixed(score.reference, 2),
  `${score.n}`,
];

function noiseLines({ repeats, orders, length }: JudgeResults['noise']): string[] {
  return [
    ...(repeats
      ? [
          `Asked again: the score varies by ${fixed(repeats.relativeDeviation)} (standard deviation of ${repeats.relative.map(r => fixed(r)).join(', ')}), the difference of two marks by ${fixed(repeats.differenceDeviation, 2)}.`,
        ]
      : []),
    ...(orders
      ? [
          `Order changed: ${percent(orders.flips)} of ${orders.questions} questions have the other winner, ${percent(orders.same)} the same; standing first earns ${fixed(orders.firstGains, 2)} marks.`,
        ]
      : []),
    ...(length && Number.isFinite(length.r)
      ? [
          `Length: r = ${fixed(length.r, 2)} (${fixed(length.low, 2)} to ${fixed(length.high, 2)}) of the difference in marks with that in characters.`,
        ]
      : []),
  ];
}

/** How the judge was asked; nothing where reviews were read. */
function settingsLines({ settings, rules }: Pick<JudgeResults, 'settings' | 'rules'>): string[] {
  if (!settings) return [];
  const { orders, repeats, temperature, seed, maxTokens, sees } = settings as Record<string, unknown>;
  const times = `${repeats} ${repeats === 1 ? 'time' : 'times'}`;
  return [
    `Asked ${times} ${(orders as string[]).join(' and ')}, temperature ${temperature}, seed ${seed}, ${maxTokens} tokens at most, by ${rules}${sees ? ', with the pictures' : ''}.`,
  ];
}

const costLines = (cost: EndpointCost | undefined): string[] =>
  cost
    ? [
        `Cost: ${cost.requests} requests (${cost.repeated} sent again), ${cost.cached} replies from the cache, ${cost.promptTokens} + ${cost.completionTokens} tokens${cost.uncounted ? `, ${cost.uncounted} replies uncounted` : ''}.`,
      ]
    : [];
const countsText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');

/** Verdicts. @param columns width of the terminal */
export function verdictText(results: VerdictResults, columns: number): string {
  const { score, model, judge, board, failures, noise, reviews, cost } = results;
  const row = (name: string, one: RelativeScore): string[] => [name, fixed(one.relative), interval(one), `${one.n}`];
  const rows = [row('all', score), ...Object.entries(score.byCategory).map(([name, one]) => row(name, one))];
  return [
    `Score of ${model} against the reference by ${judge}: ${fixed(score.relative)} ± ${fixed(score.clusteredStandardError)} (standard error over ${score.clusters} ${score.clusters < score.n ? 'pictures' : 'battles'}; 50: as good)`,
    '',
    formatTable(['category', 'score', '95 %', 'battles'], rows, columns).trimEnd(),
    '',
    `Reward ${fixed(board.reward)}, won ${percent(board.win_rate)}, won or tied ${percent(board.win_or_tie_rate)}, Elo ${fixed(board.elo, 0)} against 1000.`,
    ...(Object.keys(failures).length ? [`Judgements without a clear verdict: ${countsText(failures)} of ${reviews}.`] : []),
    ...noiseLines(noise),
    ...settingsLines(results),
    ...costLines(cost),
  ].join('\n');
}

/** Marks. @param columns width of the terminal */
export function judgeText(results: JudgeResults, columns: number): string {
  const { score, model, judge, failures, noise, agreement, against, cost, official } = results;
  const rows = [scoreRow('all', score), ...Object.entries(score.byCategory).map(([name, one]) => scoreRow(name, one))];
  const table = formatTable(['category', 'relative', '95 %', 'model', 'reference', 'questions'], rows, columns);
  return [
    `Relative preference of ${model} by ${judge}: ${fixed(score.relative)} ± ${fixed(score.clusteredStandardError)} (standard error over ${score.clusters} ${score.clusters < score.n ? 'pictures' : 'questions'})`,
    '',
    table.trimEnd(),
    '',
    ...(official ? [`As LLaVA's scripts count (failures stay in as -1): ${fixed(official.all.relative)}.`] : []),
    ...(Object.keys(failures).length ? [`Reviews that do not count: ${countsText(failures)} of ${results.reviews}.`] : []),
    ...noiseLines(noise),
    ...(agreement
      ? [
          `Agreement with ${agreement.scorer}: Kendall's tau ${fixed(agreement.kendall, 2)} (${fixed(agreement.low, 2)} to ${fixed(agreement.high, 2)}) over ${agreement.answers} answers; of ${agreement.ranked} pairs without a tie, ${percent(agreement.sameOrder)} in the same order.`,
        ]
      : []),
    ...(against
      ? [
          `Against ${against.model}: ${against.difference >= 0 ? '+' : ''}${fixed(against.difference)} ± ${fixed(against.clusteredStandardError)} (95 % ${interval(against)}) on ${against.n} questions.`,
        ]
      : []),
    ...settingsLines(results),
    ...costLines(cost),
  ].join('\n');
}
