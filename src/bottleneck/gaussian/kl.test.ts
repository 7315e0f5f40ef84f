import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile, input, mean } from '../../graph/index.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { gaussianKl } from './kl.ts';

const runtime = nodeRuntime({ threads: 1 });
const golden = JSON.parse(readFileSync(new URL('testdata/kl.json', import.meta.url), 'utf8'));
const shape = [2, 3, 4];
const flat = (nested: unknown): number[] => (nested as number[][][]).flat(2);
const feeds = {
  mu: floats(shape, flat(golden.mu)),
  lv: floats(shape, flat(golden.logvar)),
  m: floats([4], golden.prior_mu),
  lp: floats([4], golden.prior_logvar),
};
const posterior = { mean: input('mu', shape), logVariance: input('lv', shape) };
const prior = { mean: input('m', [4]), logVariance: input('lp', [4]) };

describe('gaussianKl', () => {
  it('equals the closed forms: exact and half-log, fixed and learnable prior', async () => {
    await using graph = await compile(runtime, {
      fixed: mean(gaussianKl(posterior)),
      fixedHalf: mean(gaussianKl(posterior, undefined, true)),
      learnable: mean(gaussianKl(posterior, prior)),
      learnableHalf: mean(gaussianKl(posterior, prior, true)),
    });
    const out = await graph.run(feeds);
    expectClose(out.fixed.data, [golden.kl_std_normal_true], { rtol: 1e-6 });
    expectClose(out.fixedHalf.data, [golden.kl_std_normal_official_bug], { rtol: 1e-6 });
    expectClose(out.learnable.data, [golden.kl_learnable_true], { rtol: 1e-6 });
    expectClose(out.learnableHalf.data, [golden.kl_learnable_official_bug], { rtol: 1e-6 });
  });

  it('is what a million draws from the posterior say', async () => {
    await using graph = await compile(runtime, { kl: gaussianKl(posterior, prior) });
    const { data } = (await graph.run(feeds)).kl;
    const draws = new RandomStream(1, 'kl.test').normals(0, 0, new Float32Array(1_000_000));
    for (const i of [0, 7, 18]) {
      const [mu, lv, m, lp] = [feeds.mu.data[i], feeds.lv.data[i], feeds.m.data[i % 4], feeds.lp.data[i % 4]];
      let total = 0;
      for (const e of draws) {
        const z = mu + Math.exp(lv / 2) * e;
        total += (lp - lv) / 2 - (e * e) / 2 + (z - m) ** 2 / (2 * Math.exp(lp));
      }
      expect(Math.abs(total / draws.length - Number(data[i]))).toBeLessThan(0.02);
    }
  });

  it('the half-log form is half the KL to a prior of half the variance, less (1 − ln 2)/4', async () => {
    const narrow = { mean: prior.mean, logVariance: input('narrow', [4]) };
    await using graph = await compile(runtime, { half: gaussianKl(posterior, prior, true), exact: gaussianKl(posterior, narrow) });
    const out = await graph.run({
      ...feeds,
      narrow: floats(
        [4],
        Array.from(feeds.lp.data, v => v - Math.LN2),
      ),
    });
    const expected = Array.from(out.exact.data as Float32Array, v => v / 2 - (1 - Math.LN2) / 4);
    expectClose(out.half.data, expected, { rtol: 1e-5, atol: 1e-6 });
    expect(Math.min(...expected)).toBeLessThan(0);
  });
});
