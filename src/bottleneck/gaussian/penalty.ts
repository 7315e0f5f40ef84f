/** @file What a Gaussian bottleneck costs: KL means over the tokens that pay, and nats per token. */
import {
  add,
  cast,
  div,
  equal,
  exp,
  greater,
  max,
  maximum,
  mean,
  mul,
  scalar,
  sub,
  sum,
  unsqueeze,
  type Value,
  where,
} from '../../graph/index.ts';
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
  /**
   * Scalars that β weighs: the KL above, or with `kl_charge: token` d times it (the sum over dimensions, a mean over tokens). With `free_nats` λ
   * only what is over λ: per dimension mean_j max(0, KL_j − λ), where KL_j is dimension j's mean over the paying tokens of the micro-batch
   * (Kingma et al., arXiv 1606.04934, with each dimension a group; theirs is max(λ, KL_j), which has the same gradient); per token
   * max(0, Σ_j KL_j − λ) of each.
   */
  readonly visualCharge: Value;
  readonly textCharge: Value;
  /** Scalars: share of dimensions whose exact KL, a mean over the same tokens, is above `IN_USE`. */
  readonly visualUsed: Value;
  readonly textUsed: Value;
  /** Scalars: mean posterior variance over the same. */
  readonly visualVariance: Value;
  readonly textVariance: Value;
  /** [B, T]: the exact KL of each token's posterior to its prior, nats, whether it pays or not. */
  readonly perToken: Value;
}

/** Nats from which on a dimension is in use: what a channel of signal-to-noise ratio 0.1 carries (½ ln 1.1 = 0.048). */
export const IN_USE = 0.05;

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
  const exact = gaussianKl(state, state.prior);
  const elements = config.half_log_kl ? gaussianKl(state, state.prior, true) : exact;
  const kl = mean(elements, -1);
  const variance = mean(exp(state.logVariance), -1);
  const passes = (who: BottleneckModality): boolean => modalitiesAt(config, state.layer).includes(who);
  const over = (values: Value, who: BottleneckModality): Value =>
    passes(who) ? div(sum(mul(values, pay[who])), maximum(sum(pay[who]), 1)) : scalar(0);
  /** Mean over the tokens that pay, [d]. */
  const perDimension = (values: Value, who: BottleneckModality): Value =>
    div(sum(mul(values, unsqueeze(pay[who], -1)), [0, 1]), maximum(sum(pay[who]), 1));
  const { kl_charge: charge = 'dimension', free_nats: free = 0 } = config;
  const charged = (who: BottleneckModality, asPublished: Value): Value => {
    if (charge === 'dimension' && free === 0) return asPublished;
    if (!passes(who)) return scalar(0);
    if (charge === 'dimension') return mean(maximum(sub(perDimension(elements, who), free), 0));
    const tokens = sum(elements, -1);
    return over(free > 0 ? maximum(sub(tokens, free), 0) : tokens, who);
  };
  const used = (who: BottleneckModality): Value => (passes(who) ? mean(as(greater(perDimension(exact, who), scalar(IN_USE)))) : scalar(0));
  const [visualKl, textKl] = [over(kl, 'visual'), over(kl, 'text')];
  return {
    visual: visualKl,
    text: textKl,
    visualCharge: charged('visual', visualKl),
    textCharge: charged('text', textKl),
    visualUsed: used('visual'),
    textUsed: used('text'),
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
