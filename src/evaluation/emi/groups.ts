/** @file Which items belong together, over all sets of a measurement. */
import type { EmiItem } from './sets.ts';

/**
 * What makes an item the same question in another set: its key and its reference, since unrelated sets number their questions alike. What is
 * shown and asked may differ: that is the shift.
 */
export const sameQuestion = ({ key, reference }: EmiItem): string => JSON.stringify([key, reference]);

/**
 * A group per item of every set: items share one where they are the same question (in two sets) or have the same picture (in one set), directly
 * or by way of others.
 */
export function groupItems(sets: readonly (readonly EmiItem[])[]): string[][] {
  const parents = new Map<string, string>();
  const root = (name: string): string => {
    let at = name;
    for (let up = parents.get(at); up !== undefined && up !== at; up = parents.get(at)) at = up;
    for (let from = name; from !== at; ) {
      const up = parents.get(from)!;
      parents.set(from, at);
      from = up;
    }
    return at;
  };
  const join = (a: string, b: string): void => {
    const [first, second] = [root(a), root(b)].sort();
    parents.set(first, first);
    parents.set(second, first);
  };
  sets.forEach((items, s) => {
    for (const item of items) for (const { id } of item.pictures) join(sameQuestion(item), `picture ${s} ${id}`);
  });
  return sets.map(items => items.map(item => root(sameQuestion(item))));
}
