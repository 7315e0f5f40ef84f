/** @file adapter_config.json of PEFT (LoraConfig): read with what Narrows does not compute refused, written so that PEFT opens it. */
import { z } from 'zod';
import { NarrowsError } from '../system/errors.ts';
import { ALL_LINEAR, type LoraConfig } from './peft-layers.ts';

const modules = z.union([z.string().min(1), z.array(z.string().min(1))]);

const schema = z.looseObject({
  peft_type: z.string(),
  r: z.number().int().positive().default(8),
  lora_alpha: z.number().positive().default(8),
  lora_dropout: z.number().min(0).lt(1).default(0),
  target_modules: modules,
  exclude_modules: modules.nullish(),
  use_rslora: z.boolean().default(false),
  modules_to_save: z.array(z.string().min(1)).nullish(),
});

/** An adapter's configuration: unknown keys are kept. */
export type PeftConfig = z.infer<typeof schema> & LoraConfig;

const filled = (value: unknown): boolean => {
  if (value === undefined || value === null || value === false) return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || Object.keys(value).length > 0;
};

/** Keys that change what an adapter computes in ways that are not implemented, where they are set. */
const REFUSED = [
  'use_dora',
  'use_qalora',
  'use_bdlora',
  'lora_bias',
  'rank_pattern',
  'alpha_pattern',
  'layers_to_transform',
  'layer_replication',
  'target_parameters',
  'trainable_token_indices',
  'alora_invocation_tokens',
  'arrow_config',
  'kasa_config',
  'velora_config',
  'monteclora_config',
] as const;

/** Initialisations that leave the base weights as they are. */
const PLAIN_STARTS: readonly unknown[] = [undefined, null, true, false, 'gaussian', 'eva', 'orthogonal'];

/** @throws NarrowsError in one sentence for another kind of adapter, a wrong key, or an option that Narrows does not compute */
export function parsePeftConfig(json: unknown, source: string): PeftConfig {
  const given = (typeof json === 'object' && json !== null ? json : {}) as Record<string, unknown>;
  if (given.peft_type !== 'LORA')
    throw new NarrowsError(`${source} is of peft_type ${JSON.stringify(given.peft_type)}; Narrows reads only adapters of the type "LORA".`);
  const result = schema.safeParse(given);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new NarrowsError(`${source}: the key "${issue.path.join('.')}" is wrong (${issue.message}).`);
  }
  const refuse = (key: string): NarrowsError =>
    new NarrowsError(
      `${source} sets "${key}" to ${JSON.stringify(given[key])}, which Narrows does not compute; merge the adapter in Python (merge_and_unload).`,
    );
  for (const key of REFUSED) if (filled(given[key])) throw refuse(key);
  if ((given.bias ?? 'none') !== 'none') throw refuse('bias');
  if (!PLAIN_STARTS.includes(given.init_lora_weights)) throw refuse('init_lora_weights');
  return result.data;
}

/**
 * The keys of adapter_config.json. `all-linear` is written as the pattern it stands for here, because PEFT takes more under that name.
 * @param base what `base_model_name_or_path` says
 */
export function peftJson(config: LoraConfig, base?: string): Record<string, unknown> {
  const { target_modules: targets } = config;
  return {
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    use_rslora: false,
    exclude_modules: null,
    modules_to_save: null,
    ...config,
    base_model_name_or_path: base ?? null,
    target_modules: targets === 'all-linear' ? ALL_LINEAR : targets,
  };
}
