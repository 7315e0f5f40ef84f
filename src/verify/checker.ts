/**
 * @file What verifies one family of tensors. Checkers stand in a table (checkers.ts); a further family (metrics, another architecture)
 * is a further entry, and nothing else changes.
 */
import type { DualEncoderModel } from '../models/dual-encoder-model.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import type { ReferenceFile } from './reference.ts';
import type { ToleranceKind } from './tolerance.ts';

/** What every model that can be verified says of itself. */
export interface VerifiedModel {
  readonly name: string;
  readonly runtime: Runtime;
  /** See `checkpointHash`. */
  sha256(): Promise<string>;
}

/** What a checker works on. */
export interface VerifyContext<M extends VerifiedModel = DualEncoderModel> {
  readonly model: M;
  readonly reference: ReferenceFile;
  /** A file of inputs (pixel_values, input_ids, attention_mask) for references that hold none. */
  readonly inputsPath?: string;
}

/** The engine's own value of a tensor. */
export interface Computed {
  readonly name: string;
  readonly kind: ToleranceKind;
  readonly value: FloatTensor;
  /** Errors are taken relative to the largest entry of the reference, or to this where it is larger: for values with a scale of their own. */
  readonly scaleFloor?: number;
  /** Names of things rather than amounts (token ids): equal or not, whatever the tolerances. */
  readonly exact?: boolean;
  /** Per entry: what the rounding of the reference's own arithmetic may add to the tolerance, where that is known to be coarse. */
  readonly rounding?: Float32Array;
}

/** Why a tensor could not be computed; it is reported as not checked. */
export interface NotComputed {
  readonly name: string;
  readonly reason: string;
}

/** Verifies one family of names. */
export interface Checker<M extends VerifiedModel = DualEncoderModel> {
  /** What it checks, for progress: a noun. */
  readonly name: string;
  /**
   * What a tensor of that name is to this checker: something it can compute, an input it reads, or nothing it knows.
   * The first checker that knows a name takes it.
   */
  role(name: string): 'value' | 'input' | undefined;
  /**
   * Computes values one after the other, in the order of the computation, so that the first one that departs is where the error begins.
   * Each name asked for must come out once.
   * @param names the names that this checker took, in the file's order
   */
  compute(context: VerifyContext<M>, names: readonly string[]): AsyncIterable<Computed | NotComputed>;
}
