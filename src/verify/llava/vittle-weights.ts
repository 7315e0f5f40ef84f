/** @file Names, settings and starting weights of a Vittle reference. */

import { type BottleneckConfig, parseBottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { bottleneckTensors } from '../../bottleneck/gaussian/module.ts';
import { openSafetensors } from '../../checkpoints/disk.ts';
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import { loadReport, reportSentence } from '../../nn/parameters.ts';
import { access } from '../../node/disk.ts';
import { dirname, join } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import type { NoInputs } from '../attribution-inputs.ts';
import { readWeights } from '../gradients.ts';
import type { ReferenceFile } from '../reference.ts';
import type { LlavaContext } from './inputs.ts';

/** Tensors of a bottleneck as references name them: `bottleneck_v.fc1.weight`, `bottleneck_t.prior_logvar`. */
export const BOTTLENECK = /^bottleneck_([vt])\.(fc[12]\.(?:weight|bias)|prior_mean|prior_logvar)$/;

/** What a Vittle reference was made with. */
export interface VittleSettings {
  readonly layer: number;
  readonly alpha: number;
  /** Weight of both KL terms, of AdamW's decay, its learning rate and its clip. */
  readonly beta: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly maxGradNorm: number;
  readonly config: BottleneckConfig;
}

/** Reads the settings, with the script's own numbers for those of the optimiser. @throws NarrowsError for one that is missing or wrong */
export function vittleSettings(reference: ReferenceFile, layers: number): VittleSettings {
  const needed = (name: string): number => {
    const value = reference.setting(name);
    if (value === undefined)
      throw new NarrowsError(`The settings of ${reference.path} have no "${name}"; docs/verify.md says what it means.`);
    return value;
  };
  const layer = needed('bottleneck_layer');
  const beta = reference.setting('beta') ?? 0.1;
  const config = parseBottleneckConfig(
    {
      bottleneck_layers: [layer],
      prior: reference.settings.learnable_prior === true ? 'learnable' : 'fixed',
      beta_visual: beta,
      beta_text: beta,
      index_split: reference.settings.index_split === true,
      half_log_kl: reference.settings.half_log_kl === true,
    },
    `The settings of ${reference.path}`,
    layers,
  );
  return {
    layer,
    beta,
    config,
    alpha: needed('alpha'),
    learningRate: reference.setting('lr') ?? 1e-3,
    weightDecay: reference.setting('weight_decay') ?? 0.01,
    maxGradNorm: reference.setting('max_grad_norm') ?? 1,
  };
}

/** A reference's name of a tensor of the bottleneck as checkpoints have it; other names stay. */
export function storedBottleneckName(name: string, layer: number): string {
  const found = BOTTLENECK.exec(name);
  if (!found) return name;
  const tensor = found[2].replace('prior_mean', 'prior.mean').replace('prior_logvar', 'prior.log_variance');
  return `bottleneck.${layer}.${found[1] === 'v' ? 'visual' : 'text'}.${tensor}`;
}

/**
 * Whether the reference's `bottleneck_*` are the weights behind its AdamW steps (a script that keeps references to PyTorch's parameters
 * and saves them at the end writes those): then one that is also kept as `adamw.after.…` is the same.
 */
export async function endsBehindSteps(reference: ReferenceFile): Promise<boolean> {
  const after = reference.names.find(name => BOTTLENECK.test(name) && name.includes('fc') && reference.has(`adamw.after.${name}`));
  if (!after) return false;
  const [first, kept] = [await reference.floats(after), await reference.floats(`adamw.after.${after}`)];
  return first.data.every((value, i) => value === kept.data[i]);
}

/**
 * The bottleneck's weights with which a reference was computed, by the names of checkpoints: from the file given by the user, from
 * vittle-start.safetensors next to the reference, from the reference itself, or the checkpoint's own.
 * @returns the weights and the file they come from, or why there are none
 * @throws NarrowsError for a file with missing or mis-shaped tensors
 */
export async function startingBottleneck(
  { model, reference }: LlavaContext,
  { layer, config }: VittleSettings,
): Promise<{ weights: Record<string, FloatTensor>; path: string } | NoInputs> {
  const nearby = join(dirname(reference.path), 'vittle-start.safetensors');
  const isNearby = await access(nearby).then(
    () => true,
    () => false,
  );
  const path = model.startPath ?? (isNearby ? nearby : (await endsBehindSteps(reference)) ? undefined : reference.path);
  if (path === undefined && !model.bottleneck)
    return {
      reason:
        'the bottleneck weights in the file are those behind its AdamW steps; give those of before with --bottleneck FILE, or as vittle-start.safetensors next to it',
    };
  const stored: ReadonlyMap<string, TensorEntry> = path === undefined ? model.bottleneck!.entries : (await openSafetensors(path)).tensors;
  const entries = new Map([...stored].map(([name, entry]) => [storedBottleneckName(name, layer), entry]));
  const from = path ?? `the bottleneck of ${model.name}`;
  const wanted = bottleneckTensors(config, model.llava.config.text_config.hidden_size);
  const problem = reportSentence(loadReport(wanted, entries), from);
  if (problem) throw new NarrowsError(problem);
  // Priors that are fixed take no part, but may be among the values to compare.
  const names = [...entries.keys()].filter(name => name.startsWith(`bottleneck.${layer}.`));
  return { weights: await readWeights(entries, names), path: from };
}
