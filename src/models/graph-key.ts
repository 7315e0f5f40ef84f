/** @file Names what a graph over a tower depends on. */
import { cacheKey, type KeyPart } from '../graph/graph-cache.ts';
import type { Modality, TowerInputs } from './dual-encoder.ts';

/** What a graph over a tower is traced from. A `TowerJob` is one. */
export interface GraphJob {
  readonly modality: Modality;
  /** Block whose output the graph begins with; -1: the embeddings, or what is in front of them. */
  readonly layer: number;
  /** The tower's inputs: which there are decides what the graph declares. */
  readonly inputs: TowerInputs;
  /** The state that is fed in place of the block's output, [P, N, D]. */
  readonly hidden?: { readonly shape: readonly number[] };
  /** Images: patch rows and columns. */
  readonly grid?: readonly [number, number];
  /** What is explained; leave it out (`{ ...job, target: undefined }`) where the graph ends at the features. */
  readonly target?: { readonly form: string; readonly scale: number; readonly vectors: { readonly shape: readonly number[] } };
}

/** Inputs by name, with the sizes that a graph fixes: all but rows and, of texts, tokens. */
const inputParts = (inputs: TowerInputs): KeyPart =>
  Object.entries(inputs)
    .map(([name, { dtype, shape }]): KeyPart => [name, dtype, shape.length > 2 ? shape.slice(1) : []])
    .sort((a, b) => (String(a) < String(b) ? -1 : 1));

/**
 * The key under which a graph over a tower is kept (`GraphCache.keep`), within one model and one method with its options.
 * @param what it computes @param more whatever else it depends on: noise samples, further blocks, constants by their content
 */
export function graphKey(what: string, job: GraphJob, more: Readonly<Record<string, KeyPart>> = {}): string {
  const { modality, layer, inputs, hidden, grid, target } = job;
  const [, tokens, width] = hidden?.shape ?? [];
  return cacheKey(what, {
    ...{ modality, layer, grid, width, more },
    inputs: inputParts(inputs),
    // One graph serves texts of any length.
    tokens: modality === 'text' ? undefined : tokens,
    target: target && [target.form, target.scale, target.vectors.shape.slice(1)],
  });
}
