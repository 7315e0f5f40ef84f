/** @file The contrastive loss of the batch and its gradient for every parameter, computed as training computes them. */
import { clipLoss } from '../../models/clip/forward.ts';
import { CLIPModel } from '../../models/clip/model.ts';
import { trainableParameters } from '../../nn/parameters.ts';
import type { Checker } from '../checker.ts';
import { lacking, pairFeeds } from '../feeds.ts';
import { lossGradients } from '../gradients.ts';
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
    const { runtime, checkpoint } = model;
    yield* lossGradients({
      ...{ runtime, reference, prefix: PREFIX, names, parameters: p.all, entries: checkpoint.entries, loss },
      feeds: { ...feeds.image, ...feeds.text },
      lossName: 'train.loss',
    });
  },
};
