/** @file Image–text models of every layout: pictures and captions become what the family's own programs make of them. */
import { afterAll, describe, expect, it } from 'vitest';
import { ints } from '../tensor/tensor.ts';
import { expectClose } from '../testing/close.ts';
import type { DualEncoderModel } from './dual-encoder-model.ts';
import { loadModel } from './pretrained.ts';
import { FAMILIES, familyDirectory, recordedCaptions, recordedPictures } from './testing/families.ts';

const models = new Map<string, Promise<DualEncoderModel>>();
const open = (name: string): Promise<DualEncoderModel> => {
  if (!models.has(name)) models.set(name, loadModel(familyDirectory(name)));
  return models.get(name)!;
};
afterAll(async () => {
  for (const model of models.values()) await (await model).release();
});

describe.each(FAMILIES)('%s', name => {
  it('fits its weights without anything left over', async () => {
    const model = await open(name);
    expect(model.report).toEqual({ missing: [], unexpected: [], misshaped: [] });
  });

  it('makes the pixel values that its own processor makes, bit for bit', async () => {
    const model = await open(name);
    const pictures = await recordedPictures(familyDirectory(name));
    expect(pictures.length).toBe(4);
    for (const [i, { image, processed }] of pictures.entries()) {
      const { pixelValues } = model.processor.process(image);
      expect(pixelValues.shape, `picture ${i}`).toEqual(processed.shape);
      expectClose(pixelValues.data, processed.data, { rtol: 0, atol: 0, label: `picture ${i}` });
    }
  });

  it('gives the token ids of its own tokenizer, each with its place in the text', async () => {
    const model = await open(name);
    const tokenizer = model.requireTokenizer();
    for (const { text, ids } of await recordedCaptions(familyDirectory(name))) {
      const row = tokenizer.encode(text, { maxLength: model.maxTextLength });
      const inputs = model.textInputs(ints([1, row.ids.length], row.ids));
      const seen = Array.from(inputs.input_ids.data as Int32Array);
      // Behind the text the family's tokenizer fills up.
      expect(seen, text).toEqual(ids.slice(0, seen.length));
      expect(new Set(ids.slice(seen.length)).size).toBeLessThanOrEqual(1);
      for (const token of row.tokens.filter(t => !t.special)) {
        const [piece, word] = [text.slice(token.start, token.end), token.text.replace(/^##|<\/w>$|Ġ/g, '')];
        if (!token.unknown && /^[\x20-\x7e]+$/.test(word)) expect(piece.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '')).toBe(word);
      }
    }
  });
});
