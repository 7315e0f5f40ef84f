/** @file A pair for ViT-B/32's shape: a picture of random pixels and a caption of twelve tokens, start and end included. */
import { join } from 'node:path';
import type { Pair } from '../../src/attribution/pair.ts';
import { writeSafetensors } from '../../src/checkpoints/write.ts';
import type { CLIPModel } from '../../src/models/clip/model.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { floats } from '../../src/tensor/tensor.ts';

const CAPTION = 'a photo of a cat and a dog on grass';

/** The pair, and the same as what a Python peer takes: a file of pixels, and ids. @param scratch directory of that file */
export async function b32Pair(model: CLIPModel, scratch: string): Promise<{ pair: Pair; ids: number[]; pixels: string }> {
  const size = model.config.vision_config.image_size;
  const words = new RandomStream(3, 'bench.image').words(0, 0, new Uint32Array(size * size * 3));
  const pair: Pair = { image: { width: size, height: size, data: Uint8Array.from(words, w => w & 255) }, text: CAPTION };
  const { pixelValues } = model.processor.process(pair.image);
  const { inputIds } = model.requireTokenizer().encodeBatch([CAPTION], { maxLength: model.maxTextLength });
  const ids = Array.from(inputIds.data as Int32Array, Number);
  if (ids.length !== 12) throw new Error(`The caption has ${ids.length} tokens, not 12.`);
  const pixels = join(scratch, 'pixels.safetensors');
  await writeSafetensors(pixels, { pixel_values: floats([1, ...pixelValues.shape.slice(-3)], pixelValues.data) });
  return { pair, ids, pixels };
}
