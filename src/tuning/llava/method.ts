/** @file What a run trains, by its method: the projector, the decoder with it, adapters, or both around a bottleneck. */
import { type BottleneckConfig, parseBottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import type { LoraConfig } from '../../checkpoints/peft-layers.ts';
import type { Naming } from '../../models/llava/family.ts';
import { storedName } from '../../models/llava/layout.ts';
import { NarrowsError } from '../../system/errors.ts';
import { trainableNames } from '../freeze.ts';
import type { LlavaArguments, TuneArguments } from './arguments.ts';

/** Module of the projector, as PEFT names it. */
const PROJECTOR_MODULE = 'multi_modal_projector';
const inProjector = (name: string): boolean => name.startsWith(`model.${PROJECTOR_MODULE}.`);
const inTower = (name: string): boolean => name.startsWith('model.vision_tower.');
const inBottleneck = (name: string): boolean => name.startsWith('bottleneck.');

/** What is trained. */
export interface Method {
  /** Whether a tensor of the model is trained; bottlenecks always are, adapters are asked for by `lora`. */
  trainable(name: string): boolean;
  readonly lora?: LoraConfig;
  readonly bottleneck?: BottleneckConfig;
  /** Whether a tensor belongs to the projector, whose learning rate may be another. */
  inProjector(name: string): boolean;
}

/** Block at three quarters of the decoder's depth: 24 of 32, as Vittle has it; never the last one, which nothing would read. */
export const defaultLayer = (layers: number): number => Math.max(0, Math.min(layers - 2, Math.floor((layers * 3) / 4)));

/** How its encoders begin: as asked, else as the start's. @throws NarrowsError (usage) where trained encoders would be read another way */
function initOf(asked: TuneArguments['bottleneck_init'], named: readonly number[], before?: BottleneckConfig) {
  const trained = before && before.control !== 'noise' && before.bottleneck_layers.some(layer => named.includes(layer));
  const was = before?.bottleneck_init ?? 'published';
  if (trained && asked !== undefined && asked !== was)
    throw new NarrowsError(
      `The bottleneck of the start was made with "bottleneck_init": "${was}", and its encoders make no sense with "${asked}"; leave it out, or name other blocks with "bottleneck_layer".`,
      { kind: 'usage' },
    );
  return asked ?? (trained ? was : 'published');
}

/** Keys of config.json that are left out where they have the published form's value. */
function further(args: TuneArguments, init: 'published' | 'pass'): Partial<BottleneckConfig> {
  const { control, noise_variance_visual, noise_variance_text, beta_schedule, kl_charge, free_nats } = args;
  return {
    ...(args.alpha_inference === undefined ? {} : { alpha_inference: args.alpha_inference }),
    ...(init === 'published' ? {} : { bottleneck_init: init }),
    ...(control === undefined ? {} : { control }),
    ...(control === 'noise' && noise_variance_visual !== undefined ? { noise_variance_visual } : {}),
    ...(control === 'noise' && noise_variance_text !== undefined ? { noise_variance_text } : {}),
    ...(beta_schedule === 'constant' ? {} : { beta_schedule }),
    ...(kl_charge === 'dimension' ? {} : { kl_charge }),
    ...(free_nats === 0 ? {} : { free_nats }),
  };
}

/**
 * The bottleneck that the arguments ask for. With `pass` there is no `stream_scale`, unless the start knows that of all layers:
 * `withStreamScale` measures it.
 * @param before the bottleneck that the start has
 * @throws NarrowsError (usage) for a block that the decoder lacks, or trained encoders that would be read another way
 */
export function bottleneckOf(args: TuneArguments, layers: number, before?: BottleneckConfig): BottleneckConfig {
  const { prior, beta_visual, beta_text, alpha_end, alpha_schedule } = args;
  const named = args.bottleneck_layer.length ? args.bottleneck_layer : (before?.bottleneck_layers ?? [defaultLayer(layers)]);
  const init = initOf(args.bottleneck_init, named, before);
  const known = (layer: number) => before?.stream_scale?.[before.bottleneck_layers.indexOf(layer)];
  const { stream_scale, ...config } = parseBottleneckConfig(
    {
      bottleneck_layers: named,
      ...{ prior, beta_visual, beta_text, alpha_end, alpha_schedule, half_log_kl: args.half_log_kl, index_split: args.index_split },
      ...further(args, init),
      ...(init === 'pass' ? { stream_scale: named.map(layer => known(layer) ?? { visual: 1, text: 1 }) } : {}),
    },
    'the training arguments',
    layers,
  );
  return init === 'pass' && named.every(known) ? { ...config, stream_scale } : config;
}

function loraOf(args: TuneArguments): LoraConfig {
  const { lora_r: r, lora_alpha, lora_dropout, lora_target_modules: targets } = args;
  return {
    ...{ r, lora_alpha, lora_dropout, target_modules: targets.length ? targets : 'all-linear', modules_to_save: [PROJECTOR_MODULE] },
    // Names such as q_proj are the tower's too, which stays as it is.
    ...(targets.length ? { exclude_modules: `.*(vision_tower|${PROJECTOR_MODULE}).*` } : {}),
  };
}

/**
 * @param names every tensor of the start, by its name in memory @param layers blocks of the decoder
 * @param start the bottleneck that the start has; how its family's files name tensors, which patterns may go by, too
 * @throws NarrowsError (usage) for a pattern that names no tensor, or where nothing is left to train
 */
export function methodOf(
  args: LlavaArguments,
  names: Iterable<string>,
  layers: number,
  { before, naming }: { readonly before?: BottleneckConfig; readonly naming?: Naming } = {},
): Method {
  const all = [...names];
  const alias = (name: string): string[] => (['old', 'new'] as const).map(layout => storedName(name, layout, naming));
  const left = new Set(trainableNames(all, args.freeze, 'freeze', alias));
  const inScope = (name: string): boolean => (args.method === 'projector' || args.method === 'lora' ? inProjector(name) : !inTower(name));
  const trainable = (name: string): boolean => inBottleneck(name) || (inScope(name) && left.has(name));
  const method =
    args.method === 'lora' ? { lora: loraOf(args) } : args.method === 'vittle' ? { bottleneck: bottleneckOf(args, layers, before) } : {};
  if (args.method !== 'lora' && !all.some(name => trainable(name)) && args.method !== 'vittle')
    throw new NarrowsError('"freeze" leaves nothing to train.', { kind: 'usage' });
  return { trainable, inProjector, ...method };
}
