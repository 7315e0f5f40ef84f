/** @file For tests: the random clip-tiny with a tokenizer of whole words, which its golden files lack, and pairs drawn from a seed. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { CLIPModel } from '../../models/pretrained.ts';
import { sceneTokenizerJson } from '../../scenes/vocabulary.ts';
import { RandomStream } from '../../tensor/random.ts';
import type { Layers, Pair } from '../pair.ts';
import type { Attribution } from '../result.ts';

const WORDS = 'a red blue green dog cat tree house on the and of in two small large photo sky boat car'.split(' ');
const BOS = 94;
const EOS = 95;

/** clip-tiny in a directory of its own: 4 + 3 blocks, 32-pixel images in a 4 × 4 grid, texts of 16 tokens, ids 94 and 95 for the ends. */
export async function tinyPairModel(): Promise<CLIPModel & { readonly remove: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'narrows-tiny-'));
  await cp(fileURLToPath(new URL('../../models/testdata/clip-tiny', import.meta.url)), directory, { recursive: true });
  const source = JSON.stringify(sceneTokenizerJson(16)['tokenizer.json']);
  const json = JSON.parse(source);
  const ids: Record<string, number> = { '<unk>': 0, '<bos>': BOS, '<eos>': EOS };
  json.model.vocab = { ...ids, ...Object.fromEntries(WORDS.map((word, i) => [word, i + 1])) };
  json.added_tokens = json.added_tokens
    .filter((t: { content: string }) => t.content in ids)
    .map((t: { content: string }) => ({ ...t, id: ids[t.content] }));
  for (const name of ['<bos>', '<eos>']) json.post_processor.special_tokens[name].ids = [ids[name]];
  const names = { bos_token: '<bos>', eos_token: '<eos>', pad_token: '<eos>', unk_token: '<unk>' };
  await writeFile(join(directory, 'tokenizer.json'), JSON.stringify(json));
  await writeFile(join(directory, 'tokenizer_config.json'), JSON.stringify({ model_max_length: 16, ...names }));
  return Object.assign(await CLIPModel.fromPretrained(directory), { remove: () => rm(directory, { recursive: true }) });
}

/** An image of random blocks of 4 × 4 pixels. */
export function drawImage(seed: number, size = 32): RgbImage {
  const reader = new RandomStream(seed, 'test.image').reader(0, 0);
  const side = size / 4;
  const colours = Array.from({ length: side * side * 3 }, () => reader.integer(256));
  const data = Uint8Array.from({ length: size * size * 3 }, (_, i) => {
    const [pixel, c] = [Math.floor(i / 3), i % 3];
    const block = Math.floor(Math.floor(pixel / size) / 4) * side + Math.floor((pixel % size) / 4);
    return colours[block * 3 + c];
  });
  return { width: size, height: size, data };
}

/** A pair with a caption of `words` known words. */
export function drawPair(seed: number, words = 4): Pair {
  const reader = new RandomStream(seed, 'test.caption').reader(0, 0);
  return { image: drawImage(seed), text: Array.from({ length: words }, () => reader.pick(WORDS)).join(' ') };
}

/** Four pairs with captions of several lengths, so that a batch of them is padded. */
export const PAIRS: readonly Pair[] = [2, 7, 1, 4].map((words, i) => drawPair(i + 1, words));

/** Bytes that hold one image's row, forward or backward, and not a second one: with less, methods refuse to run. */
export const ONE_ROW = 240_000;

/** Where the gates stand by default: two of four image blocks above, and the text's embeddings. */
export const LAYERS: Layers = { image: 1, text: -1 };

/** Values of a caption's tokens. */
export const textValues = (a: Attribution): number[] => a.text!.tokens.map(t => t.value);

/** Sum in double precision. */
export const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
