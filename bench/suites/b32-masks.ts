/** @file A pair of tensors for masking benchmarks on ViT-B/32's shape: random pixels, and a caption of so many one-token words. */

import type { CLIPModel } from '../../src/models/clip/model.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { floats, ints } from '../../src/tensor/tensor.ts';
import type { TensorPairs } from '../../src/verify/tensor-run.ts';

const BOS = 49406;
const EOS = 49407;

/** The same picture with `captions` captions of `words` words. */
export function maskPairs(model: CLIPModel, captions: number, words: number): TensorPairs {
  const size = model.config.vision_config.image_size;
  const plane = 3 * size * size;
  const picture = new RandomStream(3, 'bench.image').normals(0, 0, new Float32Array(plane));
  const pixels = new Float32Array(captions * plane);
  const ids = new Int32Array(captions * (words + 2));
  const reader = new RandomStream(3, 'bench.caption').reader(0, 0);
  for (let p = 0; p < captions; p++) {
    pixels.set(picture, p * plane);
    const own = [BOS, ...Array.from({ length: words }, () => 320 + reader.integer(40000)), EOS];
    ids.set(own, p * own.length);
  }
  return { pixelValues: floats([captions, 3, size, size], pixels), inputIds: ints([captions, words + 2], ids) };
}
