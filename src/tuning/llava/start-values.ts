/** @file The values that training starts from: the checkpoint's where it has them, fresh adapters and bottlenecks otherwise. */
import type { BottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { initialBottleneck } from '../../bottleneck/gaussian/module.ts';
import { loraLayer } from '../../checkpoints/peft-layers.ts';
import { readFloats, type TensorEntry } from '../../checkpoints/safetensors.ts';
import { initialiseLora } from '../../nn/lora.ts';
import type { Parameter } from '../../optim/adamw.ts';
import { NarrowsError } from '../../system/errors.ts';

/** Where values come from. */
export interface StartOptions {
  /** By name in memory. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly bottleneck?: BottleneckConfig;
  /** Width of the decoder. */
  readonly width: number;
  readonly seed: number;
}

/**
 * A parameter for every traced tensor, as float32. @throws NarrowsError for a tensor of another shape, or one that holds no finite number
 */
export async function startValues(
  traced: ReadonlyMap<string, { readonly shape: readonly (number | string)[] }>,
  { entries, bottleneck, width, seed }: StartOptions,
): Promise<Parameter[]> {
  const fresh = bottleneck ? initialBottleneck(bottleneck, width, seed) : [];
  const adapters = initialiseLora(new Map([...traced].filter(([name]) => loraLayer(name) !== undefined)), seed);
  const byName = new Map([...fresh, ...adapters].map(p => [p.name, p]));
  const out: Parameter[] = [];
  for (const [name, value] of traced) {
    const shape = value.shape as readonly number[];
    const entry = entries.get(name);
    if (!entry) {
      out.push(byName.get(name)!);
      continue;
    }
    if (entry.shape.join() !== shape.join())
      throw new NarrowsError(`The tensor "${name}" of ${entry.file} has shape [${entry.shape}], but [${shape}] is asked for.`);
    // A copy: what is read may be a view of a mapped file, and is trained in place.
    const data = (await readFloats(entry)).slice();
    if (!data.every(Number.isFinite)) throw new NarrowsError(`The tensor "${name}" of ${entry.file} holds values that are not finite.`);
    out.push({ name, shape, data });
  }
  return out;
}
