/** @file What a run writes, for going on and for use: a model directory, with a bottleneck next to it, or an adapter as PEFT stores it. */

import { BOTTLENECK_WEIGHTS } from '../../bottleneck/gaussian/llava.ts';
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, mergeLora, openAdapter, writeAdapter } from '../../checkpoints/peft.ts';
import type { LoraConfig } from '../../checkpoints/peft-layers.ts';
import { readFloats, readTensor, type TensorEntry } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import type { LlavaConfig } from '../../models/llava/config.ts';
import { familyOf } from '../../models/llava/families.ts';
import type { PictureFamily } from '../../models/llava/family.ts';
import { nameInMemory, storedName } from '../../models/llava/layout.ts';
import { rm } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { join } from '../../node/paths.ts';
import type { Parameter } from '../../optim/adamw.ts';
import { type FloatTensor, floats, type Tensor } from '../../tensor/tensor.ts';
import type { LlavaArguments } from './arguments.ts';
import type { Method } from './method.ts';
import { saveLlava } from './save.ts';
import { type LlavaSource, openLlavaWeights } from './source.ts';

/** What is written. */
export interface TrainedModel {
  readonly args: LlavaArguments;
  readonly source: LlavaSource;
  readonly method: Method;
  readonly parameters: readonly Parameter[];
}

const isBottleneck = (name: string): boolean => name.startsWith('bottleneck.');
const argumentsJson = (args: LlavaArguments): string => `${JSON.stringify({ ...args, output_dir: undefined }, null, 2)}\n`;

/** Tensors that were not trained come as they were, trained ones as float32. */
async function* allTensors({ source, parameters }: TrainedModel): AsyncGenerator<[string, Tensor]> {
  const trained = new Map(parameters.map(p => [p.name, p]));
  for (const [name, entry] of source.entries) {
    if (isBottleneck(name)) continue;
    const p = trained.get(name);
    yield [name, p ? floats(p.shape, p.data) : await readTensor(entry)];
  }
}

/**
 * Writes a model directory that LlavaForConditionalGeneration.from_pretrained of transformers and Narrows open, `bottleneck.safetensors`
 * next to it where there is one; for LoRA only the adapter. @throws NarrowsError when a file cannot be written
 */
export async function saveTrained(directory: string, model: TrainedModel): Promise<void> {
  const { args, source, method, parameters } = model;
  if (method.lora) {
    const family = familyOf(source.config);
    const named = (name: string): string => storedName(name, 'new', family?.naming);
    const tensors = new Map(parameters.map(p => [named(p.name), floats(p.shape, p.data)]));
    await writeFileAtomic(join(directory, 'training_args.json'), argumentsJson(args));
    for (const [name, text] of source.changed ?? []) await writeFileAtomic(join(directory, name), text);
    await writeAdapter(directory, { config: family ? peftConfig(method.lora, family) : method.lora, tensors }, source.directory);
    return;
  }
  const { bottleneck } = method;
  const bottleneckTensors = parameters.filter(p => isBottleneck(p.name)).map(p => [p.name, floats(p.shape, p.data)] as const);
  if (bottleneck) await writeSafetensors(join(directory, BOTTLENECK_WEIGHTS), bottleneckTensors);
  const tensors: [string, Tensor][] = [];
  for await (const pair of allTensors(model)) tensors.push(pair);
  const { torch_dtype: _, ...json } = source.json;
  await saveLlava(directory, tensors, {
    config: { ...json, dtype: 'float32', ...(bottleneck ? { bottleneck_config: bottleneck } : {}) },
    files: new Map([...source.files, ['training_args.json', argumentsJson(args)]]),
    layout: source.layout,
    naming: familyOf(source.config)?.naming,
  });
}

/** The adapter's configuration by the module names of a family in Python. */
const peftConfig = (lora: LoraConfig, { peft }: PictureFamily): LoraConfig => ({
  ...lora,
  target_modules: lora.target_modules === 'all-linear' ? peft.linear : lora.target_modules,
  ...(lora.exclude_modules ? { exclude_modules: peft.outside } : {}),
  ...(lora.modules_to_save ? { modules_to_save: [peft.projector] } : {}),
});

/** Writes the finished model of a LoRA run as a plain one: adapters merged into the weights, which become float32. */
export async function saveMerged(directory: string, { args, source, method, parameters }: TrainedModel): Promise<void> {
  const weights = new Map<string, FloatTensor>();
  for (const [name, entry] of source.entries) weights.set(name, floats(entry.shape, await readFloats(entry)));
  const tensors = new Map(parameters.map(p => [p.name, floats(p.shape, p.data)]));
  const { torch_dtype: _, ...json } = source.json;
  await saveLlava(directory, mergeLora(weights, { config: method.lora!, tensors }, source.directory), {
    config: { ...json, dtype: 'float32' },
    files: new Map([...source.files, ['training_args.json', argumentsJson(args)]]),
    layout: source.layout,
    naming: familyOf(source.config)?.naming,
  });
  // With these next to it, transformers would open the base model and the adapter instead.
  for (const name of [ADAPTER_CONFIG, ADAPTER_WEIGHTS]) await rm(join(directory, name), { force: true });
}

/** Where what was trained stands in such a directory, by name in memory. @param config of the model. @throws NarrowsError for a damaged file */
export async function openTrained(
  directory: string,
  { lora, bottleneck }: Method,
  config: LlavaConfig,
): Promise<ReadonlyMap<string, TensorEntry>> {
  const naming = familyOf(config)?.naming;
  if (lora) return (await openAdapter(directory, stored => nameInMemory(stored, naming))).entries;
  return (await openLlavaWeights(directory, bottleneck !== undefined, naming)).entries;
}
