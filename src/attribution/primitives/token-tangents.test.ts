/** @file Tangents per token against the Jacobian, made of one gradient per feature. */
import { expect, it } from 'vitest';
import { compile, grad, input, mul, sum } from '../../graph/index.ts';
import { floats } from '../../tensor/tensor.ts';
import { encodeTargets } from '../encode-target.ts';
import { encodePairs } from '../pair.ts';
import { repeatFeeds } from '../perturbation/token-state.ts';
import { inputRows, row } from '../rows.ts';
import { PAIRS, tinyPairModel } from '../testing/tiny-pairs.ts';
import { towerJob } from '../tower-job.ts';
import { tokenTangents } from './token-tangents.ts';

it('equal J·δ with J from one backward pass per feature, in both towers and a padded batch', async () => {
  const model = await tinyPairModel();
  try {
    const encoded = await encodePairs(model, PAIRS, { image: 1, text: 1 });
    const targets = await encodeTargets(model, encoded);
    for (const side of ['image', 'text'] as const) {
      const job = towerJob(model, encoded, side, 1, targets[side]);
      const [, tokens, width] = job.hidden.shape;
      // Neither the first nor the last of the batch, and padded.
      const p = 2;
      const graphs: { release(): Promise<void> }[] = [];
      const run = {
        model,
        maxMemory: 1e6,
        keep: async <T extends { release(): Promise<void> }>(_key: string, build: () => Promise<T>): Promise<T> => {
          const graph = await build();
          graphs.push(graph);
          return graph;
        },
        passes: () => {},
      };
      const to = row(job.hidden, p);
      const reference = to.map((v, i) => 0.4 * v + 0.1 * Math.sin(i));
      const got = await tokenTangents(run, job, p, reference, [0.25]);

      const e = job.tower.features;
      const inputs = inputRows(job.inputs, [p, p + 1]);
      const hidden = input('hidden', ['batch', side === 'image' ? tokens : 'seq', width]);
      const features = job.tower.suffix(1, hidden, 1, inputs);
      const [gradient] = grad(sum(mul(features, input('unit', ['batch', e]))), [hidden]);
      await using graph = await compile(model.runtime, { gradient });
      const middle = to.map((v, i) => reference[i] + 0.25 * (v - reference[i]));
      const out = await graph.run({
        ...repeatFeeds(job.tower.suffixFeeds(inputs), e),
        hidden: floats(
          [e, tokens, width],
          Float32Array.from({ length: e * tokens * width }, (_, i) => middle[i % middle.length]),
        ),
        unit: floats(
          [e, e],
          Float32Array.from({ length: e * e }, (_, i) => +(i % (e + 1) === 0)),
        ),
      });
      let largest = 0;
      for (let n = 0; n < job.lengths[p]; n++)
        for (let f = 0; f < e; f++) {
          let want = 0;
          for (let d = 0; d < width; d++)
            want += (out.gradient.data as Float32Array)[(f * tokens + n) * width + d] * (to[n * width + d] - reference[n * width + d]);
          largest = Math.max(largest, Math.abs(want));
          expect(Math.abs(got[n * e + f] - want)).toBeLessThan(2e-5);
        }
      expect(largest).toBeGreaterThan(0.01);
      for (const one of graphs) await one.release();
    }
  } finally {
    await model.release();
    await model.remove();
  }
});
