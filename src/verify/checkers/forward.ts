/** @file Hidden states, attentions, pooled outputs, embeddings and logits of the whole model. */
import { compile, div, norm, type Value } from '../../graph/index.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import type { Checker } from '../checker.ts';
import { INPUTS, lacking, pairFeeds } from '../feeds.ts';
import { COSINE_SCALE } from '../tolerance.ts';
import { beyondModel, namedSimilarity, namedValues, traceImage, traceText } from '../trace.ts';

const VALUE = /^((vision|text)\.(hidden_states\.\d+|attentions\.\d+|pooler_output)|image_embeds|text_embeds|logits_per_(image|text))$/;

const needs = (name: string): { image: boolean; text: boolean } => ({
  image: /^(vision|image|logits)/.test(name),
  text: /^(text|logits)/.test(name),
});

/** The names of one forward pass; what only one tower needs is checked where the file has only its inputs. */
export const forwardChecker: Checker = {
  name: 'forward values',
  role: name => (INPUTS.includes(name) ? 'input' : VALUE.test(name) ? 'value' : undefined),
  async *compute(context, names) {
    const { model } = context;
    const feeds = await pairFeeds(context);
    const image = feeds.image && traceImage(model, 'images').tower;
    const text = feeds.text && traceText(model, feeds.text, 'texts');
    const known = new Map<string, Value>([
      ...(image ? namedValues('vision', image) : []),
      ...(text ? namedValues('text', text) : []),
      ...(image ? [['image_embeds', div(image.features, norm(image.features))] as const] : []),
      ...(text ? [['text_embeds', div(text.features, norm(text.features))] as const] : []),
      ...(image && text ? namedSimilarity(model, image, text) : []),
    ]);
    for (const name of names) {
      const reason = lacking(feeds, needs(name)) ?? (known.has(name) ? undefined : beyondModel(name, model));
      if (reason) yield { name, reason };
    }
    const wanted = [...known].filter(([name]) => names.includes(name));
    if (wanted.length === 0) return;
    await using graph = await compile(model.runtime, Object.fromEntries(wanted), { prepack: false });
    const out = await graph.run({ ...feeds.image, ...feeds.text });
    // A logit is a cosine times the model's scale (plus SigLIP's bias).
    const scale = COSINE_SCALE * (await model.logitScale());
    for (const [name] of wanted)
      yield { name, kind: 'forward', value: out[name] as FloatTensor, scaleFloor: name.startsWith('logits_') ? scale : undefined };
  },
};
