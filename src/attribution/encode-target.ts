/** @file Encodes what a call asks to be explained into targets for both towers (see target.ts). */
import { requireKnown, requireText } from '../inputs/text/require-text.ts';
import type { DualEncoder, Modality } from '../models/dual-encoder.ts';
import { NarrowsError } from '../system/errors.ts';
import { floats } from '../tensor/tensor.ts';
import type { EncodedPairs } from './pair.ts';
import { row } from './rows.ts';
import { linearTarget, type Target, type TargetSpec, unit } from './target.ts';

/** Unit features of texts. @throws NarrowsError for an empty text or one of unknown words alone */
async function encodeTexts(model: DualEncoder, texts: readonly string[]): Promise<Float32Array[]> {
  const batch = model.requireTokenizer().encodeBatch(
    texts.map(text => requireText(text)),
    { maxLength: model.maxTextLength },
  );
  for (const [i, each] of batch.rows.entries()) requireKnown(texts[i], each);
  const features = await model.textFeatures(batch.inputIds, batch.attentionMask);
  return texts.map((_, i) => unit(row(features, i)));
}

/** The targets of both towers. @throws NarrowsError for texts that cannot be encoded, a template without {}, or contradicting wishes */
export async function encodeTargets(model: DualEncoder, encoded: EncodedPairs, spec: TargetSpec = {}): Promise<Record<Modality, Target>> {
  const asked = Object.entries(spec).filter(([name, value]) => value !== undefined && name !== 'imageName');
  if (asked.length > 1)
    throw new NarrowsError(`Only one target can be explained at a time, got ${asked.map(([name]) => name).join(' and ')}.`, {
      kind: 'usage',
    });
  const images = encoded.pairs.map((_, p) => unit(row(encoded.image.features, p)));
  const captions = encoded.pairs.map((_, p) => unit(row(encoded.text.features, p)));
  const text = linearTarget(images, 'cosine to the image');
  if (spec.image) {
    const { pixelValues } = model.processor.process(spec.image);
    const other = unit((await model.imageFeatures(floats([1, ...pixelValues.shape], pixelValues.data))).data);
    const target = linearTarget(
      images.map(() => other),
      'cosine to the other image',
    );
    return { image: target, text: target };
  }
  if (spec.against !== undefined) {
    const [other] = await encodeTexts(model, [spec.against]);
    const vectors = captions.map(c => c.map((v, i) => v - other[i]));
    return { image: linearTarget(vectors, `cosine to the caption minus cosine to "${spec.against}"`), text };
  }
  if (spec.templates) {
    const bad = spec.templates.find(t => !t.includes('{}'));
    if (bad !== undefined || spec.templates.length === 0)
      throw new NarrowsError(`The template ${JSON.stringify(bad ?? '')} has no {} for the caption.`, { kind: 'usage' });
    const vectors: Float32Array[] = [];
    for (const pair of encoded.pairs) {
      const prompts = await encodeTexts(
        model,
        spec.templates.map(t => t.replaceAll('{}', pair.text)),
      );
      vectors.push(unit(prompts[0].map((_, i) => prompts.reduce((sum, prompt) => sum + prompt[i], 0))));
    }
    return { image: linearTarget(vectors, `cosine to the mean of ${spec.templates.length} prompts`), text };
  }
  if (spec.labels) {
    const labels = await encodeTexts(model, spec.labels);
    // The caption itself may be among the labels: it counts once.
    const width = captions[0].length;
    const names = spec.labels;
    const counts = encoded.pairs.map(pair => names.filter(l => l.trim() !== pair.text.trim()).length);
    const count = Math.min(...counts);
    if (Math.max(...counts) === 0 || Math.max(...counts) !== count)
      throw new NarrowsError(
        Math.max(...counts) === 0
          ? 'The labels hold nothing beside the caption itself; name at least one other.'
          : 'Some captions are among the labels and some are not; attribute them apart, or with the same labels for all.',
        { kind: 'usage' },
      );
    const data = new Float32Array(encoded.pairs.length * (count + 1) * width);
    encoded.pairs.forEach((pair, p) => {
      const others = labels.filter((_, i) => names[i].trim() !== pair.text.trim());
      [captions[p], ...others].forEach((v, k) => {
        data.set(v, (p * (count + 1) + k) * width);
      });
    });
    const vectors = floats([encoded.pairs.length, count + 1, width], data);
    const description = `log-probability of the caption among ${count + 1} labels`;
    return { image: { kind: 'log-probability', vectors, scale: await model.logitScale(), description }, text };
  }
  return { image: linearTarget(captions, 'cosine to the caption'), text };
}
