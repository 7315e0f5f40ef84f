/** @file The first layer of a projector of whitened features: as it is saved in a model, and as a resumed run takes it up, to the bit. */
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats, type TensorEntry } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { access } from '../../node/disk.ts';
import { join } from '../../node/paths.ts';
import type { Parameter } from '../../optim/adamw.ts';
import { NarrowsError } from '../../system/errors.ts';
import { floats } from '../../tensor/tensor.ts';
import { foldWhitening, type Whitening } from './whiten.ts';

/** File of a checkpoint with the layer as it is trained, over whitened features. */
export const UNFOLDED = 'projector_input.safetensors';

const LAYER = 'model.multi_modal_projector.linear_1';
const [WEIGHT, BIAS] = [`${LAYER}.weight`, `${LAYER}.bias`];

/** Parameters of a plain model: those that are trained, but for the layer that takes whitened features. */
export function folded(parameters: readonly Parameter[], whitening: Whitening | undefined): readonly Parameter[] {
  if (!whitening) return parameters;
  const data = (name: string): Float32Array => parameters.find(p => p.name === name)!.data;
  const { weight, bias } = foldWhitening({ weight: data(WEIGHT), bias: data(BIAS) }, whitening);
  return parameters.map(p => (p.name === WEIGHT ? { ...p, data: weight } : p.name === BIAS ? { ...p, data: bias } : p));
}

/** Writes the layer as it is trained next to the model. @throws NarrowsError when it cannot be written */
export async function saveUnfolded(directory: string, parameters: readonly Parameter[]): Promise<void> {
  const layer = parameters.filter(({ name }) => name === WEIGHT || name === BIAS);
  await writeSafetensors(
    join(directory, UNFOLDED),
    layer.map(p => [p.name, floats(p.shape, p.data)] as const),
  );
}

/**
 * Puts what a finished pre-training of the same shape trained in place of fresh values.
 * @throws NarrowsError for a directory without it, of another shape, or that did not whiten alike
 */
export async function startFromPretrained(directory: string, parameters: readonly Parameter[], whiten: boolean): Promise<void> {
  const entries = await openPretrained(directory, whiten);
  for (const { name, shape, data } of parameters) {
    const entry = entries.get(name);
    if (entry?.shape.join() !== shape.join())
      throw new NarrowsError(
        `${directory}: the tensor "${name}" ${entry ? `has shape [${entry.shape}]` : 'is missing'}, where the model that is pre-trained has [${shape}].`,
      );
    data.set(await readFloats(entry));
  }
}

/**
 * Where what was trained stands in a checkpoint of pre-training. @param whiten whether this run whitens
 * @throws NarrowsError where the checkpoint's run did otherwise
 */
export async function openPretrained(directory: string, whiten: boolean): Promise<ReadonlyMap<string, TensorEntry>> {
  const { tensors } = await openSafetensors(join(directory, 'model.safetensors'));
  const file = join(directory, UNFOLDED);
  const there = await access(file).then(
    () => true,
    () => false,
  );
  if (there !== whiten)
    throw new NarrowsError(
      `${directory} was trained ${there ? 'with' : 'without'} a whitened projector input; go on with the same "whiten", or choose another output_dir.`,
      { kind: 'usage' },
    );
  return there ? new Map([...tensors, ...(await openSafetensors(file)).tensors]) : tensors;
}
