/** @file Names of LLaVA's tensors: in memory (and transformers ≥ 5 files) `model.language_model.…`, in older files `language_model.model.…`. */
import type { TensorEntry } from '../../checkpoints/safetensors.ts';

/** Beginnings of names in old files and in memory. */
const OLD: readonly (readonly [stored: string, inMemory: string])[] = [
  ['language_model.model.', 'model.language_model.'],
  ['language_model.lm_head.', 'lm_head.'],
  ['vision_tower.', 'model.vision_tower.'],
  ['multi_modal_projector.', 'model.multi_modal_projector.'],
];

/** How a checkpoint's files name tensors. */
export type LlavaLayout = 'old' | 'new';

/** The name in memory of a stored tensor; names of the new layout stay. */
export function nameInMemory(stored: string): string {
  const found = OLD.find(([prefix]) => stored.startsWith(prefix));
  return found ? found[1] + stored.slice(found[0].length) : stored;
}

/** The name under which a tensor is stored. */
export function storedName(name: string, layout: LlavaLayout): string {
  const found = layout === 'old' ? OLD.find(([, prefix]) => name.startsWith(prefix)) : undefined;
  return found ? found[0] + name.slice(found[1].length) : name;
}

/** A checkpoint's tensors by their names in memory, and the layout they came in. */
export function inMemoryEntries(entries: ReadonlyMap<string, TensorEntry>): { entries: Map<string, TensorEntry>; layout: LlavaLayout } {
  const renamed = new Map([...entries].map(([name, entry]) => [nameInMemory(name), entry]));
  return { entries: renamed, layout: [...entries.keys()].some(name => nameInMemory(name) !== name) ? 'old' : 'new' };
}
