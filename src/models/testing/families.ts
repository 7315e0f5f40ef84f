/** @file For tests: the tiny random checkpoints of every layout of an image–text model, and what their makers recorded of pictures and captions. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats, readTensor } from '../../checkpoints/safetensors.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';

/** Folder below `src/models` of each. */
export const FAMILIES = [
  ...['plain', 'clipa', 'siglip', 'biomed', 'gap'].map(name => `openclip/testdata/openclip-${name}`),
  ...['vit-bert', 'clip-roberta', 'chinese-clip'].map(name => `vision-text/testdata/${name}`),
  'naflex/testdata/naflex-tiny',
];

/** Its directory. */
export const familyDirectory = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** A picture and what the family's own processor makes of it. */
export interface RecordedPicture {
  readonly image: RgbImage;
  readonly processed: FloatTensor;
}

/** The pictures of inputs.safetensors. */
export async function recordedPictures(directory: string): Promise<RecordedPicture[]> {
  const { tensors } = await openSafetensors(`${directory}/inputs.safetensors`);
  const out: RecordedPicture[] = [];
  for (let i = 0; tensors.has(`image.${i}`); i++) {
    const [image, processed] = [tensors.get(`image.${i}`)!, tensors.get(`processed.${i}`)!];
    const [height, width] = image.shape;
    const data = new Uint8Array((await readTensor(image)).data as Uint8Array);
    out.push({ image: { width, height, data }, processed: floats(processed.shape, await readFloats(processed)) });
  }
  return out;
}

/** Texts with the ids that the family's own tokenizer gives, padding included. */
export const recordedCaptions = async (directory: string): Promise<{ text: string; ids: number[] }[]> =>
  JSON.parse(await readFile(`${directory}/captions.json`, 'utf8'));
