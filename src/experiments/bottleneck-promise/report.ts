/** @file Tables of the promise in Markdown. */

import { mean } from '../../tensor/statistics/descriptive.ts';
import { chainCorrelations, chargeChecks, type ModelChain, modelDifferences } from './chain.ts';
import type { PromiseResults } from './run.ts';

const fixed = (value: number, digits = 3): string => (Number.isFinite(value) ? value.toFixed(digits).replace('-', '−') : '–');
const range = ({ low, high }: { low: number; high: number }, digits = 3): string => `[${fixed(low, digits)}, ${fixed(high, digits)}]`;
const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n');

/** Nats in three figures. */
const nats = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

function chargeTable(chain: ModelChain): string {
  const rows = chargeChecks(chain).map(({ side, by, of, holds, says, shifts, least, most, furthest }) => [
    side === 'visual' ? 'pictures' : 'words',
    by === 'total' ? 'all tokens' : 'their mean',
    of === 'sampled' ? 'z (α = 1, a draw)' : 'what goes on when answering',
    `${nats(least)} to ${nats(most)}`,
    fixed(furthest, 4),
    `${holds} of ${shifts}`,
    `${says} of ${shifts}`,
  ]);
  return table(
    ['tokens of', 'charged for', 'divergence of', '½ (clean + shifted), nats', 'largest JSD, nats', 'holds', 'below ln 2'],
    rows,
  );
}

/** Mean divergence over shifts along the way through the bottleneck. */
function wayTable({ links }: ModelChain): string {
  const rows = (['visual', 'text'] as const).map(side => [
    side === 'visual' ? 'pictures' : 'words',
    ...(['before', 'sampled', 'used'] as const).map(of => fixed(mean(links.map(link => link[side][of]!)), 4)),
  ]);
  return table(['mean JSD over shifts, tokens of', 'before the bottleneck', 'z (α = 1, a draw)', 'what goes on when answering'], rows);
}

function shiftTable(chains: readonly ModelChain[]): string {
  const header = [
    'shift',
    ...chains.flatMap(({ model }) => [`${model}: JSD pictures`, 'words', 'EMID', 'bound', 'accuracy lost', 'words lost']),
  ];
  const rows = chains[0].links.map(({ condition }, i) => [
    condition.name,
    ...chains.flatMap(({ links }) => {
      const link = links[i];
      return [
        fixed(link.visual.used),
        fixed(link.text.used),
        `${fixed(link.emid.value)} ${range(link.emid)}`,
        fixed(link.bound, 2),
        `${fixed(link.lost.value)} ${range(link.lost)}`,
        `${fixed(link.wordsLost.value)} ${range(link.wordsLost)}`,
      ];
    }),
  ]);
  return table(header, rows);
}

function correlationTable(chains: readonly ModelChain[]): string {
  const all = chains.map(chainCorrelations);
  const rows = all[0].map(({ of, over, n }, i) => [
    of,
    `${over} (${n})`,
    ...all.map(list => `${fixed(list[i].r, 2)} ${range(list[i], 2)}`),
  ]);
  return table(['over shifts', 'which', ...chains.map(({ model }) => model)], rows);
}

/** All tables, in the order of the chain. */
export function promiseMarkdown({ scenes, questions, chains, emi }: PromiseResults): string {
  const [first, second] = chains;
  const { encoders, estimator, source } = emi[0];
  const parts = [
    `${scenes} scenes, ${questions} questions, ${first.links.length} shifts. Accuracy without a shift: ${chains.map(c => `${c.model} ${fixed(c.cleanAccuracy)}`).join(', ')}. EMI without a shift: ${emi.map((e, i) => `${chains[i].model} ${fixed(e.source.emi)} ${range(e.source.interval)}`).join(', ')}.`,
    `Encoders: ${encoders.pictures}; ${encoders.texts}; joined: ${encoders.joining}. Estimator: ${estimator.folds} folds, ${estimator.units} units, ${estimator.steps} steps on ${estimator.pairs} pairs; it predicts references ${fixed(source.likelihoodGain, 2)} nats per answer better than their mean does.`,
    '### What is charged bounds how far states move',
    chargeTable(first),
    wayTable(first),
    '### Shift by shift',
    shiftTable(chains),
    '### Over shifts',
    correlationTable(chains),
  ];
  const within = chains.map(({ model, links }) => {
    const under = (bound: 'bound' | 'stateBound'): string => `${links.filter(l => l.emid.value <= l[bound]).length} of ${links.length}`;
    return `${model}: EMID lies below the scaled bound for ${under('bound')} shifts, and for ${under('stateBound')} with the states in place of the inputs`;
  });
  parts.push(`${within.join('; ')}.`);
  if (second) {
    const rows = modelDifferences(first, second).map(d => [
      d.what,
      fixed(d.first, 4),
      fixed(d.second, 4),
      `${fixed(d.difference, 4)} ${range(d, 4)}`,
    ]);
    parts.push(
      '### With the bottleneck and without',
      table(['mean over shifts', first.model, second.model, 'difference (95 %, over shifts)'], rows),
    );
  }
  return `${parts.join('\n\n')}\n`;
}
