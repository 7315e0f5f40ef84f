/** @file Fresh weights of a CLIP, as transformers' CLIPPreTrainedModel._init_weights draws them (factor 1), from Philox. */
import type { CLIPConfig } from '../../models/clip/config.ts';
import { initialNormals } from '../../nn/initial.ts';
import type { Parameter } from '../../optim/adamw.ts';
import { sizeOf } from '../../tensor/tensor.ts';

/** Standard deviation of a tensor's initial values, or a constant. */
function initial(name: string, config: CLIPConfig): { std: number } | { value: number } {
  const tower = name.startsWith('text') ? config.text_config : config.vision_config;
  const width = tower.hidden_size;
  if (name === 'logit_scale') return { value: config.logit_scale_init_value };
  if (/norm\w*\.weight$|layrnorm\.weight$/.test(name)) return { value: 1 };
  if (name.endsWith('bias')) return { value: 0 };
  if (/[qkv]_proj|fc2/.test(name)) return { std: width ** -0.5 * (2 * tower.num_hidden_layers) ** -0.5 };
  if (name.includes('fc1')) return { std: (2 * width) ** -0.5 };
  if (/out_proj|projection|class_embedding/.test(name)) return { std: width ** -0.5 };
  return { std: 0.02 };
}

/** @param shapes name -> shape, as recorded by tracing the model */
export function initialiseCLIP(
  config: CLIPConfig,
  shapes: ReadonlyMap<string, { readonly shape: readonly (number | string)[] }>,
  seed: number,
): Parameter[] {
  return [...shapes].map(([name, { shape }]) => {
    const count = sizeOf(shape as number[]);
    const start = initial(name, config);
    const data = 'value' in start ? new Float32Array(count).fill(start.value) : initialNormals(name, count, start.std, seed);
    return { name, shape: shape as number[], data };
  });
}
