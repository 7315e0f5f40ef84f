/** @file The golden sets, estimators and values of `testdata`, for the tests of this room. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openSafetensors } from '../../../checkpoints/disk.ts';
import { readFloats } from '../../../checkpoints/safetensors.ts';
import type { Tensor } from '../../../tensor/tensor.ts';
import { floats } from '../../../tensor/tensor.ts';
import { type ClubEstimator, clubFromTensors } from '../club-estimator.ts';
import { jointEmbedding } from '../embedding.ts';

const path = (name: string): string => fileURLToPath(new URL(`../testdata/${name}`, import.meta.url));
const { tensors } = await openSafetensors(path('emi.safetensors'));
const values = new Map<string, Tensor & { data: Float32Array }>();
for (const [name, entry] of tensors) values.set(name, floats(entry.shape, await readFloats(entry)));

interface Divergences {
  bound: number | string;
  jsd_visual: number;
  jsd_text: number;
  jsd_source_output: number;
  jsd_target_output: number;
}
interface SetGolden {
  float64: { mi_model: number; mi_reference: number; emi: number };
  emid_float64: number;
  official_float64: Divergences;
  'official_with_entropy_scaler_3.5': number | string;
  equal_weights_float64: Divergences;
}
/** What the published code made of the sets. */
export const goldenValues: {
  training: { training_order: string[]; loss_before_step: [number, number][] };
  sets: Record<string, SetGolden>;
  pearson: { over: string[]; r: number; p: number };
} = JSON.parse(readFileSync(path('expected.json'), 'utf8'));

/** A tensor by its name in the file. */
export const goldenTensor = (name: string): Tensor & { data: Float32Array } => values.get(name)!;

/** The estimator at `start`, `after1`, `after10` or `after300`. */
export function goldenClub(stage: string): ClubEstimator {
  const prefix = `club.${stage}.`;
  const own = [...values].flatMap(([name, t]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), t] as const] : []));
  return clubFromTensors(new Map(own), stage);
}

function rows(name: string): Float32Array[] {
  const { shape, data } = goldenTensor(name);
  return Array.from({ length: shape[0] }, (_, i) => data.subarray(i * shape[1], (i + 1) * shape[1]));
}

/** A set's embeddings and values. */
export function goldenSet(name: string) {
  const [visual, text, y, yHat] = ['x_v', 'x_t', 'y', 'y_hat'].map(part => rows(`${name}.${part}`));
  return { visual, text, y, yHat, z: jointEmbedding(visual, text), expected: goldenValues.sets[name] };
}

/** All pairs of the training sets, and the losses by step. */
export function goldenTraining() {
  const sets = goldenValues.training.training_order.map(goldenSet);
  return { z: sets.flatMap(s => [...s.z]), y: sets.flatMap(s => s.y), losses: new Map(goldenValues.training.loss_before_step) };
}
