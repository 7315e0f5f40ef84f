/** @file CLIP Surgery: cosines of single patches with the text, on a second path of value–value attention, less what every text shares. */
import { z } from 'zod';
import {
  add,
  concat,
  input,
  matmul,
  mean,
  mul,
  normalise,
  reshape,
  slice,
  softmax,
  squeeze,
  sub,
  transpose,
  type Value,
} from '../../graph/index.ts';
import type { Tower } from '../../models/dual-encoder.ts';
import { type FloatTensor, floats, ints } from '../../tensor/tensor.ts';
import type { MethodEntry, MethodRun, TowerJob } from '../method.ts';
import { type AttentionGraph, explainByAttention } from '../primitives/attention.ts';
import { blockCount, lastBlocks } from '../primitives/blocks.ts';
import { row, rows } from '../rows.ts';
import { unit } from '../target.ts';

const schema = z.strictObject({
  blocks: blockCount.default('auto').describe('last blocks of the image tower that the second path has; auto: 6, at most half of them'),
  redundancy: z
    .enum(['empty', 'none'])
    .default('empty')
    .describe('what is taken off the text: the empty prompt, or nothing (with labels as the target, the labels tell instead)'),
});
type Options = z.infer<typeof schema>;

/** Blocks of the second path in the published code. */
const PUBLISHED_BLOCKS = 6;

const below = (tower: Tower, { blocks }: Options): number =>
  tower.layers - 1 - lastBlocks(blocks, Math.min(PUBLISHED_BLOCKS, Math.ceil(tower.layers / 2)), tower);

/** Sharpness of the softmax over labels that weighs classes in feature surgery, as published. */
const CLASS_SHARPNESS = 2;

/** The tokens' unit features: patches from the second path, the class token from the model's own. [P, N, E] */
function features(graph: AttentionGraph): Value {
  const { prefixTokens, width, heads, project } = graph.tower;
  const { blocks } = graph.trace();
  let path = graph.hidden;
  for (const { value, project: out } of blocks) {
    const attended = matmul(softmax(matmul(value, value, { transB: true, alpha: (width / heads) ** -0.5 })), value);
    path = add(path, out(reshape(transpose(attended, [0, 2, 1, 3]), ['batch', graph.tokens, width])));
  }
  const original = blocks.at(-1)!.hidden;
  return normalise(project!(concat([slice(original, 1, 0, prefixTokens), slice(path, 1, prefixTokens)], 1)));
}

/**
 * The text direction after feature surgery, [P, E, 1]. Labels: with w_c ∝ softmax(2 cos(CLS, t_c)), the product of patch and text per class
 * less its mean over classes is linear in the patch, so it is the patch times w_0 t_0 − mean_c w_c t_c. Else: t − t_empty.
 */
function direction(graph: AttentionGraph, tokens: Value): Value {
  const { form, vectors } = graph.job.target;
  const [, labels, width] = vectors.shape;
  const texts = input('target', ['batch', labels, width]);
  if (form === 'linear') return transpose(sub(texts, input('redundant', ['batch', 1, width])), [0, 2, 1]);
  const cosines = matmul(slice(tokens, 1, 0, 1), texts, { transB: true });
  // p / mean(p) = p · K, since probabilities sum to one
  const weights = mul(softmax(mul(cosines, CLASS_SHARPNESS)), labels);
  const weighted = mul(texts, transpose(weights, [0, 2, 1]));
  return transpose(sub(slice(weighted, 1, 0, 1), mean(weighted, 1, true)), [0, 2, 1]);
}

/** Unit feature of the caption without its words, only its special tokens. */
async function emptyPrompt({ model, encoded }: MethodRun): Promise<Float32Array> {
  const ids = encoded.text.batch.rows[0].tokens.filter(t => t.special).map(t => t.id);
  return unit((await model.textFeatures(ints([1, ids.length], ids))).data);
}

/** What is taken off each target, [P, 1, E]: the empty prompt from a text; nothing from a difference of texts, where it is gone already. */
function redundant({ target }: TowerJob, empty: Float32Array | undefined): FloatTensor {
  const [pairs, , width] = target.vectors.shape;
  const data = new Float32Array(pairs * width);
  for (let p = 0; p < pairs; p++) {
    const length = Math.hypot(...row(target.vectors, p).subarray(0, width));
    if (empty && Math.abs(length - 1) < 1e-3) data.set(empty, p * width);
  }
  return floats([pairs, 1, width], data);
}

/**
 * cos of each patch with the text less that with the empty prompt, [N], signed. Patches come from a second path: in the last blocks
 * x ← x + W_o softmax(v vᵀ/√d) v with v of the undisturbed path, feed-forward left out. It explains this modified network, not the model:
 * its values do not tell what the model's score rests on. Of images only, and of towers whose tokens can be compared with a text one by one.
 */
export const clipSurgery: MethodEntry<Options> = {
  name: 'clip-surgery',
  title: 'CLIP Surgery',
  family: 'attention',
  serves: 'pair',
  modalities: ['image'],
  schema,
  cost: 'F of the blocks read; of a modified network',
  paper:
    'Li et al.: CLIP Surgery for better explainability with enhancement in open-vocabulary tasks, arXiv 2304.05653 (explains a modified network, not the model)',
  unit: 'score',
  signed: true,
  sampled: false,
  unsupported: (model, modality) =>
    model[modality].project
      ? undefined
      : `clip-surgery compares single tokens with the text, but a head pools all tokens of the ${modality} tower of ${model.name}.`,
  layers: (model, options) => ({ image: below(model.image, options) }),
  async explain(run, { redundancy }) {
    const empty = redundancy === 'empty' && run.image.target.form === 'linear' ? await emptyPrompt(run) : undefined;
    return explainByAttention(run, job => {
      const off = redundant(job, empty);
      return {
        forward: job.tower.layers - 1 - job.layer,
        backward: 0,
        build(graph) {
          const tokens = features(graph);
          return squeeze(matmul(tokens, direction(graph, tokens)), 2);
        },
        feeds: range => ({ redundant: rows(off, range) }),
      };
    });
  },
};
