/**
 * @file What the attributions and metrics of a reference file were computed from: one pair of pixels and ids, in the file itself, in the
 * one that `--inputs` names, or in `outputs.safetensors` next to it; the settings `pair` and `vision_layer` say the rest.
 */
import { dirname, join } from '../node/paths.ts';
import { messageOf, NarrowsError } from '../system/errors.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../tensor/tensor.ts';
import type { VerifyContext } from './checker.ts';
import { ReferenceFile } from './reference.ts';
import type { TensorPairs } from './tensor-run.ts';

/** One pair, as `explainTensors` takes it: pixels [1, 3, H, W] and the caption's own ids [1, n], without padding. */
export interface AttributionInputs extends TensorPairs {
  /** Index of the pair in the inputs' file. */
  readonly pair: number;
}

/** Why there are none. */
export interface NoInputs {
  readonly reason: string;
}

/** The file that holds the input `name`. */
export async function fileWithInput(
  { reference, inputsPath }: Pick<VerifyContext, 'reference' | 'inputsPath'>,
  name: string,
): Promise<ReferenceFile | NoInputs> {
  if (inputsPath !== undefined) {
    const given = await ReferenceFile.open(inputsPath);
    if (!given.has(name)) throw new NarrowsError(`${inputsPath}, given as --inputs, has no ${name}.`);
    return given;
  }
  if (reference.has(name)) return reference;
  const nearby = join(dirname(reference.path), 'outputs.safetensors');
  try {
    const file = await ReferenceFile.open(nearby);
    return file.has(name) ? file : { reason: `neither the file nor outputs.safetensors next to it has ${name}` };
  } catch (error) {
    return { reason: `the file has no ${name}, and outputs.safetensors next to it does not help (${messageOf(error)})` };
  }
}

/** Row `pair` of an input, [1, …]. */
export async function inputRow(context: VerifyContext, name: string, pair: number, integers = false): Promise<Tensor | NoInputs> {
  const file = await fileWithInput(context, name);
  if ('reason' in file) return file;
  const all = integers ? await file.integers(name) : await file.floats(name);
  if (pair >= all.shape[0]) return { reason: `${name} of ${file.path} has ${all.shape[0]} rows, and none for pair ${pair}` };
  const size = all.data.length / all.shape[0];
  return { ...all, shape: [1, ...all.shape.slice(1)], data: all.data.subarray(pair * size, (pair + 1) * size) } as Tensor;
}

/** The pair that the settings name (0 where they do not), or why it cannot be had. @throws NarrowsError where an input has a wrong shape */
export async function attributionInputs(context: VerifyContext): Promise<AttributionInputs | NoInputs> {
  const { reference } = context;
  const pair = reference.setting('pair') ?? 0;
  if (!Number.isInteger(pair) || pair < 0)
    throw new NarrowsError(`The setting "pair" of ${reference.path} must be a whole number from 0, got ${pair}.`);
  const pixels = await inputRow(context, 'pixel_values', pair);
  if ('reason' in pixels) return pixels;
  const ids = await inputRow(context, 'input_ids', pair, true);
  if ('reason' in ids) return ids;
  if (pixels.shape.length !== 4 || ids.shape.length !== 2)
    throw new NarrowsError(
      `The inputs of ${reference.path} must be pixel_values [pairs, 3, height, width] and input_ids [pairs, length], got [${pixels.shape.join(', ')}] and [${ids.shape.join(', ')}].`,
    );
  const mask = await inputRow(context, 'attention_mask', pair, true);
  const length = 'reason' in mask ? ids.shape[1] : Array.from(mask.data as Int32Array).filter(m => m !== 0).length;
  return {
    pair,
    pixelValues: floats(pixels.shape, (pixels as FloatTensor).data),
    inputIds: ints([1, length], (ids.data as Int32Array).slice(0, length)),
  };
}

/**
 * The layer of the hidden-state methods: the setting `vision_layer` counts as Hugging Face's hidden states do (the INPUT of that block),
 * Narrows names the block whose OUTPUT it is: one less. @throws NarrowsError where it is out of the model's range
 */
export function attributionLayer({ reference, model }: VerifyContext): number | NoInputs {
  const layer = reference.setting('vision_layer');
  if (layer === undefined) return { reason: 'the file\'s settings have no "vision_layer"' };
  if (!Number.isInteger(layer) || layer < 0 || layer >= model.image.layers)
    throw new NarrowsError(
      `The setting vision_layer of ${reference.path} is ${layer}, but ${model.name} has blocks 0 to ${model.image.layers - 1}.`,
    );
  return layer - 1;
}
