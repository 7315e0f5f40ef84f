/** @file Names of LLaVA's tensors: in memory (and transformers ≥ 5 files) `model.language_model.…`, in older files `language_model.model.…`. */
import type { TensorEntry } from '../../checkpoints/safetensors.ts';
import type { NamePairs, Naming } from './family.ts';

/** Beginnings of names in old files and in memory. */
const OLD: NamePairs = [
  ['language_model.model.', 'model.language_model.'],
  ['language_model.lm_head.', 'lm_head.'],
  ['vision_tower.', 'model.vision_tower.'],
  ['multi_modal_projector.', 'model.multi_modal_projector.'],
];

/** LLaVA's. */
const LLAVA: Naming = { old: OLD, new: [] };

/** How a checkpoint's files name tensors. */
export type LlavaLayout = 'old' | 'new';

const pairFor = (pairs: NamePairs, stored: string) => pairs.find(([prefix]) => stored.startsWith(prefix));

/** The name in memory of a stored tensor; names of the new layout stay. @param naming a family's own */
export function nameInMemory(stored: string, naming: Naming = LLAVA): string {
  const found = pairFor(naming.new, stored) ?? pairFor(naming.old, stored);
  return found ? found[1] + stored.slice(found[0].length) : stored;
}

/** The name under which a tensor is stored. */
export function storedName(name: string, layout: LlavaLayout, naming: Naming = LLAVA): string {
  const pairs = layout === 'old' && naming.old.length ? naming.old : naming.new;
  const found = pairs.find(([, prefix]) => name.startsWith(prefix));
  return found ? found[0] + name.slice(found[1].length) : name;
}

/** A checkpoint's tensors by their names in memory, and the layout they came in. */
export function inMemoryEntries(
  entries: ReadonlyMap<string, TensorEntry>,
  naming: Naming = LLAVA,
): { entries: Map<string, TensorEntry>; layout: LlavaLayout } {
  const renamed = new Map([...entries].map(([name, entry]) => [nameInMemory(name, naming), entry]));
  const old = [...entries.keys()].some(name => !pairFor(naming.new, name) && pairFor(naming.old, name));
  return { entries: renamed, layout: old ? 'old' : 'new' };
}
