/** @file Images of another size than the config's, by interpolated position embeddings: any `PREFIX.pixel_values` and what follows from it. */
import { floats } from '../../tensor/tensor.ts';
import type { Checker } from '../checker.ts';

const NAME = /^(?!(?:vision|text|grad|train)\.)(\w+)\.(?:(pixel_values)|image_embeds|vision\.hidden_states\.(\d+))$/;

/** `PREFIX.pixel_values` as input; its embedding, hidden states and image embeddings as values. */
export const otherSizesChecker: Checker = {
  name: 'other image sizes',
  role(name) {
    const match = NAME.exec(name);
    return match ? (match[2] ? 'input' : 'value') : undefined;
  },
  async *compute({ model, reference }, names) {
    for (const name of names) {
      const [, prefix, , index] = NAME.exec(name)!;
      const pixels = `${prefix}.pixel_values`;
      const layer = index === undefined ? model.image.layers - 1 : Number(index) - 1;
      if (!reference.has(pixels)) yield { name, reason: `the file has no ${pixels}` };
      else if (layer >= model.image.layers) yield { name, reason: `the image tower has ${model.image.layers} blocks` };
      else {
        const run = await model.runTower(model.image, model.imageInputs(await reference.floats(pixels)), layer);
        yield { name, kind: 'forward', value: index === undefined ? normalised(run.features) : run.hidden };
      }
    }
  },
};

/** Rows scaled to unit length. */
function normalised({ shape, data }: { shape: readonly number[]; data: Float32Array }) {
  const width = shape[1];
  const out = data.slice();
  for (let at = 0; at < out.length; at += width) {
    const row = out.subarray(at, at + width);
    const length = Math.hypot(...row);
    for (let i = 0; i < width; i++) row[i] /= length;
  }
  return floats(shape, out);
}
