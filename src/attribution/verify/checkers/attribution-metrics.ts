/**
 * @file Removal curves over patches: `metric.deletion_curve` and `metric.insertion_curve`, the cosine after 0, 1, … all patches of
 * `image.nib`'s order went (became 0) or came, best first. `metric.map` and `metric.mask` are what other metrics were computed from.
 */
import { floats } from '../../../tensor/tensor.ts';
import { encodeTargets } from '../../encode-target.ts';
import { removalCurve } from '../../metrics/ranking.ts';
import { imageGame } from '../../perturbation/games.ts';
import { Perturbation } from '../../perturbation/perturbation.ts';
import { attributionInputs } from '../attribution-inputs.ts';
import type { Checker } from '../checker.ts';
import { encodeTensors } from '../tensor-run.ts';

const CURVE = /^metric\.(deletion|insertion)_curve$/;
const INPUT = /^metric\.(map|mask)$/;
/** The map whose order the curves follow: one value per token, prefix tokens first. */
const ORDER = 'image.nib';

/** Both curves of one pair come from one run. */
export const attributionMetricsChecker: Checker = {
  name: 'curves of removal',
  role: name => (CURVE.test(name) ? 'value' : INPUT.test(name) ? 'input' : undefined),
  async *compute(context, names) {
    const { model, reference } = context;
    const inputs = await attributionInputs(context);
    if ('reason' in inputs || !reference.has(ORDER)) {
      const reason = 'reason' in inputs ? inputs.reason : `the file has no ${ORDER}, whose order the curves follow`;
      for (const name of names) yield { name, reason };
      return;
    }
    const encoded = await encodeTensors(model, inputs, { image: -1, text: -1 });
    const { prefixTokens } = model.image;
    const { shape, data } = await reference.floats(ORDER);
    const [rows, columns] = encoded.image.grid;
    if (data.length !== prefixTokens + rows * columns) {
      const reason = `${ORDER} is [${shape.join(', ')}], not one value for each of the ${prefixTokens + rows * columns} tokens`;
      for (const name of names) yield { name, reason };
      return;
    }
    await using engine = new Perturbation({ model, encoded });
    const { image } = await encodeTargets(model, encoded);
    const curves = await removalCurve(imageGame(engine, 0, image), data.subarray(prefixTokens));
    for (const name of names) {
      const curve = curves[CURVE.exec(name)![1] as 'deletion' | 'insertion'];
      yield { name, kind: 'forward', value: floats([curve.length], curve) };
    }
  },
};
