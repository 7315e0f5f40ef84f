/** @file How a comparison loads its model. */
import type { DualEncoder } from '../../../models/dual-encoder.ts';
import { loadModel as load } from '../../../models/load.ts';
import { nodeRuntime } from '../../../runtime/node.ts';

/** Loads a model for a runner: one thread, the same everywhere, so that results do not depend on who computes them. */
export const loadModel = (reference: string): Promise<DualEncoder> => load(reference, { runtime: nodeRuntime({ threads: 1 }) });
