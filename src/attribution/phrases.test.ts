/** @file A map for each phrase of a report: each equals the phrase's own, and word pieces count for their word. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { phrasesByCommas } from '../inputs/text/phrases.ts';
import type { DualEncoderModel } from '../models/dual-encoder-model.ts';
import { loadModel } from '../models/pretrained.ts';
import { familyDirectory, recordedPictures } from '../models/testing/families.ts';
import { attributePhrases } from './phrases.ts';
import { createMethod, findMethod } from './registry.ts';

const NAME = 'openclip/testdata/openclip-biomed';
let model: DualEncoderModel;
beforeAll(async () => {
  model = await loadModel(familyDirectory(NAME));
});
afterAll(() => model.release());

it('explains a report and its phrases; a word is the sum of its word pieces', async () => {
  const [{ image }] = await recordedPictures(familyDirectory(NAME));
  const text = 'right pleural effusion, no pneumothorax';
  await using method = createMethod(findMethod('saliency')!, model, {});
  const { whole, phrases } = await attributePhrases(method, { image, text }, phrasesByCommas(text));
  expect(phrases.map(p => p.text)).toEqual(['right pleural effusion', 'no pneumothorax']);
  const [alone] = await method.attributeAll([{ image, text: 'no pneumothorax' }]);
  expect([...phrases[1].result.image!.patches]).toEqual([...alone.image!.patches]);
  expect(phrases[1].result.cosine).toBe(alone.cosine);
  // Other words, another map.
  expect([...phrases[0].result.image!.patches]).not.toEqual([...alone.image!.patches]);
  const { words, tokens } = whole.text!;
  const word = words.find(w => w.text === 'pneumothorax')!;
  expect(word.tokens.map(i => tokens[i].text)).toEqual(['pneu', '##mo', '##thorax']);
  expect(word.value).toBeCloseTo(
    word.tokens.reduce((sum, i) => sum + tokens[i].value, 0),
    6,
  );
  const no = words.find(w => w.text === 'no')!;
  expect(phrases[1].inCaption).toBeCloseTo(no.value + word.value, 6);
  expect(phrases[0].inCaption! + phrases[1].inCaption!).toBeLessThan(words.reduce((sum, w) => sum + w.value, 0));
  await expect(attributePhrases(method, { image, text }, [])).rejects.toThrow('has no phrase');
});
