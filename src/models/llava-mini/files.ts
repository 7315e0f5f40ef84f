/** @file Names of LLaVA-Mini's tensors, its graph inputs, and what they are fed with. */

import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import { input, type Value } from '../../graph/index.ts';
import { trainableParameters } from '../../nn/parameters.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { pixelInput, tokenInputs } from '../llava/files.ts';
import { inMemoryEntries, type LlavaLayout } from '../llava/layout.ts';
import type { LlavaKind } from '../llava/load.ts';
import { placementFeeds } from '../llava/model.ts';
import { type LlavaMiniConfig, parseLlavaMiniConfig } from './config.ts';
import { llavaMiniForward } from './forward.ts';
import type { MiniPlacement } from './placement.ts';
import type { MiniTokenValues } from './prefusion.ts';

/** The graph inputs of a whole batch. */
export function miniTokenInputs(batch = 'batch', length = 'seq', images = 'images'): MiniTokenValues {
  return {
    ...tokenInputs(batch, length),
    fused: input('fused', [batch, length], 'int32'),
    fusedPositions: input('fused_positions', [batch, length], 'int32'),
    owners: input('image_owners', [images], 'int32'),
    shares: input('image_shares', [batch, images]),
  };
}

/** The tensors that graphs of `miniTokenInputs` are fed with. */
export const miniFeeds = (placement: MiniPlacement): Record<string, Tensor> => ({
  ...placementFeeds(placement),
  fused: placement.fused,
  fused_positions: placement.fusedPositions,
  image_owners: placement.owners,
  image_shares: placement.shares,
});

/** Beginnings of names in the published checkpoint (the official code's module names) and in memory. */
const FLAT: readonly (readonly [stored: string, inMemory: string])[] = [
  ['model.embed_tokens.', 'model.language_model.embed_tokens.'],
  ['model.layers.', 'model.language_model.layers.'],
  ['model.norm.', 'model.language_model.norm.'],
  ['model.mm_projector.0.', 'model.multi_modal_projector.linear_1.'],
  ['model.mm_projector.2.', 'model.multi_modal_projector.linear_2.'],
  ['model.vision_tower.vision_tower.', 'model.vision_tower.'],
];

/** The name in memory of a tensor of the published checkpoint; other names stay (`model.compressor.…`, `model.prefusion_layers.…`). */
export function miniNameInMemory(stored: string): string {
  const found = FLAT.find(([prefix]) => stored.startsWith(prefix));
  return found ? found[1] + stored.slice(found[0].length) : stored;
}

/** @throws NarrowsError where the vision tower lies elsewhere */
function inMemory(entries: ReadonlyMap<string, TensorEntry>): { entries: Map<string, TensorEntry>; layout: LlavaLayout } {
  const found = inMemoryEntries(new Map([...entries].map(([name, entry]) => [miniNameInMemory(name), entry])));
  const names = [...found.entries.keys()];
  if (names.some(name => name.startsWith('model.compressor.')) && !names.some(name => name.startsWith('model.vision_tower.'))) {
    const [{ file }] = entries.values();
    throw new NarrowsError(
      `${file.replace(/[/\\][^/\\]*$/, '')} has no vision tower; write the tensors of the one that config.json names as mm_vision_tower next to the others, under "model.vision_tower.vision_tower.vision_model.…".`,
    );
  }
  return found;
}

/** Every tensor that a LLaVA-Mini with this config reads, by its name in memory, found by tracing the model. */
export function wantedMiniTensors(config: LlavaMiniConfig): ReadonlyMap<string, Value> {
  const p = trainableParameters();
  llavaMiniForward(p, config, miniTokenInputs(), pixelInput(config));
  return p.all;
}

/** How LLaVA's loading takes a LLaVA-Mini. */
export const LLAVA_MINI: LlavaKind<LlavaMiniConfig> = { parse: parseLlavaMiniConfig, inMemory, wanted: wantedMiniTensors };
