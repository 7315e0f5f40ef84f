/**
 * @file Parameters by name: a model is a function over a scope whose paths are the checkpoint's tensor names, verbatim. The same model
 * code runs with frozen weights (mapped from their file), trainable ones (graph inputs), or just to learn what tensors it wants.
 */

import type { TensorEntry } from '../checkpoints/safetensors.ts';
import { type Shape, showShape, transpose, type Value } from '../graph/index.ts';
import { input, weight } from '../graph/ops/constants.ts';
import { NarrowsError } from '../system/errors.ts';

/** Gives the value of a named tensor of a given shape. */
export type ParameterSource = (name: string, shape: readonly number[]) => Value;

/** Changes what a linear layer gives: from its full name, its input and its output to the output that is used (see nn/lora.ts). */
export type LinearAdapter = (layer: string, x: Value, y: Value) => Value;

/** A view on the parameters below a prefix. */
export class Parameters {
  private readonly known: Map<string, Value>;
  constructor(
    private readonly source: ParameterSource,
    private readonly prefix = '',
    known?: Map<string, Value>,
    private readonly adapter?: LinearAdapter,
  ) {
    this.known = known ?? new Map();
  }

  /** The parameters below `name`. */
  in(name: string): Parameters {
    return new Parameters(this.source, `${this.prefix}${name}.`, this.known, this.adapter);
  }

  /** The same parameters, with linear layers that `adapter` changes (behind an adapter that is there already). */
  adapted(adapter: LinearAdapter): Parameters {
    const before = this.adapter;
    const both: LinearAdapter = before ? (layer, x, y) => adapter(layer, x, before(layer, x, y)) : adapter;
    return new Parameters(this.source, this.prefix, this.known, both);
  }

  /** The output `y` that the linear layer `name` of this scope has for the input `x`, as the adapter (if any) changes it. */
  adapt(name: string, x: Value, y: Value): Value {
    return this.adapter ? this.adapter(this.prefix + name, x, y) : y;
  }

  /** The tensor `name` (relative to this scope). The same value is returned each time. */
  get(name: string, shape: readonly number[]): Value {
    const path = this.prefix + name;
    let value = this.known.get(path);
    if (!value) {
      value = this.source(path, shape);
      this.known.set(path, value);
    }
    return value;
  }

  /** Every tensor asked for so far, by full name. */
  get all(): ReadonlyMap<string, Value> {
    return this.known;
  }
}

/** Frozen weights of a checkpoint: external data of the graph. @throws NarrowsError for a missing or mis-shaped tensor. */
export function frozenParameters(entries: ReadonlyMap<string, TensorEntry>, source: string): Parameters {
  return new Parameters((name, shape) => {
    const entry = entries.get(name);
    if (!entry) throw new NarrowsError(`The checkpoint ${source} has no tensor "${name}"; is it of another architecture, or incomplete?`);
    checkShape(name, shape, entry.shape, source);
    const place = { file: entry.file, offset: entry.offset, length: entry.length };
    if (entry.turned) return transpose(weight(name, entry.dtype, [...entry.shape].reverse(), place));
    return weight(name, entry.dtype, entry.shape, place);
  });
}

/** Trainable weights: graph inputs with the tensors' names. */
export const trainableParameters = (): Parameters => new Parameters((name, shape) => input(name, shape));

function checkShape(name: string, expected: Shape, actual: Shape, source: string): void {
  if (expected.length === actual.length && expected.every((d, i) => d === actual[i])) return;
  throw new NarrowsError(
    `The tensor "${name}" of ${source} has shape ${showShape(actual)}, but config.json asks for ${showShape(expected)}.`,
  );
}

/** What differs between a model and a checkpoint. Empty lists mean a perfect fit. */
export interface LoadReport {
  readonly missing: string[];
  readonly unexpected: string[];
  readonly misshaped: { readonly name: string; readonly expected: Shape; readonly actual: Shape }[];
}

/** Buffers that old checkpoints store and nobody reads. */
const IGNORED = /(^|\.)position_ids$|(^|\.)rotary_emb\.inv_freq$/;

/**
 * Compares the tensors that a model asks for with those of a checkpoint.
 * @param wanted name -> shape, as recorded by tracing the model over `trainableParameters()`.
 */
export function loadReport(wanted: ReadonlyMap<string, { readonly shape: Shape }>, entries: ReadonlyMap<string, TensorEntry>): LoadReport {
  const report: LoadReport = { missing: [], unexpected: [], misshaped: [] };
  for (const [name, { shape }] of wanted) {
    const entry = entries.get(name);
    if (!entry) report.missing.push(name);
    else if (showShape(entry.shape) !== showShape(shape)) report.misshaped.push({ name, expected: shape, actual: entry.shape });
  }
  for (const name of entries.keys()) if (!wanted.has(name) && !IGNORED.test(name)) report.unexpected.push(name);
  return report;
}

/** A report as one sentence, or undefined where nothing is wrong. Unexpected tensors by themselves are no error. */
export function reportSentence(report: LoadReport, source: string): string | undefined {
  const some = (names: string[]): string => `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;
  if (report.misshaped.length) {
    const { name, expected, actual } = report.misshaped[0];
    const more = report.misshaped.length > 1 ? ` (and ${report.misshaped.length - 1} more)` : '';
    return `The tensor "${name}" of ${source} has shape ${showShape(actual)}, but config.json asks for ${showShape(expected)}${more}; the weights and the config do not belong together.`;
  }
  if (report.missing.length)
    return `${source} lacks ${report.missing.length} tensor${report.missing.length > 1 ? 's' : ''} (${some(report.missing)}); the file is incomplete or of another architecture.`;
  return undefined;
}
