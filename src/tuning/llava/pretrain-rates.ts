/** @file Learning rates of a small LLaVA's pre-training by groups, for a model that begins with words and patches that know each other. */
import type { LlavaConfig } from '../../models/llava/config.ts';
import { decoderConfig } from '../../models/llava/text-config.ts';
import type { ParameterGroup } from '../../optim/adamw.ts';

/** Factors of the learning rate. Those of published runs of this recipe's design are the defaults. */
export interface PretrainRates {
  /** Matrices of the blocks; 2 by default: they are fresh, and Muon's steps of equal singular values bear more than AdamW's. */
  readonly blocks?: number;
  /** Of theirs, for queries and keys of head 0; .1 by default: that head matches from the start, and steps of full size would wash it out. */
  readonly matching?: number;
  /** The table of words, which is the head too; .5 by default: the stage on patches taught it, and each update touches few rows often. */
  readonly table?: number;
  /** The projector; .1 by default: it sees already, and answers pull it towards the few questions of a batch. */
  readonly projector?: number;
  /** The final norm; .3 by default: it scales all logits at once. */
  readonly norm?: number;
}

/** The groups, for `TrainTask.groups`; norms inside the blocks keep the rate as it is. */
export function pretrainGroups(
  config: LlavaConfig,
  { blocks = 2, matching = 0.1, table = 0.5, projector = 0.1, norm = 0.3 }: PretrainRates = {},
): ParameterGroup[] {
  const rows = { count: decoderConfig(config).head_dim, factor: matching };
  return [
    { matches: name => /\.layers\.\d+\.self_attn\.[qk]_proj\.weight$/.test(name), factor: blocks, rows },
    { matches: name => /\.layers\.\d+\..*_proj\.weight$/.test(name), factor: blocks },
    { matches: name => name === 'model.language_model.embed_tokens.weight', factor: table },
    { matches: name => name.startsWith('model.multi_modal_projector.'), factor: projector },
    { matches: name => name === 'model.language_model.norm.weight', factor: norm },
  ];
}
