/** @file A LLaVA's forward pass: `image_features`, `hidden_states.I` (the last one normalised), `logits`, `loss`. */
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import type { Checker } from '../checker.ts';
import { LOSS_SCALE } from '../tolerance.ts';
import { arranged, LLAVA_INPUTS, llavaBatch } from './inputs.ts';
import type { LlavaSubject } from './subject.ts';

const VALUE = /^(image_features|hidden_states\.\d+|logits|loss)$/;

/** One forward pass of the batch. */
export const llavaForwardChecker: Checker<LlavaSubject> = {
  name: 'forward values',
  role: name => (LLAVA_INPUTS.includes(name) ? 'input' : VALUE.test(name) ? 'value' : undefined),
  async *compute(context, names) {
    const { model, reference } = context;
    const batch = await llavaBatch(context);
    if ('reason' in batch) {
      for (const name of names) yield { name, reason: batch.reason };
      return;
    }
    const states = names.filter(name => name.startsWith('hidden_states.'));
    const out = await model.llava.forward(batch, { hiddenStates: states.length > 0 });
    const values = new Map<string, FloatTensor>();
    if (names.includes('image_features') && batch.pixelValues) {
      const features = await model.llava.imageFeatures(batch.pixelValues);
      values.set('image_features', arranged(features, reference.shape('image_features')));
    }
    for (const [i, state] of (out.hiddenStates ?? []).entries()) values.set(`hidden_states.${i}`, state);
    values.set('logits', out.logits);
    if (out.loss !== undefined) values.set('loss', floats([], [out.loss]));
    const layers = model.llava.config.text_config.num_hidden_layers;
    for (const name of names) {
      if (values.has(name)) continue;
      const lacks = { loss: 'the file has no labels', image_features: 'the file has no pixel_values' }[name];
      yield { name, reason: lacks ?? `the model has ${layers} decoder blocks and no "${name}"` };
    }
    for (const [name, value] of values)
      if (names.includes(name)) yield { name, kind: 'forward', value, scaleFloor: name === 'loss' ? LOSS_SCALE : undefined };
  },
};
