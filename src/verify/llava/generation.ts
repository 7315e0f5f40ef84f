/** @file `generate.output`: prompts continued greedily over a cache, token by token; ends of answers are not obeyed. */
import { generate } from '../../generation/generate.ts';
import { imageTokens } from '../../models/llava/config.ts';
import type { LlavaPrompt } from '../../models/llava/decoding.ts';
import { familyOf } from '../../models/llava/families.ts';
import { floats } from '../../tensor/tensor.ts';
import { fileWithInput } from '../attribution-inputs.ts';
import type { Checker } from '../checker.ts';
import { cutPixels, familyPixels } from './family-pixels.ts';
import type { LlavaSubject } from './subject.ts';

const PROMPT = 'generate.prompt';
const OUTPUT = 'generate.output';

/** `generate.prompt` [B, T] without padding; its images are the first of `pixel_values`. */
export const llavaGenerationChecker: Checker<LlavaSubject> = {
  name: 'greedy generation',
  role: name => (name === PROMPT ? 'input' : name === OUTPUT ? 'value' : undefined),
  async *compute(context, names) {
    const { model, reference } = context;
    if (!reference.has(PROMPT)) {
      for (const name of names) yield { name, reason: `the file has no ${PROMPT}` };
      return;
    }
    const { llava } = model;
    const given = await reference.integers(PROMPT);
    const [rows, length] = given.shape;
    const file = await fileWithInput(context, 'pixel_values');
    const stored = 'reason' in file ? undefined : await file.floats('pixel_values');
    const pixels = stored && 'path' in file ? await familyPixels(llava.config, stored, file) : stored;
    let rest = pixels;
    const size = pixels ? pixels.data.length / pixels.shape[0] : 0;
    let used = 0;
    const prompts = Array.from({ length: rows }, (_, b): LlavaPrompt => {
      const ids = Array.from(given.data.subarray(b * length, (b + 1) * length) as Int32Array);
      const tokens = ids.filter(id => id === llava.config.image_token_index).length;
      if (rest && tokens && familyOf(llava.config)) {
        const cut = cutPixels(llava.config, rest, tokens);
        rest = cut.rest;
        return { ids, pixelValues: cut.own };
      }
      const images = tokens / imageTokens(llava.config);
      const from = used;
      used += images;
      if (!images || !pixels) return { ids };
      return { ids, pixelValues: floats([images, ...pixels.shape.slice(1)], pixels.data.subarray(from * size, used * size)) };
    });
    const total = reference.shape(OUTPUT)[1] ?? length;
    const answers = await generate(llava, prompts, { maxNewTokens: Math.max(1, total - length) });
    const ids = answers.flatMap((answer, b) => [...prompts[b].ids, ...answer.ids]);
    yield { name: OUTPUT, kind: 'forward', value: floats([rows, ids.length / rows], ids), exact: true };
  },
};
