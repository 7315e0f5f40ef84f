/** @file All attribution methods. The command line, reports, docs and tests read this table; nothing is listed twice. */
import type { DualEncoder } from '../models/dual-encoder.ts';
import { Attributor } from './attributor.ts';
import type { MethodEntry } from './method.ts';
import { adaib } from './methods/adaib.ts';
import { banzhaf } from './methods/banzhaf.ts';
import { banzhafInteractions } from './methods/banzhaf-interactions.ts';
import { centrePrior } from './methods/centre-prior.ts';
import { chefer } from './methods/chefer.ts';
import { clipSurgery } from './methods/clip-surgery.ts';
import { coiba } from './methods/coiba.ts';
import { exclip } from './methods/exclip.ts';
import { expectedGradients } from './methods/expected-gradients.ts';
import { gatedGradients } from './methods/gated-gradients.ts';
import { gradCam } from './methods/grad-cam.ts';
import { gradCamPlusPlus } from './methods/grad-cam-plus-plus.ts';
import { gradEclip } from './methods/grad-eclip.ts';
import { guidedBanzhaf } from './methods/guided-banzhaf.ts';
import { hiresCam } from './methods/hires-cam.ts';
import { iba } from './methods/iba.ts';
import { imageGradientMagnitude } from './methods/image-gradient-magnitude.ts';
import { inputXGradient } from './methods/input-x-gradient.ts';
import { integratedGradients } from './methods/integrated-gradients.ts';
import { kernelShap } from './methods/kernel-shap.ts';
import { layerCam } from './methods/layer-cam.ts';
import { layerIntegratedGradients } from './methods/layer-integrated-gradients.ts';
import { legrad } from './methods/legrad.ts';
import { lime } from './methods/lime.ts';
import { m2ibEntry } from './methods/m2ib.ts';
import { m2ibToken } from './methods/m2ib-token.ts';
import { nib } from './methods/nib.ts';
import { occlusion } from './methods/occlusion.ts';
import { posterior } from './methods/posterior.ts';
import { random } from './methods/random.ts';
import { rawAttention } from './methods/raw-attention.ts';
import { rise } from './methods/rise.ts';
import { rollout } from './methods/rollout.ts';
import { saliency } from './methods/saliency.ts';
import { shapley } from './methods/shapley.ts';
import { smoothGrad } from './methods/smoothgrad.ts';
import { uniform } from './methods/uniform.ts';
import { xgradCam } from './methods/xgrad-cam.ts';

// Entries differ in their options; the table sees them as records, which each entry's schema checks.
const entry = <O>(one: MethodEntry<O>): MethodEntry => one as unknown as MethodEntry;

/** The table, family by family. */
export const methods: readonly MethodEntry[] = [
  entry(saliency),
  entry(inputXGradient),
  entry(smoothGrad),
  entry(integratedGradients),
  entry(expectedGradients),
  entry(layerIntegratedGradients),
  entry(nib),
  entry(gradCam),
  entry(hiresCam),
  entry(layerCam),
  entry(xgradCam),
  entry(gradCamPlusPlus),
  entry(rawAttention),
  entry(rollout),
  entry(chefer),
  entry(gradEclip),
  entry(legrad),
  entry(clipSurgery),
  entry(occlusion),
  entry(rise),
  entry(lime),
  entry(kernelShap),
  entry(shapley),
  entry(banzhaf),
  entry(guidedBanzhaf),
  entry(banzhafInteractions),
  entry(exclip),
  entry(m2ibEntry()),
  entry(m2ibToken),
  entry(iba),
  entry(coiba),
  entry(adaib),
  entry(gatedGradients),
  entry(posterior),
  entry(random),
  entry(centrePrior),
  entry(imageGradientMagnitude),
  entry(uniform),
];

/** Those for models that compare images with texts. */
export const pairMethods: readonly MethodEntry[] = methods.filter(m => !m.answers);

/** What `auto` means: the method that docs/evidence recommends. */
export const AUTO_METHOD = 'gated-gradients';

/** The entry called `name` (or the recommended one for `auto`), or undefined. */
export const findMethod = (name: string): MethodEntry | undefined => methods.find(m => m.name === (name === 'auto' ? AUTO_METHOD : name));

/** A method ready to run on a model. @throws NarrowsError for an option that is unknown or out of range */
export const createMethod = (found: MethodEntry, model: DualEncoder, options: Record<string, unknown> = {}): Attributor =>
  new Attributor(found, model, options);
