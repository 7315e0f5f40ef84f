/**
 * @file What a patch is asked to say of the thing that it shows, besides its word: where the thing's middle is, how large it is, and whether
 * this is the patch of its middle, of which each thing has one. Questions about places, sizes and numbers are about things; from patches that
 * know only their own place a decoder would have to learn first which of them belong together.
 */
import { imageTokens, type LlavaConfig } from '../../models/llava/config.ts';
import { patchObjects } from '../../scenes/patch-labels.ts';
import type { Scene, SceneObject } from '../../scenes/scene.ts';
import { RandomStream } from '../../tensor/random.ts';
import { placeDirections } from './patch-places.ts';

/** Name of the graph input, float32 [images, N, 4]. */
export const PATCH_THINGS = 'patch_things';

/** What the four numbers of a patch are. */
export const THING_FACTS = ['column', 'row', 'size', 'middle'] as const;

/** Share of the canvas whose logarithm is 0, and how many times it is 1: things of scenes then lie between −1 and 1. */
const [USUAL_SHARE, LARGE] = [0.08, 3.5];

/** Four orthonormal directions [4, width]; the first two are those of places. */
export function thingDirections(width: number): Float32Array {
  const out = new Float32Array(THING_FACTS.length * width);
  out.set(placeDirections(width));
  const row = (i: number): Float32Array => out.subarray(i * width, (i + 1) * width);
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, v, i) => sum + v * y[i], 0);
  for (const i of [2, 3]) {
    const fresh = new RandomStream(0, 'patch.directions').normals(0, i, new Float32Array(width));
    for (let k = 0; k < i; k++) {
      const along = dot(fresh, row(k));
      for (let j = 0; j < width; j++) fresh[j] -= along * row(k)[j];
    }
    const length = Math.sqrt(dot(fresh, fresh));
    row(i).set(fresh.map(v => v / length));
  }
  return out;
}

const middleOf = ({ box }: SceneObject): [number, number] => [box.left + box.width / 2, box.top + box.height / 2];

/**
 * Numbers of every patch [N, 4], from −amplitude to amplitude, 0 where a patch shows no thing: column and row of the middle of the thing's box,
 * the logarithm of the thing's area, and `amplitude` in the thing's patch that lies nearest to its middle.
 */
export function thingFacts(scene: Scene, config: LlavaConfig, amplitude: number): Float32Array {
  const { patch_size: patch } = config.vision_config;
  const owners = patchObjects(scene, patch);
  const side = Math.round(Math.sqrt(imageTokens(config)));
  const out = new Float32Array(owners.length * THING_FACTS.length);
  const nearest = scene.objects.map(() => ({ patch: -1, distance: Number.POSITIVE_INFINITY }));
  owners.forEach((k, at) => {
    if (k < 0) return;
    const [x, y] = middleOf(scene.objects[k]);
    const distance = Math.hypot(((at % side) + 0.5) * patch - x, (Math.floor(at / side) + 0.5) * patch - y);
    if (distance < nearest[k].distance) nearest[k] = { patch: at, distance };
    // As `patchPlaces` has places: the middle of the first patch is −amplitude, that of the last one amplitude.
    const place = (v: number): number => ((v / patch - 0.5) / ((side - 1) / 2) - 1) * amplitude;
    const size = Math.log(scene.objects[k].area / (USUAL_SHARE * scene.width * scene.height)) / Math.log(LARGE);
    out.set([place(x), place(y), size * amplitude], at * THING_FACTS.length);
  });
  for (const { patch: at } of nearest) if (at >= 0) out[at * THING_FACTS.length + 3] = amplitude;
  return out;
}
