/** @file What became of a run's bottleneck: what it carries at the end, and whether it collapsed or exploded on the way. */
import type { BottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import { BottleneckWatch } from '../../tuning/llava/bottleneck-watch.ts';
import type { MetricsLine } from '../../tuning/tracking/metrics.ts';

/** KL in nats per dimension, share of dimensions in use, posterior variance; image tokens and prompt. */
export const POSTERIOR_FIGURES = ['kl_visual', 'kl_text', 'used_visual', 'used_text', 'variance_visual', 'variance_text'] as const;

/** Of a run with a charged bottleneck. */
export interface PosteriorOutcome {
  /** Means over the last tenth of the run, or of its last line of figures where that lies before; none without lines. */
  readonly figures: Partial<Record<(typeof POSTERIOR_FIGURES)[number], number>>;
  /** See `BottleneckWatch`. */
  readonly warnings: readonly string[];
}

/** Reads a run's course from its lines of figures, all of them: a run that was resumed is judged as one that was not. */
export function posteriorOutcome(
  lines: readonly MetricsLine[],
  config: BottleneckConfig | undefined,
  maxSteps: number,
): PosteriorOutcome | undefined {
  if (!config || config.control) return undefined;
  const watch = new BottleneckWatch(config, maxSteps);
  const warnings = lines.flatMap(line => watch.take(line.step, line));
  const late = lines.filter(({ step }) => step > 0.9 * maxSteps || step === lines.at(-1)!.step);
  const figures = POSTERIOR_FIGURES.flatMap(name => {
    const values = late.flatMap(line => (typeof line[name] === 'number' ? [line[name]] : []));
    return values.length > 0 ? [[name, Number(mean(values).toPrecision(6))] as const] : [];
  });
  return { figures: Object.fromEntries(figures), warnings };
}
