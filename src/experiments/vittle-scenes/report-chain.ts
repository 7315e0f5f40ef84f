/** @file The chain and the mediation as tables of the experiment's report. */

import { markdownTable } from '../../report/evaluation/markdown.ts';
import type { Estimate } from '../../tensor/statistics/bootstrap.ts';
import { byCondition, PLANNED_SEEDS } from './analyse.ts';
import { chainCells, type EmidTable } from './cells.ts';
import { carrying, firstBreak, klMoves, LINK_TITLES, moved } from './chain.ts';
import { CONDITIONS, titleOf } from './conditions.ts';
import { mediation, mediationVerdict } from './mediation.ts';
import type { ExamFacts, RunOutcome } from './outcome.ts';
import { digits, interval } from './table.ts';

const range = (e: Pick<Estimate, 'estimate' | 'low' | 'high'>): string => `${digits(e.estimate, true)} ${interval(e, true)}`;

/** Sections of the chain; none without shifts of pictures, or with a single condition. */
export function chainSections(runs: readonly RunOutcome[], exams: readonly ExamFacts[], emid: EmidTable = {}): string[] {
  const conditions = byCondition(runs);
  const [base, ...others] = conditions.keys();
  const cells = chainCells(runs, exams, emid);
  if (cells.length === 0 || others.length === 0) return [];
  const seeds = Math.min(...[...conditions.values()].map(of => of.length));
  /** A look before the end is no test. */
  const said = (word: string): string => (seeds < PLANNED_SEEDS ? `open: ${seeds} of ${PLANNED_SEEDS}` : word);
  const steps = carrying(cells);
  const stepRows = steps.map(({ from, to, correlation: c }) => [
    `${LINK_TITLES[from]} → ${LINK_TITLES[to]}`,
    c ? `${digits(c.r, true)} ${interval(c, true)}` : 'not measured',
    c ? `${c.n}` : '–',
    c ? said(c.low > 0 || c.high < 0 ? 'clear of zero' : 'not shown') : '–',
  ]);
  const forms = CONDITIONS.filter(({ name, tune }) => tune && 'prior' in tune && conditions.has(name)).map(({ name }) => name as string);
  const moveRows = others.map(name => {
    const links = (['jsd', 'emid', 'change'] as const).map(link => {
      const m = moved(cells, name, base, link);
      return m ? range({ estimate: m.difference, low: m.low, high: m.high }) : '–';
    });
    const posteriors = conditions.get(name)!.flatMap(run => run.posterior ?? []);
    const of = (figure: 'kl_visual' | 'used_visual'): number[] => posteriors.flatMap(({ figures }) => figures[figure] ?? []);
    const isMoved = posteriors.length > 0 && klMoves(of('kl_visual'), of('used_visual'));
    const first = forms.includes(name) ? said(firstBreak(cells, name, base, isMoved, steps) ?? 'none') : '–';
    return [titleOf(name), ...links, first];
  });
  const mediated = others.flatMap(name => {
    const m = mediation(cells, name, base);
    return m ? [[titleOf(name), range(m.difference), range(m.carried), range(m.carriedWithin), said(mediationVerdict(m))]] : [];
  });
  return [
    '## The chain: KL → JSD → EMID → accuracy',
    'Under shifts of pictures. Each step by Pearson’s r with Fisher’s interval: of KL with JSD over the conditions that charge one; of the others over conditions and shifts, once each shift’s mean is taken away.',
    markdownTable(['step', 'r', 'points', ''], stepRows),
    `Paired differences to ${titleOf(base)}, seed by seed (t): JSD and EMID in nats; accuracy is that under shift less the clean one. *First break*: the first link that does not move or does not carry.`,
    markdownTable(['', 'JSD', 'EMID', 'accuracy kept', 'first break'], moveRows),
    ...(mediated.length > 0
      ? [
          '## Does the movement carry a difference?',
          'Accuracy kept, the part of it that the slope on JSD accounts for (within shifts, over the runs of both conditions; and within conditions too, which a difference between the two cannot feign), with intervals over seeds and shifts.',
          markdownTable(['', 'difference', 'carried', 'carried, slope within conditions', ''], mediated),
        ]
      : []),
  ];
}
