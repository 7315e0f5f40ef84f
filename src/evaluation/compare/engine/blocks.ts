/** @file How the samples of a comparison are parted into blocks, and which of them are done. */
import type { Modality } from '../../../models/dual-encoder.ts';
import type { SampleName } from '../data/sample.ts';
import { BLOCK } from './block.ts';

/** Positions of samples of one group and modality, in blocks; blocks of all groups and modalities in turn, so that all grow alike. */
export function blocksOf(names: readonly SampleName[], size = BLOCK): number[][] {
  const kinds = new Map<string, number[]>();
  for (const [i, { group, modality }] of names.entries()) {
    const key = `${group}\0${modality}`;
    kinds.set(key, [...(kinds.get(key) ?? []), i]);
  }
  const parted = [...kinds.values()].map(list =>
    Array.from({ length: Math.ceil(list.length / size) }, (_, b) => list.slice(b * size, (b + 1) * size)),
  );
  const rounds = Math.max(0, ...parted.map(p => p.length));
  return Array.from({ length: rounds }, (_, round) => parted.flatMap(p => (p[round] ? [p[round]] : []))).flat();
}

/** Groups with their modalities, in the samples' order. */
export const kindsOf = (names: readonly SampleName[]): { readonly group: string; readonly modality: Modality }[] => [
  ...new Map(names.map(({ group, modality }) => [`${group}\0${modality}`, { group, modality }])).values(),
];
