/**
 * @file LoRA adapters as PEFT stores them: adapter_model.safetensors and adapter_config.json. A tensor's name there is `base_model.model.`
 * and its name in the model; here it is only the name in the model.
 */

import { writeFileAtomic } from '../node/files.ts';
import { join } from '../node/paths.ts';
import { NarrowsError } from '../system/errors.ts';
import { type FloatTensor, floats } from '../tensor/tensor.ts';
import { checkDirectory, openSafetensors, readJson } from './disk.ts';
import { type PeftConfig, parsePeftConfig, peftJson } from './peft-config.ts';
import { isSavedModule, type LoraConfig, loraLayer, loraNames, loraScaling } from './peft-layers.ts';
import { readFloats, type TensorEntry } from './safetensors.ts';
import { writeSafetensors } from './write.ts';

/** The files of an adapter. */
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors';
/** See ADAPTER_WEIGHTS. */
export const ADAPTER_CONFIG = 'adapter_config.json';
const PREFIX = 'base_model.model.';

/** An adapter on disk: nothing but headers has been read. */
export interface StoredAdapter {
  readonly directory: string;
  readonly config: PeftConfig;
  /** By name in the model: `LAYER.lora_A.weight` [r, in], `LAYER.lora_B.weight` [out, r], and tensors of modules that are stored whole. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
}

/** An adapter in memory, names as in StoredAdapter. */
export interface LoraAdapter {
  readonly config: LoraConfig;
  readonly tensors: ReadonlyMap<string, FloatTensor>;
  /** What messages call it. */
  readonly source?: string;
}

/**
 * Opens an adapter's directory.
 * @param nameInMemory from a name that PEFT stored (without its prefix) to the model's: older transformers named modules otherwise
 * @throws NarrowsError for missing files, another kind of adapter, a matrix without its other half, or ranks that disagree
 */
export async function openAdapter(directory: string, nameInMemory: (stored: string) => string = name => name): Promise<StoredAdapter> {
  await checkDirectory(directory);
  const config = parsePeftConfig(await readJson(join(directory, ADAPTER_CONFIG)), join(directory, ADAPTER_CONFIG));
  const path = join(directory, ADAPTER_WEIGHTS);
  const entries = new Map<string, TensorEntry>();
  const asStored = new Map<string, TensorEntry>();
  for (const [stored, entry] of (await openSafetensors(path)).tensors) {
    if (!stored.startsWith(PREFIX))
      throw new NarrowsError(
        `${path}: the tensor "${stored}" does not begin with "${PREFIX}", as PEFT writes; save the adapter with PEFT.`,
      );
    asStored.set(stored.slice(PREFIX.length), entry);
    entries.set(nameInMemory(stored.slice(PREFIX.length)), entry);
  }
  // The configuration names modules as the file does.
  checkPairs(config, asStored, path);
  return { directory, config, entries };
}

/** Reads an adapter as float32. @throws NarrowsError as `openAdapter` */
export async function readAdapter(directory: string, nameInMemory?: (stored: string) => string): Promise<LoraAdapter> {
  const { config, entries } = await openAdapter(directory, nameInMemory);
  const tensors = new Map<string, FloatTensor>();
  for (const [name, entry] of entries) tensors.set(name, floats(entry.shape, await readFloats(entry)));
  return { config, tensors, source: join(directory, ADAPTER_WEIGHTS) };
}

/**
 * Writes both files, the configuration last, so that `PeftModel.from_pretrained(model, directory)` opens them.
 * @param base path or name of the model that the adapter belongs to
 * @throws NarrowsError where matrices and configuration disagree, or a file cannot be written
 */
export async function writeAdapter(directory: string, adapter: LoraAdapter, base?: string): Promise<void> {
  checkPairs(adapter.config, adapter.tensors, join(directory, ADAPTER_WEIGHTS));
  const named = [...adapter.tensors].map(([name, tensor]) => [PREFIX + name, tensor] as const);
  await writeSafetensors(join(directory, ADAPTER_WEIGHTS), named, { format: 'pt' });
  await writeFileAtomic(join(directory, ADAPTER_CONFIG), `${JSON.stringify(peftJson(adapter.config, base), null, 2)}\n`);
}

type Shapes = ReadonlyMap<string, { readonly shape: readonly number[] }>;

/** Both matrices of every layer, of the configuration's rank, and nothing that is neither adapter nor saved module. */
function checkPairs(config: LoraConfig, tensors: Shapes, source: string): void {
  for (const [name, { shape }] of tensors) {
    const layer = loraLayer(name);
    if (layer === undefined) {
      if (isSavedModule(config, name)) continue;
      throw new NarrowsError(
        `${source}: the tensor "${name}" is neither lora_A nor lora_B of a layer, and adapter_config.json does not name its module in modules_to_save.`,
      );
    }
    const { a, b } = loraNames(layer);
    const other = name === a ? b : a;
    if (!tensors.has(other)) throw new NarrowsError(`${source} has "${name}" without "${other}"; the file is incomplete.`);
    const rank = name === a ? shape[0] : shape[1];
    if (shape.length !== 2 || rank !== config.r)
      throw new NarrowsError(
        `${source}: "${name}" has shape [${shape.join(', ')}], but adapter_config.json says r = ${config.r}; they do not belong together.`,
      );
  }
  if (![...tensors.keys()].some(name => loraLayer(name) !== undefined))
    throw new NarrowsError(`${source} has no lora_A or lora_B; it is no LoRA adapter.`);
}

/**
 * Checks that an adapter belongs to a model.
 * @param weights the model's tensors by name; @param model what messages call the model
 * @throws NarrowsError naming the layer that the model lacks, or that has another size
 */
export function checkAdapter(adapter: { readonly tensors: Shapes; readonly source?: string }, weights: Shapes, model = 'the model'): void {
  const { tensors, source = 'The adapter' } = adapter;
  const other = 'it was trained on another model';
  for (const [name, { shape }] of tensors) {
    const layer = loraLayer(name);
    const target = layer === undefined ? name : `${layer}.weight`;
    const weight = weights.get(target)?.shape;
    if (!weight) throw new NarrowsError(`${source} adapts "${layer ?? name}", which ${model} does not have; ${other}.`);
    const fits =
      layer === undefined
        ? shape.join() === weight.join()
        : weight.length === 2 && (name === loraNames(layer).a ? shape[1] === weight[1] : shape[0] === weight[0]);
    if (!fits)
      throw new NarrowsError(
        `${source}: "${name}" has shape [${shape.join(', ')}], which does not fit "${target}" [${weight.join(', ')}] of ${model}; ${other}.`,
      );
  }
}

/** W + s·B·A of one layer, summed in double and rounded once. @param weight [out, in]; @param a [r, in]; @param b [out, r] */
function merged(weight: FloatTensor, a: FloatTensor, b: FloatTensor, scale: number): FloatTensor {
  const [out, width] = weight.shape;
  const [rank] = a.shape;
  const data = new Float32Array(weight.data.length);
  const row = new Float64Array(width);
  for (let i = 0; i < out; i++) {
    row.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = b.data[i * rank + k] * scale;
      for (let j = 0; j < width; j++) row[j] += factor * a.data[k * width + j];
    }
    for (let j = 0; j < width; j++) data[i * width + j] = weight.data[i * width + j] + row[j];
  }
  return floats(weight.shape, data);
}

/**
 * A model's weights with the adapter worked in: W + s·B·A for every adapted layer, saved modules in place of their originals, all else
 * the same tensors. The result is a plain model that computes the same.
 * @throws NarrowsError as `checkAdapter`
 */
export function mergeLora(weights: ReadonlyMap<string, FloatTensor>, adapter: LoraAdapter, model?: string): Map<string, FloatTensor> {
  checkAdapter(adapter, weights, model);
  const result = new Map(weights);
  const { tensors, config } = adapter;
  for (const [name, tensor] of tensors) {
    const layer = loraLayer(name);
    if (layer === undefined) result.set(name, tensor);
    else if (name === loraNames(layer).a)
      result.set(`${layer}.weight`, merged(weights.get(`${layer}.weight`)!, tensor, tensors.get(loraNames(layer).b)!, loraScaling(config)));
  }
  return result;
}
