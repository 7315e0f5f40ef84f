/** @file The cosine of pair 0 and its gradients with regard to pixels, hidden states and attentions (what attribution methods read). */
import { compile, cosineSimilarity, grad, sum, type Value } from '../../graph/index.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import type { Checker } from '../checker.ts';
import { firstRows, lacking, pairFeeds } from '../feeds.ts';
import { COSINE_SCALE } from '../tolerance.ts';
import { beyondModel, namedValues, traceImage, traceText } from '../trace.ts';

const VALUE = /^grad\.(cosine|pixel_values|(vision|text)\.(hidden_states|attentions)\.\d+)$/;

/** `grad.*`; all gradients come from one run over the first row of each input. */
export const cosineGradientsChecker: Checker = {
  name: 'gradients of the cosine',
  role: name => (VALUE.test(name) ? 'value' : undefined),
  async *compute(context, names) {
    const { model } = context;
    const feeds = await pairFeeds(context);
    const reason = lacking(feeds, { image: true, text: true });
    if (reason) {
      for (const name of names) yield { name, reason };
      return;
    }
    const image = traceImage(model, 'pairs');
    const text = traceText(model, feeds.text!, 'pairs');
    const cosine = sum(cosineSimilarity(image.tower.features, text.features));
    const wrt = new Map<string, Value>([
      ['grad.pixel_values', image.pixels],
      ...[...namedValues('vision', image.tower), ...namedValues('text', text)].map(([name, value]) => [`grad.${name}`, value] as const),
    ]);
    for (const name of names) if (!wrt.has(name) && name !== 'grad.cosine') yield { name, reason: beyondModel(name, model) };
    // A backward pass begins at the end.
    const wanted = [...wrt].filter(([name]) => names.includes(name)).reverse();
    const gradients = grad(
      cosine,
      wanted.map(([, value]) => value),
    );
    const outputs = Object.fromEntries([['grad.cosine', cosine], ...wanted.map(([name], i) => [name, gradients[i]] as const)]);
    await using graph = await compile(model.runtime, outputs, { prepack: false });
    const out = await graph.run(firstRows({ ...feeds.image, ...feeds.text }));
    if (names.includes('grad.cosine'))
      yield { name: 'grad.cosine', kind: 'forward', value: out['grad.cosine'] as FloatTensor, scaleFloor: COSINE_SCALE };
    for (const [name] of wanted) yield { name, kind: 'gradient', value: out[name] as FloatTensor };
  },
};
