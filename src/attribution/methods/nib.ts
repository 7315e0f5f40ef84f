/**
 * @file NIB: narrowing information bottleneck (Zhu et al., ICLR 2025, arXiv 2502.14889). Exactly layer integrated gradients from a zero
 * baseline by a right Riemann sum of ten steps, at the INPUT of the published block 9 of 12. Narrows names a layer by the block whose OUTPUT
 * it is (as M2IB does), so the published layer 9 is layer 8 here.
 */

import type { Tower } from '../../models/dual-encoder.ts';
import { answerLayer } from '../answers/answer-layer.ts';
import { resolveLayer } from '../layer.ts';
import type { MethodEntry } from '../method.ts';
import { explainHiddenPath, type HiddenPathOptions, hiddenPathSchema } from './layer-integrated-gradients.ts';

/** The published depth: one block earlier than M2IB's. */
const nibLayer = (layer: number | 'auto', tower: Tower): number =>
  layer === 'auto' ? Math.max(-1, resolveLayer('auto', tower) - 1) : resolveLayer(layer, tower);

/** NIB: layer integrated gradients from a zero baseline, ten steps by a right Riemann sum. */
export const nib: MethodEntry<HiddenPathOptions> = {
  name: 'nib',
  title: 'NIB',
  family: 'layer-gradient',
  serves: 'pair',
  answers: { by: 'row', layer: (tower, { layer }) => answerLayer(layer, tower) },
  modalities: ['image', 'text'],
  schema: hiddenPathSchema(
    10,
    'right-riemann',
    'zero',
    'three blocks are left above, as published (its "layer 9", the input of block 9 of 12, is the output of block 8)',
  ),
  cost: '(nSteps + 1) × (F + B) of the blocks above the layer',
  paper:
    'Zhu et al.: Narrowing information bottleneck theory for multimodal image-text representations interpretability, ICLR 2025, arXiv 2502.14889',
  unit: 'score',
  signed: true,
  sampled: false,
  layers: (model, options) => ({ image: nibLayer(options.layer, model.image), text: nibLayer(options.textLayer, model.text) }),
  explain: explainHiddenPath,
};
