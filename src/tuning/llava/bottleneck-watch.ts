/** @file What a Vittle run is watched for: a posterior that stays at its prior, and a KL that explodes; and its figures for the line of progress. */
import type { BottleneckConfig, BottleneckModality } from '../../bottleneck/gaussian/config.ts';
import { IN_USE } from '../../bottleneck/gaussian/penalty.ts';
import { formatNumber } from '../../system/format.ts';

/** Share of the run after which a posterior may be judged. */
const JUDGED_AFTER = 0.1;
/** Share of dimensions in use from which on a small mean is no collapse: few dimensions may carry all there is. */
const FEW = 0.25;
/** A KL explodes where it is above both: nats per dimension (a posterior √20 priors away), and times its first figure. */
const LARGE = 10;
const GROWN = 4;

/** Mean posterior variance below which some updates of a line had no such tokens, and counted as 0. */
const MIXED = 0.9;

type Figures = Readonly<Record<string, unknown>>;

/**
 * Share of a line's updates that had tokens of a modality: updates of text only count as 0 in every mean. A posterior at its prior N(0, I) has
 * a variance of 1, so the mean variance is that share; of one that knows more than its prior it is less, which only makes the watch silent.
 */
function presence(variance: unknown): number {
  return typeof variance === 'number' && variance > 0 && variance < MIXED ? variance : 1;
}
const SIDES = ['visual', 'text'] as const;
const WORDS: Readonly<Record<BottleneckModality, string>> = { visual: 'image', text: 'prompt' };

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** `KL 0.031/0.24, in use 12/80 %`: nats per dimension and share of dimensions, image and prompt. Empty where nothing is charged. */
export function bottleneckStatus(figures: Figures): string {
  const { kl_visual: v, kl_text: t, used_visual: uv, used_text: ut } = figures as Record<string, number | undefined>;
  if (v === undefined || t === undefined) return '';
  const used = uv === undefined || ut === undefined ? '' : `, in use ${Math.round(100 * uv)}/${percent(ut)}`;
  return `KL ${formatNumber(v)}/${formatNumber(t)}${used}`;
}

/** What may be turned where a posterior stays at its prior. */
function remedies(config: BottleneckConfig, side: BottleneckModality): string {
  const passes = config.bottleneck_init === 'pass';
  return [
    `lower --beta-${side} (now ${side === 'visual' ? config.beta_visual : config.beta_text})`,
    ...(passes ? [] : ['begin by passing the hidden state on (--bottleneck-init pass)']),
    ...(config.beta_schedule === 'after_alpha' ? [] : ['charge only once alpha has risen (--beta-schedule after_alpha)']),
    ...(config.free_nats ? [] : ['leave some nats free (--free-nats)']),
  ].join(', or ');
}

/** What may be turned where the KL explodes. */
const calmer = (config: BottleneckConfig, side: BottleneckModality): string =>
  [
    'lower --learning-rate',
    `raise --beta-${side} (now ${side === 'visual' ? config.beta_visual : config.beta_text})`,
    ...(config.bottleneck_init === 'pass' ? [] : ['see the stream in units of its size (--bottleneck-init pass)']),
  ].join(', or ');

/** Takes the figures of a run line by line; each trouble of a modality is said once. */
export class BottleneckWatch {
  private readonly first: Partial<Record<BottleneckModality, number>> = {};
  private readonly said = new Set<string>();

  /** @param maxSteps updates of the whole run */
  constructor(
    private readonly config: BottleneckConfig,
    private readonly maxSteps: number,
  ) {}

  /**
   * @param step updates made @param figures means since the last line, as in metrics.jsonl
   * @returns sentences to warn with: from a tenth of the run on, where a modality's KL is below `IN_USE` nats per dimension with less than a
   *   quarter of its dimensions in use; at any time, where it is above 10 nats and four times its first figure
   */
  take(step: number, figures: Figures): string[] {
    return SIDES.flatMap(side => {
      const [mean, meanUsed] = [figures[`kl_${side}`], figures[`used_${side}`]];
      // 0 exactly: no such tokens, or the bottleneck does not act on them.
      if (typeof mean !== 'number' || typeof meanUsed !== 'number' || mean === 0) return [];
      const present = presence(figures[`variance_${side}`]);
      const [kl, used] = [mean / present, Math.min(1, meanUsed / present)];
      this.first[side] ??= kl;
      const where = `after ${step} of ${this.maxSteps} updates`;
      const out: string[] = [];
      if (step >= JUDGED_AFTER * this.maxSteps && kl < IN_USE && used < FEW && this.once(`prior ${side}`))
        out.push(
          `The posterior of ${WORDS[side]} tokens is at its prior ${where}: KL ${formatNumber(kl)} nats per dimension (below ${IN_USE}), ${percent(used)} of dimensions in use, so the bottleneck passes on noise; ${remedies(this.config, side)}.`,
        );
      if (kl > LARGE && kl > GROWN * this.first[side]! && this.once(`large ${side}`))
        out.push(
          `The KL of ${WORDS[side]} tokens explodes: ${formatNumber(kl)} nats per dimension ${where}, ${formatNumber(this.first[side]!)} at first; ${calmer(this.config, side)}.`,
        );
      return out;
    });
  }

  private once(key: string): boolean {
    if (this.said.has(key)) return false;
    this.said.add(key);
    return true;
  }
}
