/** @file Lays a checkpoint's tensors under the names and shapes that a model asks for, where they differ in nothing but these. */
import { changedEntry, type TensorEntry } from '../checkpoints/safetensors.ts';
import type { Shape } from '../graph/index.ts';
import { NarrowsError } from '../system/errors.ts';
import { sizeOf } from '../tensor/tensor.ts';

/**
 * Checks numbers of blocks before a model is traced: a number in a damaged config may be of any size, and tracing takes time and memory for each.
 * @param counts number of blocks by the config's key @throws NarrowsError naming the key, where there are more blocks than tensors
 */
export function requireBlocks(counts: Readonly<Record<string, number>>, entries: ReadonlyMap<string, TensorEntry>, source: string): void {
  for (const [key, count] of Object.entries(counts)) {
    if (count <= entries.size) continue;
    throw new NarrowsError(
      `config.json of ${source} asks for ${count} blocks (${key}), but its weights have only ${entries.size} tensors; the weights and the config do not belong together.`,
    );
  }
}

/** What stands before every name that is wanted: transformers' base model prefix (`clip.`) or a wrapper's (`module.`); '' for none that fits. */
function commonPrefix(wanted: Iterable<string>, entries: ReadonlyMap<string, TensorEntry>): string {
  const names = [...wanted];
  const missing = names.find(name => !entries.has(name));
  if (missing === undefined) return '';
  for (const name of entries.keys()) {
    if (!name.endsWith(`.${missing}`)) continue;
    const prefix = name.slice(0, -missing.length);
    if (names.every(n => entries.has(prefix + n))) return prefix;
  }
  return '';
}

/**
 * The same entries by the names that a model asks for: a prefix that stands before all of them is taken off, and a tensor of one element
 * takes the shape that is asked for (`logit_scale` is stored as a scalar or as [1]). Other entries stay.
 * @param wanted name -> shape @param base prefix that transformers takes off, too, and that needs no word
 */
export function fitEntries(
  wanted: ReadonlyMap<string, { readonly shape: Shape }>,
  entries: ReadonlyMap<string, TensorEntry>,
  base: string,
  onWarning: (message: string) => void = () => {},
): Map<string, TensorEntry> {
  const prefix = commonPrefix(wanted.keys(), entries);
  if (prefix && prefix !== `${base}.`)
    onWarning(`The names of all tensors begin with "${prefix}", which is taken off; transformers would not find them.`);
  const out = new Map<string, TensorEntry>();
  for (const [stored, entry] of entries) {
    const name = prefix && stored.startsWith(prefix) ? stored.slice(prefix.length) : stored;
    const shape = wanted.get(name)?.shape as readonly number[] | undefined;
    const single = shape && sizeOf(shape) === 1 && sizeOf(entry.shape) === 1;
    out.set(name, single ? changedEntry(entry, { shape }) : entry);
  }
  return out;
}

/** The tensors that a model does not read, in one sentence; undefined where there is none. */
export function unreadSentence(names: readonly string[], source: string): string | undefined {
  if (names.length === 0) return undefined;
  const some = `${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`;
  return `${names.length} tensor${names.length > 1 ? 's' : ''} of ${source} ${names.length > 1 ? 'are' : 'is'} ignored (${some}): the model that config.json describes has no place for ${names.length > 1 ? 'them' : 'it'}.`;
}
