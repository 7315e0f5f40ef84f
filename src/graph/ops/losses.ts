/** @file Losses and similarities, composed of other ops. */
import type { Value } from '../value.ts';
import { add, div, equal, maximum, mul, where } from './arithmetic.ts';
import { cast } from './constants.ts';
import { takeAlongAxis } from './indexing.ts';
import { mean, norm, sum } from './reduce.ts';
import { squeeze, transpose, unsqueeze } from './shape.ts';
import { logSoftmax } from './softmax.ts';
import { neg } from './unary.ts';

/**
 * Log-likelihood in nats of each label, 0 where it is `ignoreIndex`.
 * @param logits [..., classes]
 * @param labels integers [...]
 * @returns [...]
 */
export function labelLogLikelihood(logits: Value, labels: Value, ignoreIndex = -100): Value {
  const ignored = equal(labels, ignoreIndex);
  const safe = where(ignored, 0, labels);
  const picked = squeeze(takeAlongAxis(logSoftmax(logits), unsqueeze(safe, -1)), -1);
  return where(ignored, 0, picked);
}

/**
 * Mean cross-entropy in nats over the positions whose label is not `ignoreIndex`, as torch.nn.functional.cross_entropy.
 * @param logits [..., classes]
 * @param labels integers [...]
 * @returns scalar; 0 where every label is ignored
 */
export function crossEntropy(logits: Value, labels: Value, ignoreIndex = -100): Value {
  const kept = labelLogLikelihood(logits, labels, ignoreIndex);
  const count = sum(cast(equal(cast(equal(labels, ignoreIndex), 'int32'), 0), logits.dtype));
  return neg(div(sum(kept), maximum(count, 1)));
}

/**
 * Cosine over the last axis, as torch.nn.functional.cosine_similarity: x·y / max(‖x‖‖y‖, ε).
 * @param x [..., D]
 * @param y [..., D], broadcast
 * @returns [...]
 */
export function cosineSimilarity(x: Value, y: Value, epsilon = 1e-8): Value {
  return squeeze(div(sum(mul(x, y), -1, true), maximum(mul(norm(x), norm(y)), epsilon)), -1);
}

/** Symmetric contrastive loss of CLIP: the mean of both cross-entropies of a [B, B] matrix of logits whose diagonal is right. */
export function contrastiveLoss(logitsPerText: Value, labels: Value): Value {
  const perRow = (x: Value): Value => mean(neg(takeAlongAxis(logSoftmax(x), unsqueeze(labels, -1))));
  return mul(add(perRow(logitsPerText), perRow(transpose(logitsPerText))), 0.5);
}

/**
 * `contrastiveLoss` where texts or images may be equal: rows of one group are one target, which the softmax may share out equally
 * (the bidirectional loss of UniCL, arXiv 2204.03610). Its least value is the mean over rows of ln(rows of the same group). Where
 * all groups differ it is `contrastiveLoss`, to the bit.
 * @param logitsPerText [B, B] @param groups integers [B], equal where texts are
 */
export function groupedContrastiveLoss(logitsPerText: Value, groups: Value): Value {
  const same = cast(equal(unsqueeze(groups, 1), unsqueeze(groups, 0)), logitsPerText.dtype);
  const share = div(same, sum(same, -1, true));
  const perRow = (x: Value): Value => mean(neg(sum(mul(share, logSoftmax(x)), -1)));
  return mul(add(perRow(logitsPerText), perRow(transpose(logitsPerText))), 0.5);
}
