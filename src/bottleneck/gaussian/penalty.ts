/** @file What a Gaussian bottleneck costs: KL means over the tokens that pay, and nats per token. */
import { add, cast, div, equal, exp, max, maximum, mean, mul, scalar, sub, sum, type Value, where } from '../../graph/index.ts';
import { MODALITY } from '../../models/llava/placement.ts';
import { type BottleneckConfig, type BottleneckModality, modalitiesAt } from './config.ts';
import { gaussianKl } from './kl.ts';
import type { BottleneckState } from './module.ts';

/** Which tokens there are, and which are answers. */
export interface PayingTokens {
  /** int32 [B, T]: MODALITY */
  readonly modality: Value;
  /** int32 [B, T], −100 = not supervised: the prompt, which pays; answers do not */
  readonly labels: Value;
  /** int32 [B, T]: isolated turns (see `DecoderInputs`). A token of the prefix then counts once for each turn that reads it. */
  readonly turns?: Value;
}

/** How often each token counts, [B, T]: as in one row per turn, where each has its own copy of the prefix. */
const copies = (turns: Value): Value => {
  const number = cast(turns, 'float32');
  return where(equal(turns, 0), max(number, -1, true), 1);
};

/** The cost of one layer's bottleneck. */
export interface BottleneckPenalty {
  /** Scalars: KL in nats per dimension, mean over the tokens that pay × dimensions (as the released code averages); 0 without any. */
  readonly visual: Value;
  readonly text: Value;
  /** Scalars: mean posterior variance over the same. */
  readonly visualVariance: Value;
  readonly textVariance: Value;
  /** [B, T]: the exact KL of each token's posterior to its prior, nats, whether it pays or not. */
  readonly perToken: Value;
}

/** The exact KL of each token's posterior to its prior: nats, sum over dimensions, [B, T]. */
export const tokenNats = (state: BottleneckState): Value => sum(gaussianKl(state, state.prior), -1);

/**
 * Who pays: every image token, and prompt tokens of text (not supervised, no padding). With `index_split` "visual" is what the released
 * code takes for it, padding included.
 */
export function bottleneckPenalty(config: BottleneckConfig, state: BottleneckState, tokens: PayingTokens): BottleneckPenalty {
  const { modality, labels, turns } = tokens;
  const as = (condition: Value): Value => cast(condition, 'float32');
  const visual = as(state.visual);
  const prompt = mul(as(equal(labels, -100)), sub(1, as(equal(modality, MODALITY.padding))));
  const once = { visual, text: mul(prompt, sub(1, visual)) };
  const pay = turns ? { visual: mul(once.visual, copies(turns)), text: mul(once.text, copies(turns)) } : once;
  const kl = mean(gaussianKl(state, state.prior, config.half_log_kl), -1);
  const variance = mean(exp(state.logVariance), -1);
  const over = (values: Value, who: BottleneckModality): Value =>
    modalitiesAt(config, state.layer).includes(who) ? div(sum(mul(values, pay[who])), maximum(sum(pay[who]), 1)) : scalar(0);
  return {
    visual: over(kl, 'visual'),
    text: over(kl, 'text'),
    visualVariance: over(variance, 'visual'),
    textVariance: over(variance, 'text'),
    perToken: tokenNats(state),
  };
}

/** The same over several layers: the mean, so that β means the same for any number of them. */
export function meanPenalty(penalties: readonly BottleneckPenalty[], of: Exclude<keyof BottleneckPenalty, 'perToken'>): Value {
  const total = penalties.map(penalty => penalty[of]).reduce((a, b) => add(a, b));
  return penalties.length > 1 ? mul(total, 1 / penalties.length) : total;
}
