/**
 * @file Gradient attributions as captum gives them (element by element, before channels are summed) and class activation maps as
 * pytorch-grad-cam does (before ReLU and scaling), of the pair that the settings name.
 */

import type { MethodRun } from '../../attribution/method.ts';
import { gradCamWeights } from '../../attribution/methods/grad-cam.ts';
import { gradCamPlusPlusWeights } from '../../attribution/methods/grad-cam-plus-plus.ts';
import { hiresCamWeights } from '../../attribution/methods/hires-cam.ts';
import { layerCamWeights } from '../../attribution/methods/layer-cam.ts';
import { sourceGradients } from '../../attribution/methods/saliency.ts';
import { xgradCamWeights } from '../../attribution/methods/xgrad-cam.ts';
import { baselineInputs, type HiddenBaseline, hiddenBaseline } from '../../attribution/primitives/baselines.ts';
import { type CamWeights, camGradients, camMap, camState } from '../../attribution/primitives/cam.ts';
import { integratePath, type PathIntegrals } from '../../attribution/primitives/path.ts';
import { sourceOf, stateOf } from '../../attribution/primitives/point-gradients.ts';
import { quadrature } from '../../attribution/primitives/quadrature.ts';
import { tokenValues } from '../../attribution/primitives/read-out.ts';
import type { Modality } from '../../models/dual-encoder.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { attributionInputs, attributionLayer } from '../attribution-inputs.ts';
import type { Checker, Computed } from '../checker.ts';
import { tensorRun } from '../tensor-run.ts';

/** Class activation maps by pytorch-grad-cam's names. */
const CAMS: Readonly<Record<string, CamWeights>> = {
  'image.GradCAM': gradCamWeights,
  'image.HiResCAM': hiresCamWeights,
  'image.LayerCAM': layerCamWeights,
  'image.XGradCAM': xgradCamWeights,
  'image.GradCAMPlusPlus': gradCamPlusPlusWeights,
};
const SOURCE = [
  'image.saliency',
  'image.input_x_gradient',
  'image.integrated_gradients',
  'image.integrated_gradients.delta',
  'text.saliency',
  'text.integrated_gradients',
  'text.integrated_gradients.delta',
];
const HIDDEN = ['image.layer_integrated_gradients', 'image.nib'];
const NAMES = [...SOURCE, ...HIDDEN, ...Object.keys(CAMS)];

/**
 * `image.saliency` (|gradient|), `text.saliency` (signed), `image.input_x_gradient`, `*.integrated_gradients` (50 Gauss–Legendre points from
 * the mean colour, or BOS, padding, EOS) with their deltas; at the input of block `vision_layer`: `image.layer_integrated_gradients`
 * (20 points, from the hidden state of the mean colour) and `image.nib` (right Riemann sum of ten, from zeros); class activation maps at the last block's `layer_norm1`.
 */
export const attributionGradientsChecker: Checker = {
  name: 'gradient attributions',
  role: name => (NAMES.includes(name) ? 'value' : undefined),
  async *compute(context, names) {
    const given = await attributionInputs(context);
    if ('reason' in given) {
      for (const name of names) yield { name, reason: given.reason };
      return;
    }
    const { model } = context;
    const work = async <T>(layer: number, use: (run: MethodRun) => Promise<T>): Promise<T> => {
      const run = await tensorRun(model, given, { image: layer, text: -1 });
      try {
        return await use(run);
      } finally {
        await run.release();
      }
    };
    const wanted = (candidates: readonly string[]): string[] => candidates.filter(name => names.includes(name));
    if (wanted(SOURCE).length) yield* await work(-1, run => sourceValues(run, names));
    if (wanted(HIDDEN).length) {
      const layer = attributionLayer(context);
      if (typeof layer !== 'number') for (const name of wanted(HIDDEN)) yield { name, reason: layer.reason };
      else yield* await work(layer, run => hiddenValues(run, names));
    }
    if (wanted(Object.keys(CAMS)).length) yield* await work(model.image.layers - 2, run => camValues(run, names));
  },
};

const gradient = (name: string, value: FloatTensor): Computed => ({ name, kind: 'gradient', value });

async function sourceValues(run: MethodRun, names: readonly string[]): Promise<Computed[]> {
  const out: Computed[] = [];
  const add = (name: string, value: () => FloatTensor): void => {
    if (names.includes(name)) out.push(gradient(name, value()));
  };
  for (const modality of ['image', 'text'] as const satisfies readonly Modality[]) {
    if (!names.some(name => name.startsWith(`${modality}.`))) continue;
    const job = run[modality];
    const { source, gradients } = await sourceGradients(run, job);
    const magnitude = (v: number): number => (modality === 'image' ? Math.abs(v) : v);
    add(`${modality}.saliency`, () => floats(gradients.shape, gradients.data.map(magnitude)));
    add(`${modality}.input_x_gradient`, () =>
      floats(
        gradients.shape,
        gradients.data.map((g, i) => g * source.data[i]),
      ),
    );
    const path = `${modality}.integrated_gradients`;
    if (!names.some(name => name.startsWith(path))) continue;
    const baseline = await sourceOf(run, job, await baselineInputs(run.model, job, 'mean'));
    const integral = await integratePath(run, job, 'source', await stateOf(run, job, 'source'), baseline, quadrature('gauss-legendre', 50));
    add(path, () => integral.values);
    if (names.includes(`${path}.delta`)) out.push({ ...gradient(`${path}.delta`, floats([1], integral.deltas)), scaleFloor: 1 });
  }
  return out;
}

async function hiddenValues(run: MethodRun, names: readonly string[]): Promise<Computed[]> {
  const job = run.image;
  const integral = async (kind: HiddenBaseline, ...rule: Parameters<typeof quadrature>): Promise<PathIntegrals> =>
    integratePath(run, job, 'hidden', job.hidden, await hiddenBaseline(job, kind, run.model), quadrature(...rule));
  const out: Computed[] = [];
  const [layered, nib] = HIDDEN;
  if (names.includes(layered)) out.push(gradient(layered, (await integral('input', 'gauss-legendre', 20)).values));
  if (names.includes(nib)) {
    const { values } = await integral('zero', 'right-riemann', 10);
    out.push(gradient(nib, floats([job.tokens], tokenValues(values.data, job.tokens))));
  }
  return out;
}

async function camValues(run: MethodRun, names: readonly string[]): Promise<Computed[]> {
  const job = run.image;
  const { activations, gradients } = await camGradients(run, job);
  const state = camState(job, 0, activations, gradients);
  return Object.entries(CAMS)
    .filter(([name]) => names.includes(name))
    .map(([name, weights]) => gradient(name, floats([1, ...job.grid!], camMap(state, weights).subarray(job.tower.prefixTokens))));
}
