/** @file How a comparison loads its model. */
import type { ResolveOptions } from '../../../checkpoints/hub/hub.ts';
import type { DualEncoder } from '../../../models/dual-encoder.ts';
import { loadModel as load } from '../../../models/pretrained.ts';
import { nodeRuntime } from '../../../runtime/node.ts';

/** Loads a model for a runner: one thread, the same everywhere, so that results do not depend on who computes them. */
export const loadModel = (reference: string, options: ResolveOptions = {}): Promise<DualEncoder> =>
  load(reference, { ...options, runtime: nodeRuntime({ threads: 1 }) });
