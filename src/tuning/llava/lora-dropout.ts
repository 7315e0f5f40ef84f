/** @file Dropout of adapters in a training graph: its input, and what is fed to it. */

import type { LoraConfig } from '../../checkpoints/peft-layers.ts';
import { input, type Value } from '../../graph/index.ts';
import { loraDropout } from '../../nn/lora.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { RandomStream } from '../../tensor/random.ts';
import { ints } from '../../tensor/tensor.ts';

/** Graph input, int32 scalar: another number each micro-step. */
const LORA_SEED = 'lora_seed';

/** The option of `llavaTrainGraph`; nothing where there is no dropout. */
export const dropoutOption = (lora: LoraConfig | undefined): { loraDropout?: (layer: string, x: Value) => Value } =>
  lora && lora.lora_dropout > 0 ? { loraDropout: loraDropout(lora, input(LORA_SEED, [], 'int32')) } : {};

/** What such a graph is fed at a micro-step: a function of (seed, step). */
export const dropoutFeeds = (lora: LoraConfig | undefined, seed: number, step: number): Feeds =>
  lora ? { [LORA_SEED]: ints([], [new RandomStream(seed, 'lora.dropout').reader(step, 0).integer(2 ** 31)]) } : {};
