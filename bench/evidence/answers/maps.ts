/** @file Methods and settings by metrics on answers: one cell per question and map. */
import { AnswerAttributor, answerModelOf } from '../../../src/attribution/answers/answer-attributor.ts';
import type { MethodEntry } from '../../../src/attribution/method.ts';
import { answerMethods, findMethod } from '../../../src/attribution/registry.ts';
import { groundingOf } from '../../../src/evaluation/answers/grounding.ts';
import { mapAgreement } from '../../../src/evaluation/answers/map-movement.ts';
import type { RandomisedAnswers } from '../../../src/evaluation/answers/randomised.ts';
import { answerSample, gamesOfQuestion } from '../../../src/evaluation/answers/sample.ts';
import type { MetricSample } from '../../../src/evaluation/metrics/metric.ts';
import { findMetric, type MetricName } from '../../../src/evaluation/metrics/registry.ts';
import { type Case, type Figures, kept, type Study, VALUES } from './study.ts';

/** Read off the map and the place of the thing. */
export const LOCATED: readonly MetricName[] = ['energy-pointing-game', 'pointing-game'];
/** Ask the model what remains without patches. */
export const FAITHFUL: readonly MetricName[] = ['insertion', 'deletion', 'p-faithfulness'];
/** Ask for the map again. */
export const AGAIN: readonly MetricName[] = ['prompt-randomisation'];
/** Ask models that were drawn again in part: see `judgeSanity`. */
export const SANITY = ['parameter-randomisation', 'untrained: correlation', 'untrained: energy', 'untrained: p-faithfulness'] as const;
/** Maps whose sanity is checked. */
const CHECKED = ['m2ib, layer -1', 'saliency', 'input-x-gradient', 'hires-cam', 'chefer', 'random'];
const OPTIONS: Partial<Record<MetricName, object>> = {
  'p-faithfulness': { samples: 64 },
  insertion: { steps: 8 },
  deletion: { steps: 8 },
  'parameter-randomisation': { depth: 2 },
};
/** Gates as they were optimised by default until 30 November 2026; the rows of settings still are. */
export const NOISY = { steps: 10, learningRate: 1, quietSteps: 0, learningRateSchedule: 'constant' };
/** The default of 30 November 2026, for a day; pairs have it still. */
const SIX = { steps: 6, learningRateSchedule: 'constant' };
/** Fewer samples than the defaults: on squares of two patches a side there are 16 players. */
const FEW: Readonly<Record<string, object>> = {
  rise: { samples: 64, block: 2 },
  lime: { samples: 64, block: 2 },
  'kernel-shap': { samples: 64, block: 2 },
  shapley: { samples: 64, block: 2 },
  banzhaf: { samples: 64, block: 2 },
  smoothgrad: { nSamples: 10 },
  'integrated-gradients': { nSteps: 20 },
};
/** Methods that take dozens of passes a map. */
const COSTLY = ['layer-integrated-gradients', 'nib', 'gated-gradients', 'occlusion', ...Object.keys(FEW)];
const OTHERWISE: Readonly<Record<string, object>> = { ...FEW, 'm2ib-token': NOISY, 'gated-gradients': NOISY };

/** A map that is judged. */
export interface Variant {
  readonly name: string;
  readonly entry: MethodEntry;
  readonly options: object;
  /** It is asked on every so many-th question: 1, a setting of M2IB 4, a map of dozens of passes 8. */
  readonly every: number;
}

/** All methods as they come, and M2IB's settings one by one. */
export function variants(study: Study): Variant[] {
  const m2ib = findMethod('m2ib') as MethodEntry;
  const of = (name: string, options: object, every: number): Variant => ({ name, entry: m2ib, options: { ...NOISY, ...options }, every });
  const { layers } = answerModelOf(study.chat);
  const beta = 10;
  return [
    ...Array.from({ length: layers }, (_, i) => of(`m2ib, layer ${i - 1}`, { layer: i - 1, beta }, i === 0 ? 1 : 4)),
    ...[1, 3, 30].map(other => of(`m2ib, layer -1, beta ${other}`, { layer: -1, beta: other }, 4)),
    ...answerMethods()
      .filter(({ name }) => name !== 'm2ib')
      .map(entry => ({
        name: entry.name,
        entry,
        options: OTHERWISE[entry.name] ?? {},
        every: COSTLY.includes(entry.name) ? 8 : 1,
      })),
    of('m2ib, layer -1, 5 steps', { layer: -1, beta, steps: 5 }, 8),
    of('m2ib, layer -1, 20 steps', { layer: -1, beta, steps: 20 }, 8),
    { name: 'm2ib, six steps', entry: m2ib, options: SIX, every: 1 },
    { name: 'm2ib, settle', entry: m2ib, options: { settle: true }, every: 8 },
    { name: 'm2ib', entry: m2ib, options: {}, every: 1 },
  ];
}

