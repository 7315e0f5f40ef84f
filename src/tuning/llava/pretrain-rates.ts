/** @file Learning rates of a small LLaVA's pre-training by groups, for a model that begins with words and patches that know each other. */
import type { LlavaConfig } from '../../models/llava/config.ts';
import { decoderConfig } from '../../models/llava/text-config.ts';
import type { Parameter, ParameterGroup } from '../../optim/adamw.ts';

/** Factors of the learning rate. Those of published runs of this recipe's design are the defaults. */
export interface PretrainRates {
  /** Matrices of the blocks; 2 by default: they are fresh, and Muon's steps of equal singular values bear more than AdamW's. */
  readonly blocks?: number;
  /** Of theirs, for queries and keys of head 0; .1 by default: that head matches from the start, and steps of full size would wash it out. */
  readonly matching?: number;
  /** The table of words, which is the head too; .5 by default: the stage on patches taught it, and each update touches few rows often. */
  readonly table?: number;
  /**
   * The projector; .1 by default: it sees already, and answers pull it towards the few questions of a batch. Behind the scale step
   * (`DecoderStart.scale`) its last layer has less by as much as its weights are smaller than .05: a long stage on patches lets patches grow, the
   * scale step shrinks that layer by the same, and steps of one size would then be 4 % of a weight each and drown what patches say.
   */
  readonly projector?: number;
  /** The final norm; .3 by default: it scales all logits at once. */
  readonly norm?: number;
}

const LAST = 'model.multi_modal_projector.linear_2.';
/** Root mean square of the last layer's weights behind a stage on patches that did not let them grow. */
const USUAL_RMS = 0.05;

/** Factor for the projector's last layer, besides the projector's. */
function lastFactor(scaled: readonly Parameter[] | undefined): number {
  const weights = scaled?.find(({ name }) => name === `${LAST}weight`)?.data;
  return weights ? Math.min(1, Math.sqrt(weights.reduce((sum, v) => sum + v * v, 0) / weights.length) / USUAL_RMS) : 1;
}

/**
 * The groups, for `TrainTask.groups`; norms inside the blocks keep the rate as it is.
 * @param scaled the parameters as they begin, where the scale step was taken
 */
export function pretrainGroups(
  config: LlavaConfig,
  { blocks = 2, matching = 0.1, table = 0.5, projector = 0.1, norm = 0.3 }: PretrainRates = {},
  scaled?: readonly Parameter[],
): ParameterGroup[] {
  const rows = { count: decoderConfig(config).head_dim, factor: matching };
  return [
    { matches: name => /\.layers\.\d+\.self_attn\.[qk]_proj\.weight$/.test(name), factor: blocks, rows },
    { matches: name => /\.layers\.\d+\..*_proj\.weight$/.test(name), factor: blocks },
    { matches: name => name === 'model.language_model.embed_tokens.weight', factor: table },
    { matches: name => name.startsWith(LAST), factor: projector * lastFactor(scaled) },
    { matches: name => name.startsWith('model.multi_modal_projector.'), factor: projector },
    { matches: name => name === 'model.language_model.norm.weight', factor: norm },
  ];
}
