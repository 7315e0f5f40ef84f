import { expect, it } from 'vitest';
import { compile, constant, grad, input, layerNorm, matmul, mul, softmax, sqrt, sub, sum, tanh } from '../../graph/index.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { expectClose } from '../../testing/close.ts';
import { gradCamWeights } from '../methods/grad-cam.ts';
import { gradCamPlusPlusWeights } from '../methods/grad-cam-plus-plus.ts';
import { hiresCamWeights } from '../methods/hires-cam.ts';
import { layerCamWeights } from '../methods/layer-cam.ts';
import { xgradCamWeights } from '../methods/xgrad-cam.ts';
import { normals, toyRun } from '../testing/toy-run.ts';
import { type CamState, camGradients, camMap, camState } from './cam.ts';

/** Two patches behind a class token, two channels. */
const state: CamState = {
  activations: Float32Array.of(9, 9, 1, 2, 3, -4),
  gradients: Float32Array.of(7, 7, 1, -1, 3, 5),
  tokens: 3,
  width: 2,
  players: [1, 2],
};

it('weighs as the formulas say, by hand', () => {
  expect([...camMap(state, gradCamWeights)]).toEqual([9 * 4, 1 * 2 + 2 * 2, 3 * 2 - 4 * 2]);
  expect([...camMap(state, hiresCamWeights)]).toEqual([126, -1, -11]);
  expect([...camMap(state, layerCamWeights)]).toEqual([126, 1, -11]);
  // Channel 0: (1 + 9) / 4, channel 1: (−2 − 20) / −2.
  expectClose(camMap(state, xgradCamWeights), [9 * 13.5, 2.5 + 22, 7.5 - 44], { rtol: 1e-6 });
  // Channel 0, ΣA = 4: 1/(2 + 4) + 27/(18 + 108); channel 1, ΣA = −2: 125/(50 − 250).
  const [w0, w1] = [1 / 6 + 27 / 126, -125 / 200];
  expectClose(camMap(state, gradCamPlusPlusWeights), [9 * (w0 + w1), w0 + 2 * w1, 3 * w0 - 4 * w1], { rtol: 1e-5 });
});

it('has activations and gradients of the target, in chunks as at once', async () => {
  const hidden = normals('cam', [3, 4, 5], 0.2);
  const weights = normals('weights', [4, 5], 0.3);
  for (const memory of [2000, 2 ** 30]) {
    const { run, job, seen } = toyRun(
      hidden,
      weights,
      l => [l, sqrt(sub(1, mul(l, l)))],
      l => l,
      memory,
    );
    const { activations, gradients } = await camGradients(run, job);
    expectClose(activations.data, hidden.data, { rtol: 1e-6 });
    for (let p = 0; p < 3; p++) {
      const single = camState(job, p, activations, gradients);
      expectClose(single.gradients, weights.data, { rtol: 1e-4, atol: 1e-6 });
      // Summed over tokens, gradient times activation of a linear target is the target.
      expect(camMap(single, hiresCamWeights).reduce((a, b) => a + b, 0)).toBeCloseTo(job.scores[p], 5);
    }
    expect([seen.points, seen.chunks]).toEqual([3, memory === 2000 ? 3 : 1]);
    await run.release();
  }
});

it('looks in front of a norm: behind the last one, gradient times activation of every token is zero whatever is read', async () => {
  const hidden = input('hidden', [4, 5]);
  const normed = layerNorm(hidden, constant(normals('gain', [5])), constant(normals('shift', [5])));
  // A head that attends over all tokens, and reads them nonlinearly.
  const attention = softmax(matmul(normed, constant(normals('query', [5, 1]))), 0);
  const score = sum(tanh(sum(mul(attention, normed), 0)));
  const [before, after] = grad(score, [hidden, normed]);
  const runtime = nodeRuntime({ threads: 1 });
  await using graph = await compile(runtime, { before: sum(mul(before, hidden), 1), after: sum(mul(after, normed), 1) });
  const out = await graph.run({ hidden: normals('state', [4, 5]) });
  expectClose(out.before.data as Float32Array, [0, 0, 0, 0], { atol: 1e-4 });
  expect(Math.min(...Array.from(out.after.data as Float32Array, Math.abs))).toBeGreaterThan(1e-3);
  await runtime.release();
});
