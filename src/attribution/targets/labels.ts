/** @file The log-probability of the caption among labels. */
import { NarrowsError } from '../../system/errors.ts';
import { floats } from '../../tensor/tensor.ts';
import { pairTargets } from './pair.ts';
import { encodeTexts, quoted, type TargetEncoder } from './target-kind.ts';

/**
 * The caption itself may be among the labels: it counts once.
 * @throws NarrowsError (usage) where no other label is left, or where only some captions are among them
 */
export const labels: TargetEncoder<readonly string[]> = async (context, names) => {
  const { model, encoded, captions } = context;
  const features = await encodeTexts(context, names);
  const width = captions[0].length;
  const counts = encoded.pairs.map(pair => names.filter(l => l.trim() !== pair.text.trim()).length);
  const count = Math.min(...counts);
  if (Math.max(...counts) === 0 || Math.max(...counts) !== count)
    throw new NarrowsError(
      Math.max(...counts) === 0
        ? 'The labels are only the caption itself; name at least one other.'
        : 'Some captions are among the labels and some are not; attribute them apart, or with the same labels for all.',
      { kind: 'usage' },
    );
  const data = new Float32Array(encoded.pairs.length * (count + 1) * width);
  encoded.pairs.forEach((pair, p) => {
    const others = features.filter((_, i) => names[i].trim() !== pair.text.trim());
    [captions[p], ...others].forEach((v, k) => {
      data.set(v, (p * (count + 1) + k) * width);
    });
  });
  return {
    ...pairTargets(context),
    image: {
      form: 'log-probability',
      kind: 'labels',
      vectors: floats([encoded.pairs.length, count + 1, width], data),
      scale: await model.logitScale(),
      description: `log-probability of the caption among ${count + 1} labels (${count < names.length ? '' : 'itself, '}${quoted(names)})`,
    },
  };
};
