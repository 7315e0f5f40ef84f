/** @file How a checkpoint wants to be continued: its generation_config.json. */

import { z } from 'zod';
import { readJson } from '../checkpoints/config.ts';
import { join } from '../node/paths.ts';
import { NarrowsError } from '../system/errors.ts';
import type { GenerationOptions } from './generate.ts';

const schema = z.looseObject({
  eos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
  do_sample: z.boolean().nullish(),
  // Defaults of GenerationConfig in transformers, which count only when it samples.
  temperature: z.number().nullish(),
  top_k: z.number().int().nullish(),
  top_p: z.number().nullish(),
  repetition_penalty: z.number().nullish(),
  max_new_tokens: z.number().int().nullish(),
});

/**
 * Options that generation_config.json names, as transformers reads them: without `do_sample` the best token is taken, whatever temperature
 * stands there; with it, temperature 1 and the 50 best tokens are the defaults (`top_k` 0: all).
 * @param eosTokenId `eos_token_id` of the model's config, for where the file is absent or silent
 * @throws NarrowsError naming the key that is wrong
 */
export async function readGenerationDefaults(
  directory: string,
  eosTokenId?: number | readonly number[] | null,
): Promise<GenerationOptions & { readonly eosTokens: readonly number[] }> {
  const path = join(directory, 'generation_config.json');
  const json = await readJson(path).catch(error => {
    if (error?.cause?.code === 'ENOENT') return {};
    throw error;
  });
  const result = schema.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new NarrowsError(`${path}: the key "${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const { eos_token_id, do_sample, temperature, top_k, top_p, repetition_penalty, max_new_tokens } = result.data;
  const eosTokens = [eos_token_id ?? eosTokenId ?? []].flat() as number[];
  const topK = top_k ?? 50;
  return {
    eosTokens,
    ...(do_sample ? { temperature: temperature ?? 1, topP: top_p ?? 1, ...(topK > 0 ? { topK } : {}) } : {}),
    ...(repetition_penalty ? { repetitionPenalty: repetition_penalty } : {}),
    ...(max_new_tokens ? { maxNewTokens: max_new_tokens } : {}),
  };
}
