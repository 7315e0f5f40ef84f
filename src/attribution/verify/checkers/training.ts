/** @file The contrastive loss of the batch and its gradient for every parameter, computed as training computes them. */
import { readFloats } from '../../../checkpoints/safetensors.ts';
import { compile, grad, type Value } from '../../../graph/index.ts';
import { clipLoss } from '../../../models/clip/forward.ts';
import { CLIPModel } from '../../../models/clip/model.ts';
import { trainableParameters } from '../../../nn/parameters.ts';
import { type FloatTensor, floats, sizeOf, type Tensor } from '../../../tensor/tensor.ts';
import type { Checker } from '../checker.ts';
import { largest } from '../compare.ts';
import { lacking, pairFeeds } from '../feeds.ts';
import { traceImage, traceText } from '../trace.ts';

const PREFIX = 'train.grad.';

/**
 * Errors count relative to the tensor's own largest entry, or to this share of the largest entry of all gradients in the file: what is
 * far smaller than the rest is rounding.
 */
const FLOOR = 1e-3;

/**
 * A key's bias shifts all scores of a query alike, which softmax ignores: its gradient is zero in theory and rounding in practice.
 * It is measured against the gradient of the weight beside it, which sums the same terms without cancelling.
 */
const CANCELLING = /(self_attn\.k_proj)\.bias$/;

/** Bytes of gradients that one run may give; a model with more takes several runs. */
const RUN_BYTES = 512 * 2 ** 20;

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
    const sizes = new Map<string, number>();
    for (const [name] of wanted) sizes.set(name, largest((await reference.floats(PREFIX + name)).data));
    const floor = FLOOR * Math.max(...sizes.values());
    const scaleFloor = (name: string): number =>
      CANCELLING.test(name) ? Math.max(floor, sizes.get(name.replace(CANCELLING, '$1.weight')) ?? 0) : floor;

    const weights: Record<string, Tensor> = {};
    for (const name of p.all.keys()) {
      const entry = model.checkpoint.entries.get(name)!;
      weights[name] = floats(entry.shape, await readFloats(entry));
    }
    for (const [i, group] of groups(wanted).entries()) {
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

/** At least one group, each of at most `RUN_BYTES` where a single tensor is not larger. */
function groups(wanted: readonly [string, Value][]): [string, Value][][] {
  const out: [string, Value][][] = [[]];
  let room = RUN_BYTES;
  for (const pair of wanted) {
    const bytes = 4 * sizeOf(pair[1].shape as number[]);
    if (bytes > room && out.at(-1)!.length) {
      out.push([]);
      room = RUN_BYTES;
    }
    out.at(-1)!.push(pair);
    room -= bytes;
  }
  return out;
}
