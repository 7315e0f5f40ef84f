/** @file Where methods look in a model that answers, unless a layer is named. */
import type { Tower } from '../../models/dual-encoder.ts';
import { NarrowsError } from '../../system/errors.ts';

/**
 * The block of the decoder whose output a method looks at: −1, the embeddings, where it is left to us. There an image token holds its patch
 * and a word holds itself; further up the words that follow the picture have read it (docs/evidence/answers.md measures all layers).
 * @throws NarrowsError naming the range: behind the last block only the token that foretells is read
 */
export function answerLayer(layer: number | 'auto', tower: Pick<Tower, 'layers'>): number {
  if (layer === 'auto') return -1;
  const last = tower.layers - 2;
  if (Number.isInteger(layer) && layer >= -1 && layer <= last) return layer;
  throw new NarrowsError(
    `The layer ${layer} is out of range: the decoder has ${tower.layers} blocks, so a layer from -1 (the embeddings) to ${last} can be chosen for an answer (a gate: from -2, the vision tower's output).`,
    { kind: 'usage' },
  );
}
