/** @file How a comparison loads its model. */
import { CLIPModel } from '../../../models/clip/model.ts';
import type { DualEncoder } from '../../../models/dual-encoder.ts';
import { nodeRuntime } from '../../../runtime/node.ts';

/** Loads a model for a runner: one thread, the same everywhere, so that results do not depend on who computes them. */
export const loadModel = (reference: string): Promise<DualEncoder> =>
  CLIPModel.fromPretrained(reference, { runtime: nodeRuntime({ threads: 1 }) });
