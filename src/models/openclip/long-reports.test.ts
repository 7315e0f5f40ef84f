/** A text tower of 256 tokens (BiomedCLIP) with reports that fill it: open_clip's ids, features and cosine, and what is said of a longer one. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attributePhrases } from '../../attribution/phrases.ts';
import { createMethod } from '../../attribution/registry.ts';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { phrasesByCommas } from '../../inputs/text/phrases.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import type { DualEncoderModel } from '../dual-encoder-model.ts';
import { loadModel } from '../pretrained.ts';
import { familyDirectory, recordedPictures } from '../testing/families.ts';

const directory = familyDirectory('openclip/testdata/openclip-biomed');
interface LongReport {
  readonly text: string;
  readonly ids: readonly number[];
  readonly text_embeds: readonly number[];
  readonly cosine: number;
}
const [fitting, longer] = JSON.parse(readFileSync(`${directory}/long-reports.json`, 'utf8')) as LongReport[];

let model: DualEncoderModel;
beforeAll(async () => {
  model = await loadModel(directory);
});
afterAll(() => model.release());

describe('reports of many findings', () => {
  it('have the ids, features and cosine that open_clip gives them, up to 256 tokens', async () => {
    expect(model.maxTextLength).toBe(256);
    const { tensors } = await openSafetensors(`${directory}/outputs.safetensors`);
    const stored = tensors.get('pixel_values')!;
    const pixelValues = floats(stored.shape, await readFloats(stored));
    for (const { text, ids, text_embeds, cosine } of [fitting, longer]) {
      const row = model.requireTokenizer().encode(text, { maxLength: model.maxTextLength });
      const used = row.ids.length;
      expect(row.ids).toEqual(ids.slice(0, used));
      expect(ids.slice(used).every(id => id === 0)).toBe(true);
      const { imageEmbeds, textEmbeds } = await model.forward({ pixelValues, inputIds: ints([1, used], row.ids) });
      expectClose(textEmbeds.data, text_embeds, { rtol: 1e-4, atol: 1e-5, label: 'text' });
      expect(text_embeds.reduce((sum, v, i) => sum + v * imageEmbeds.data[i], 0)).toBeCloseTo(cosine, 5);
    }
    expect(model.requireTokenizer().encode(longer.text, { maxLength: 256 }).ids).toHaveLength(256);
    expect(fitting.ids.filter(id => id !== 0).length).toBeGreaterThan(200);
  });

  it('are explained phrase by phrase; what falls off the end is said, and a phrase of it is explained by itself', {
    timeout: 120_000,
  }, async () => {
    const [{ image }] = await recordedPictures(directory);
    await using method = createMethod('grad-cam', model);
    const phrases = phrasesByCommas(longer.text);
    expect(phrases).toHaveLength(3 * 16);
    const last = phrases.slice(-2);
    const { whole, phrases: made } = await attributePhrases(method, { image, text: longer.text, imageName: 'x' }, last, {
      modality: 'image',
    });
    expect(whole.warnings?.join()).toMatch(/longer than the model's 256 tokens: its last \d+ are left out/);
    for (const { result } of made) expect(result.warnings?.join()).not.toContain('left out');
    const short = await attributePhrases(method, { image, text: fitting.text, imageName: 'x' }, phrasesByCommas(fitting.text).slice(0, 1), {
      modality: 'image',
    });
    expect(short.whole.warnings?.join()).not.toContain('left out');
    const alone = await method.attribute({ image, text: last[0].text, imageName: 'x' }, { modality: 'image' });
    expect([...made[0].result.image!.patches]).toEqual([...alone.image!.patches]);
  });
});
