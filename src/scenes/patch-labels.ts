/** @file Dense labels: which concept each patch of the image shows. */
import { NarrowsError } from '../system/errors.ts';
import type { Scene } from './scene.ts';

/**
 * Index of an object per patch, row-major [⌊height / patch⌋ × ⌊width / patch⌋]: the one that owns the largest share of the patch, if that
 * share exceeds `threshold`, else -1. Pixels beyond the last whole patch are left out, as a patch embedding does.
 * @throws NarrowsError when `patchSize` is not a positive integer.
 */
export function patchObjects(
  scene: Pick<Scene, 'width' | 'height' | 'owners' | 'objects'>,
  patchSize: number,
  threshold = 0.35,
): Int16Array {
  if (!Number.isInteger(patchSize) || patchSize < 1) throw new NarrowsError(`The patch size must be a positive integer, got ${patchSize}.`);
  const columns = Math.floor(scene.width / patchSize);
  const rows = Math.floor(scene.height / patchSize);
  const out = new Int16Array(columns * rows).fill(-1);
  const counts = new Int32Array(scene.objects.length);
  const least = threshold * patchSize * patchSize;
  for (let patch = 0; patch < out.length; patch++) {
    const left = (patch % columns) * patchSize;
    const top = Math.floor(patch / columns) * patchSize;
    counts.fill(0);
    for (let y = top; y < top + patchSize; y++) {
      for (let i = y * scene.width + left, end = i + patchSize; i < end; i++) if (scene.owners[i] >= 0) counts[scene.owners[i]]++;
    }
    let best = -1;
    for (let k = 0; k < counts.length; k++) if (counts[k] > least && (best < 0 || counts[k] > counts[best])) best = k;
    out[patch] = best;
  }
  return out;
}

/** The same with the object's concept in place of its index. @throws NarrowsError when `patchSize` is not a positive integer. */
export const patchOwners = (
  scene: Pick<Scene, 'width' | 'height' | 'owners' | 'objects'>,
  patchSize: number,
  threshold?: number,
): Int16Array => patchObjects(scene, patchSize, threshold).map(k => (k < 0 ? -1 : scene.objects[k].concept));
