/** @file `narrows verify`: every named tensor of a reference file against the engine's own value. */
import type { DualEncoderModel } from '../models/dual-encoder-model.ts';
import { NarrowsError } from '../system/errors.ts';
import { version } from '../system/version.ts';
import { type FloatTensor, sizeOf } from '../tensor/tensor.ts';
import type { Checker, NotComputed, VerifiedModel } from './checker.ts';
import { CHECKERS } from './checkers.ts';
import { compareTensors, type VerifyRow } from './compare.ts';
import { ReferenceFile } from './reference.ts';
import { resolveTolerances, type ToleranceKind } from './tolerance.ts';

/** What a verification needs. */
export interface VerifyOptions<M extends VerifiedModel = DualEncoderModel> {
  readonly model: M;
  /** A safetensors file; see docs/verify.md for how to make one. */
  readonly referencePath: string;
  /** File of inputs for attributions and M2IB; by default the reference itself, or `outputs.safetensors` next to it. */
  readonly inputsPath?: string;
  /** One number for all kinds of values, or one for some kinds; see tolerance.ts for the defaults. */
  readonly tolerance?: number | Partial<Record<ToleranceKind, number>>;
  /** `done` of `total` tensors; `label` says what is being computed. */
  readonly onProgress?: (progress: { done: number; total: number; label: string }) => void;
  readonly signal?: AbortSignal;
  /** Families of tensors to check; all that Narrows knows by default. */
  readonly checkers?: readonly Checker<M>[];
}

/** The outcome; plain data, so that it is its own JSON. */
export interface VerifyReport {
  readonly model: { readonly name: string; readonly sha256: string };
  readonly reference: string;
  /** As the file's metadata gives them. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly tolerances: Readonly<Record<ToleranceKind, number>>;
  /** True when every row is within its tolerance. Tensors that were not checked do not make it false. */
  readonly ok: boolean;
  readonly counts: { readonly passed: number; readonly failed: number; readonly inputs: number; readonly unverified: number };
  /** The first tensor that departs, in the order of the computation: where the error begins. */
  readonly firstDeparture?: string;
  /** In the file's order. */
  readonly rows: readonly VerifyRow[];
  /** Names read as inputs. */
  readonly inputs: readonly string[];
  /** Names that were not checked, and why. */
  readonly unverified: readonly NotComputed[];
  readonly provenance: { readonly narrows: string; readonly runtime: string };
  readonly seconds: number;
}

/**
 * Compares a reference file with a model that compares images with texts (for a LLaVA see llava/verify-llava.ts).
 * @throws NarrowsError in one sentence where the file is damaged, belongs to another model (shapes differ), or holds nothing to check
 */
export const verifyReference = (options: VerifyOptions): Promise<VerifyReport> =>
  verifyWith({ ...options, checkers: options.checkers ?? CHECKERS });

/** As `verifyReference`, for any kind of model and the checkers that know it. */
export async function verifyWith<M extends VerifiedModel>(
  options: VerifyOptions<M> & { readonly checkers: readonly Checker<M>[] },
): Promise<VerifyReport> {
  const { model, checkers, signal } = options;
  const started = performance.now();
  const tolerances = resolveTolerances(options.tolerance);
  const reference = await ReferenceFile.open(options.referencePath);
  const { inputs, unknown, taken } = sort<M>(reference.names, checkers);
  const total = [...taken.values()].reduce((sum, names) => sum + names.length, 0);
  const rows = new Map<string, VerifyRow>();
  const unverified: NotComputed[] = unknown.map(name => ({ name, reason: 'Narrows does not know this name' }));
  let firstDeparture: string | undefined;
  let done = 0;
  for (const [checker, names] of taken) {
    options.onProgress?.({ done, total, label: checker.name });
    for await (const result of checker.compute({ model, reference, inputsPath: options.inputsPath }, names)) {
      signal?.throwIfAborted();
      if ('reason' in result) unverified.push(result);
      else {
        const theirs = await reference.floats(result.name);
        checkShape(result.name, result.value, theirs, reference.path, model.name);
        const limits = { ...result, tolerance: tolerances[result.kind] };
        const row = compareTensors(result.name, result.kind, result.value, theirs, limits);
        rows.set(result.name, row);
        if (!row.ok) firstDeparture ??= result.name;
      }
      options.onProgress?.({ done: ++done, total, label: checker.name });
    }
  }
  if (rows.size === 0) {
    const why = unverified.length ? `${unverified[0].name}: ${unverified[0].reason}` : 'it holds no values, only inputs';
    throw new NarrowsError(`Nothing in ${reference.path} could be checked (${why}); see docs/verify.md for the names that are known.`);
  }
  const ordered = reference.names.flatMap(name => rows.get(name) ?? []);
  const passed = ordered.filter(row => row.ok).length;
  return {
    model: { name: model.name, sha256: await model.sha256() },
    reference: reference.path,
    settings: reference.settings,
    tolerances,
    ok: passed === ordered.length,
    counts: { passed, failed: ordered.length - passed, inputs: inputs.length, unverified: unverified.length },
    firstDeparture,
    rows: ordered,
    inputs,
    unverified,
    provenance: { narrows: version, runtime: `${model.runtime.name} ${model.runtime.version}` },
    seconds: (performance.now() - started) / 1000,
  };
}

/** Gives each name to the first checker that knows it. */
function sort<M extends VerifiedModel>(
  names: readonly string[],
  checkers: readonly Checker<M>[],
): { inputs: string[]; unknown: string[]; taken: Map<Checker<M>, string[]> } {
  const inputs: string[] = [];
  const unknown: string[] = [];
  const taken = new Map<Checker<M>, string[]>(checkers.map(checker => [checker, []]));
  for (const name of names) {
    const checker = checkers.find(c => c.role(name));
    if (!checker) unknown.push(name);
    else if (checker.role(name) === 'input') inputs.push(name);
    else taken.get(checker)!.push(name);
  }
  for (const [checker, names] of taken) if (names.length === 0) taken.delete(checker);
  return { inputs, unknown, taken };
}

/** @throws NarrowsError where shapes differ; a single number may be stored as [] or [1] */
function checkShape(name: string, ours: FloatTensor, theirs: FloatTensor, path: string, model: string): void {
  if (ours.shape.join() === theirs.shape.join()) return;
  if (ours.shape.length <= 1 && theirs.shape.length <= 1 && sizeOf(ours.shape) === 1 && sizeOf(theirs.shape) === 1) return;
  throw new NarrowsError(
    `"${name}" of ${path} has shape [${theirs.shape.join(', ')}], but ${model} gives [${ours.shape.join(', ')}]; the file was made with another model or other inputs.`,
  );
}