/** Computes what is missing of maps and metrics. */
export class MapJudge {
  private readonly attributors: readonly AnswerAttributor[];

  constructor(
    private readonly study: Study,
    private readonly list: readonly Variant[],
  ) {
    this.attributors = list.map(({ entry, options }) => new AnswerAttributor(entry, study.chat, { ...options }));
  }

  /**
   * @param n the question's place: dear maps are asked on fewer of them
   * @param worth whether metrics that ask the model are computed, too: they cost most
   */
  async judge(asked: Case, n: number, worth: boolean): Promise<void> {
    const games = gamesOfQuestion(this.study.chat, asked, this.study.graphs.keep);
    for (const [i, { name, every }] of this.list.entries()) {
      if (n % every !== 0) continue;
      const metrics = worth ? [...LOCATED, ...FAITHFUL] : LOCATED;
      const { [FAITHFUL[0]]: known } = await this.study.cell(['map', asked.key, name], () => this.figures(i, asked, games, metrics));
      if (worth && known === undefined) await this.study.cell(['worth', asked.key, name], () => this.figures(i, asked, games, FAITHFUL));
      // Maps of dozens of passes are not asked for a second time.
      if (every < 8) await this.study.cell(['again', asked.key, name], () => this.figures(i, asked, games, AGAIN));
    }
  }

  /**
   * Parameter randomisation, and the control of an untrained model: its map of the same answer, judged by the trained one.
   * @param untrained copies of the study's model
   */
  async judgeSanity(asked: Case, untrained: RandomisedAnswers): Promise<void> {
    const games = gamesOfQuestion(this.study.chat, asked, this.study.graphs.keep);
    for (const [i, { name }] of this.list.entries()) {
      if (!CHECKED.includes(name)) continue;
      await this.study.cell(['sanity', asked.key, name], async () => {
        const attributor = this.attributors[i];
        const result = await attributor.attribute(asked.pair, { ...VALUES, modality: 'image', seed: 0 });
        const sample = answerSample(attributor, asked, result, games, { randomised: untrained });
        const value = (metric: MetricName, of: MetricSample): Promise<number> | number => {
          const entry = findMetric(metric)!;
          return entry.evaluate(of, entry.schema.parse(OPTIONS[metric] ?? {}) as never);
        };
        const blocks = answerModelOf(this.study.chat).layers + 1;
        const other = { ...sample, map: await sample.explain!({ randomisedBlocks: blocks }) };
        return {
          'parameter-randomisation': kept(await value('parameter-randomisation', sample)),
          'untrained: correlation': kept(mapAgreement(sample.map, other.map)),
          'untrained: energy': kept(await value('energy-pointing-game', other)),
          'untrained: p-faithfulness': kept(await value('p-faithfulness', other)),
        };
      });
    }
  }

  private async figures(
    i: number,
    asked: Case,
    games: ReturnType<typeof gamesOfQuestion>,
    metrics: readonly MetricName[],
  ): Promise<Figures> {
    const attributor = this.attributors[i];
    const started = process.cpuUsage();
    const result = await attributor.attribute(asked.pair, { ...VALUES, seed: 0 });
    const { user, system } = process.cpuUsage(started);
    const figures: Figures = { ms: Math.round((user + system) / 1000), 'image share': kept(groundingOf(result).imageShare) };
    const sample = answerSample(attributor, asked, result, games);
    for (const name of metrics) {
      const metric = findMetric(name)!;
      figures[name] = kept(await metric.evaluate(sample, metric.schema.parse(OPTIONS[name] ?? {}) as never));
    }
    return figures;
  }

  async release(): Promise<void> {
    for (const attributor of this.attributors) await attributor.release();
  }
}
