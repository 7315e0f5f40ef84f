/** @file A reference file of `narrows verify`: tensors computed elsewhere (PyTorch), with their settings as JSON in its metadata. */
import { parseJson } from '../checkpoints/config.ts';
import { openSafetensors } from '../checkpoints/disk.ts';
import { readTensor, type TensorEntry, toFloats } from '../checkpoints/safetensors.ts';
import { NarrowsError } from '../system/errors.ts';
import { type FloatTensor, floats, ints, type Tensor } from '../tensor/tensor.ts';

/** An opened reference. Tensors are read one at a time, when asked for. */
export class ReferenceFile {
  private constructor(
    readonly path: string,
    /** In the file's order. */
    readonly entries: ReadonlyMap<string, TensorEntry>,
    /** The JSON object under `settings` in the file's metadata; empty where there is none. */
    readonly settings: Readonly<Record<string, unknown>>,
  ) {}

  /** @throws NarrowsError for a missing or damaged file, or settings that are no JSON object */
  static async open(path: string): Promise<ReferenceFile> {
    const file = await openSafetensors(path);
    const settings = 'settings' in file.metadata ? parseJson(file.metadata.settings, `The metadata "settings" of ${path}`) : {};
    if (typeof settings !== 'object' || settings === null || Array.isArray(settings))
      throw new NarrowsError(`The metadata "settings" of ${path} must be a JSON object, such as {"beta": 0.1}.`);
    return new ReferenceFile(path, file.tensors, settings as Record<string, unknown>);
  }

  /** Tensors in the file's order, then the numbers of the setting `metrics` as `metrics.NAME`. */
  get names(): readonly string[] {
    return [...this.entries.keys(), ...this.numbers().map(([name]) => name)];
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** @throws NarrowsError where the tensor is missing */
  shape(name: string): readonly number[] {
    return this.entry(name).shape;
  }

  /** A tensor, or a number of the setting `metrics`, as float32. @throws NarrowsError where it is missing or unreadable */
  async floats(name: string): Promise<FloatTensor> {
    const number = this.entries.has(name) ? undefined : this.numbers().find(([key]) => key === name);
    if (number) return floats([], [number[1]]);
    const stored = await readTensor(this.entry(name));
    return floats(stored.shape, toFloats(stored));
  }

  /** A tensor of whole numbers as int32. @throws NarrowsError where it is missing or holds fractions */
  async integers(name: string): Promise<Tensor> {
    const { dtype, shape, data } = await readTensor(this.entry(name));
    if (!/int|bool/.test(dtype)) throw new NarrowsError(`"${name}" in ${this.path} is ${dtype}; it must hold integers.`);
    return ints(shape, Int32Array.from(data as Int32Array, Number));
  }

  /** A number among the settings, or undefined. @throws NarrowsError where it is something else than a number */
  setting(name: string): number | undefined {
    const value = this.settings[name];
    if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
    throw new NarrowsError(`The setting "${name}" of ${this.path} must be a number, not ${JSON.stringify(value)}.`);
  }

  private numbers(): readonly (readonly [string, number])[] {
    const { metrics } = this.settings;
    if (typeof metrics !== 'object' || metrics === null || Array.isArray(metrics)) return [];
    return Object.entries(metrics).flatMap(([name, value]) => (typeof value === 'number' ? [[`metrics.${name}`, value] as const] : []));
  }

  private entry(name: string): TensorEntry {
    const entry = this.entries.get(name);
    if (!entry) throw new NarrowsError(`${this.path} has no tensor "${name}".`);
    return entry;
  }
}
