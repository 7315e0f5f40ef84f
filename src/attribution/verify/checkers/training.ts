/** @file The contrastive loss of the batch and its gradient for every parameter, computed as training computes them. */
import { compile, grad } from '../../../graph/index.ts';
import { clipLoss } from '../../../models/clip/forward.ts';
import { CLIPModel } from '../../../models/clip/model.ts';
import { trainableParameters } from '../../../nn/parameters.ts';
import type { FloatTensor } from '../../../tensor/tensor.ts';
import type { Checker } from '../checker.ts';
import { lacking, pairFeeds } from '../feeds.ts';
import { gradientFloors, gradientRuns, readWeights } from '../gradients.ts';
import { traceImage, traceText } from '../trace.ts';

const PREFIX = 'train.grad.';

/** `train.loss` and `train.grad.NAME`, with weights as graph inputs. */
export const trainingChecker: Checker = {
  name: 'training gradients',
  role: name => (name === 'train.loss' || name.startsWith(PREFIX) ? 'value' : undefined),
  async *compute(context, names) {
    const { model, reference } = context;
    const feeds = await pairFeeds(context);
    const counts = [feeds.image?.pixel_values.shape[0], feeds.text?.input_ids.shape[0]];
    const reason =
      (model instanceof CLIPModel ? undefined : 'training is not for this model, only for CLIP') ??
      lacking(feeds, { image: true, text: true }) ??
      (counts[0] === counts[1] ? undefined : `${counts[0]} images and ${counts[1]} texts are not pairs`);
    if (reason) {
      for (const name of names) yield { name, reason };
      return;
    }
    const p = trainableParameters();
    const image = traceImage(model, 'pairs', p).tower;
    const loss = clipLoss(model.similarity(p, image, traceText(model, feeds.text!, 'pairs', p)).logitsPerText);
    for (const name of names)
      if (name.startsWith(PREFIX) && !p.all.has(name.slice(PREFIX.length)))
        yield { name, reason: `the model has no parameter "${name.slice(PREFIX.length)}"` };
    const asked = new Set(names);
    // A backward pass begins at the end.
    const wanted = [...p.all].filter(([name]) => asked.has(PREFIX + name)).reverse();
    const scaleFloor = await gradientFloors(
      reference,
      PREFIX,
      wanted.map(([name]) => name),
    );
    const weights = await readWeights(model.checkpoint.entries, p.all.keys());
    for (const [i, group] of gradientRuns(wanted).entries()) {
      const gradients = grad(
        loss,
        group.map(([, value]) => value),
      );
      const outputs = Object.fromEntries([['train.loss', loss], ...group.map(([name], j) => [PREFIX + name, gradients[j]] as const)]);
      await using graph = await compile(model.runtime, outputs, { prepack: false });
      const out = await graph.run({ ...feeds.image, ...feeds.text, ...weights });
      if (i === 0 && asked.has('train.loss')) yield { name: 'train.loss', kind: 'forward', value: out['train.loss'] as FloatTensor };
      for (const [name] of group)
        yield { name: PREFIX + name, kind: 'gradient', value: out[PREFIX + name] as FloatTensor, scaleFloor: scaleFloor(name) };
    }
  },
};
