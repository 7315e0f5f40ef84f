/** @file Why XGrad-CAM's maps differ between ONNX Runtime's two builds by more than other methods': its sums nearly cancel, and rounding grows by that. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CLIPModel } from '../../models/pretrained.ts';
import { readRange } from '../../node/files.ts';
import { webRuntime } from '../../runtime/web.ts';
import type { Pair } from '../pair.ts';
import { type CamState, type CamWeights, camEntry, camMap } from '../primitives/cam.ts';
import { createMethod } from '../registry.ts';
import { PAIRS, tinyPairModel } from '../testing/tiny-pairs.ts';
import { gradCamWeights } from './grad-cam.ts';
import { xgradCamWeights } from './xgrad-cam.ts';

let model: Awaited<ReturnType<typeof tinyPairModel>>;
let web: CLIPModel;
beforeAll(async () => {
  model = await tinyPairModel();
  web = await CLIPModel.fromPretrained(model.files.name, { runtime: webRuntime({ readExternal: readRange }) });
});
afterAll(async () => {
  await web?.release();
  await model?.release();
  await model?.remove();
});

/** Activations and gradients of both towers, as a build of ONNX Runtime gives them. */
async function statesOf(by: CLIPModel, pair: Pair): Promise<CamState[]> {
  const seen: CamState[] = [];
  const weights: CamWeights = state => {
    seen.push(state);
    return xgradCamWeights(state);
  };
  const entry = camEntry({ name: 'watched', title: 'Watched', paper: '', weights });
  await using method = createMethod(entry as never, by, {} as never);
  await method.attribute(pair);
  return seen;
}

/** The largest difference, as a share of the largest value. */
const far = (a: Float32Array, b: Float32Array): number => Math.max(...a.map((v, i) => Math.abs(v - b[i]))) / Math.max(...b.map(Math.abs));

/** The largest condition number of a channel's sum: Σ|A| / |Σ A|, by which an error of the activations grows in the weight that divides by it. */
function condition({ activations, width, players }: CamState): number {
  return Math.max(
    ...Array.from({ length: width }, (_, d) => {
      const values = players.map(n => activations[n * width + d]);
      return values.reduce((sum, a) => sum + Math.abs(a), 0) / Math.abs(values.reduce((sum, a) => sum + a, 0));
    }),
  );
}

it('activations and gradients agree to rounding, and the maps to that times the condition of the sums', { timeout: 120_000 }, async () => {
  const found: { condition: number; map: number }[] = [];
  for (const pair of PAIRS) {
    const [here, there] = [await statesOf(model, pair), await statesOf(web, pair)];
    for (const [i, state] of here.entries()) {
      const [activations, gradients] = [far(there[i].activations, state.activations), far(there[i].gradients, state.gradients)];
      expect(Math.max(activations, gradients)).toBeLessThan(3e-6);
      // Another method of the very same values, which divides by nothing.
      expect(far(camMap(there[i], gradCamWeights), camMap(state, gradCamWeights))).toBeLessThan(1e-5);
      const map = far(camMap(there[i], xgradCamWeights), camMap(state, xgradCamWeights));
      expect(map).toBeLessThan(2 * condition(state) * (activations + gradients));
      found.push({ condition: condition(state), map });
    }
  }
  // It is the worst sum that makes the worst map.
  const worst = found.toSorted((a, b) => b.map - a.map)[0];
  expect(worst.condition).toBe(Math.max(...found.map(each => each.condition)));
  expect(worst.condition).toBeGreaterThan(100);
});
