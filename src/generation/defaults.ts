/** @file How a checkpoint wants to be continued: its generation_config.json. */

import { z } from 'zod';
import { readJsonFrom } from '../checkpoints/config.ts';
import { NarrowsError } from '../system/errors.ts';
import { fileIn, isMissing, type ModelFiles } from '../system/model-files.ts';
import type { GenerationOptions } from './options.ts';

const whole = z.number().int();
const ids = z.array(whole.nonnegative());

const schema = z.looseObject({
  eos_token_id: z.union([whole, z.array(whole)]).nullish(),
  do_sample: z.boolean().nullish(),
  // Defaults of GenerationConfig in transformers, which count only when it samples.
  temperature: z.number().nullish(),
  top_k: whole.nullish(),
  top_p: z.number().nullish(),
  min_p: z.number().nullish(),
  repetition_penalty: z.number().nullish(),
  max_new_tokens: whole.nullish(),
  max_length: whole.nullish(),
  min_new_tokens: whole.nullish(),
  min_length: whole.nullish(),
  no_repeat_ngram_size: whole.nullish(),
  bad_words_ids: z.array(ids.min(1)).nullish(),
  suppress_tokens: ids.nullish(),
  begin_suppress_tokens: ids.nullish(),
  stop_strings: z.union([z.string(), z.array(z.string())]).nullish(),
  num_beams: whole.nullish(),
  length_penalty: z.number().nullish(),
  early_stopping: z.union([z.boolean(), z.literal('never')]).nullish(),
});

/** Keys that change what transformers generates and are not supported, with the values at which they change nothing. */
const UNSUPPORTED: Readonly<Record<string, readonly unknown[]>> = {
  assistant_early_exit: [],
  constraints: [],
  diversity_penalty: [0],
  dola_layers: [],
  encoder_no_repeat_ngram_size: [0],
  encoder_repetition_penalty: [1],
  epsilon_cutoff: [0],
  eta_cutoff: [0],
  exponential_decay_length_penalty: [],
  force_words_ids: [],
  forced_bos_token_id: [],
  forced_decoder_ids: [],
  forced_eos_token_id: [],
  guidance_scale: [1],
  max_time: [],
  num_beam_groups: [1],
  num_return_sequences: [1],
  penalty_alpha: [0],
  prompt_lookup_num_tokens: [],
  remove_invalid_values: [false],
  renormalize_logits: [false],
  sequence_bias: [],
  token_healing: [false],
  top_h: [],
  typical_p: [1],
  watermarking_config: [],
};

/** What generation_config.json says. */
export interface GenerationDefaults {
  readonly defaults: GenerationOptions & { readonly eosTokens: readonly number[] };
  /** `max_length`: tokens of prompt and answer together, where `max_new_tokens` is not given. */
  readonly maxLength?: number;
  /** What was ignored, one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Options of a parsed generation_config.json, as transformers reads it: without `do_sample` the best token is taken, whatever temperature stands
 * there; with it, temperature 1 and the 50 best tokens are the defaults (`top_k` 0: all).
 * @param eosTokenId `eos_token_id` of the model's config, for where the file is silent
 * @throws NarrowsError naming the key that is wrong
 */
export function defaultsOf(json: unknown, path: string, eosTokenId?: number | readonly number[] | null): GenerationDefaults {
  const result = schema.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new NarrowsError(`${path}: the key "${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const c = result.data;
  const topK = c.top_k ?? 50;
  const beams = c.num_beams ?? 1;
  const given = Object.entries(c).filter(([, value]) => value !== null);
  const over = given.filter(([key, value]) => Object.hasOwn(UNSUPPORTED, key) && !UNSUPPORTED[key].includes(value)).map(([key]) => key);
  const warnings = [
    ...(over.length
      ? [
          `${path}: ${over.join(', ')} ${over.length > 1 ? 'are' : 'is'} not supported and ignored; answers may differ from those of transformers.`,
        ]
      : []),
    ...(c.do_sample && beams > 1
      ? [`${path}: num_beams ${beams} is ignored, since do_sample draws tokens; for beam search give a temperature of 0 with it.`]
      : []),
  ];
  const set = <T>(value: T | null | undefined, name: keyof GenerationOptions): Partial<GenerationOptions> =>
    value === null || value === undefined || value === 0 ? {} : { [name]: value };
  const defaults = {
    eosTokens: [c.eos_token_id ?? eosTokenId ?? []].flat() as number[],
    ...(c.do_sample ? { temperature: c.temperature ?? 1, topP: c.top_p ?? 1, ...set(c.min_p, 'minP'), ...(topK > 0 ? { topK } : {}) } : {}),
    ...set(c.repetition_penalty, 'repetitionPenalty'),
    ...set(c.max_new_tokens, 'maxNewTokens'),
    ...set(c.min_new_tokens, 'minNewTokens'),
    ...set(c.min_length, 'minLength'),
    ...set(c.no_repeat_ngram_size, 'noRepeatNgramSize'),
    ...set(c.bad_words_ids, 'badWordsIds'),
    ...set(c.suppress_tokens, 'suppressTokens'),
    ...set(c.begin_suppress_tokens, 'beginSuppressTokens'),
    ...(c.stop_strings?.length ? { stop: [c.stop_strings].flat() } : {}),
    ...(beams > 1 && !c.do_sample
      ? {
          numBeams: beams,
          ...(c.length_penalty === null || c.length_penalty === undefined ? {} : { lengthPenalty: c.length_penalty }),
          ...set(c.early_stopping, 'earlyStopping'),
        }
      : {}),
  };
  return { defaults, ...(c.max_length && !c.max_new_tokens ? { maxLength: c.max_length } : {}), warnings };
}

/** Name of the file. */
const FILE = 'generation_config.json';

/** Reads a checkpoint's generation_config.json; where there is none the model's config decides. @throws as `defaultsOf` */
export async function readGenerationDefaultsFrom(
  files: ModelFiles,
  eosTokenId?: number | readonly number[] | null,
): Promise<GenerationDefaults> {
  const json = await readJsonFrom(files, FILE).catch(error => {
    if (isMissing(error)) return {};
    throw error;
  });
  return defaultsOf(json, fileIn(files, FILE), eosTokenId);
}
