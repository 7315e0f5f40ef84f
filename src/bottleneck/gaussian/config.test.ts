import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { alphaAt, betaShareAt } from './alpha.ts';
import { inferenceAlpha, modalitiesAt, parseBottleneckConfig } from './config.ts';

describe('parseBottleneckConfig', () => {
  it('fills in the published settings, and comes through JSON unchanged', () => {
    const config = parseBottleneckConfig({ bottleneck_layers: [24] }, 'config.json', 32);
    expect(config).toEqual({
      bottleneck_layers: [24],
      modalities: ['visual', 'text'],
      prior: 'fixed',
      beta_visual: 0.1,
      beta_text: 0.1,
      alpha_schedule: 'sigmoid',
      alpha_start: 0,
      alpha_end: 0.5,
      // biome-ignore lint/suspicious/noApproximativeNumericConstant: the released code's number
      log_variance_limit: 2.3025,
      half_log_kl: false,
      index_split: false,
    });
    expect(parseBottleneckConfig(JSON.parse(JSON.stringify(config)), 'config.json', 32)).toEqual(config);
    expect(inferenceAlpha(config)).toBe(0.5);
    expect(inferenceAlpha({ ...config, alpha_inference: 0 })).toBe(0);
    expect([modalitiesAt(config, 24), modalitiesAt(config, -1)]).toEqual([['visual', 'text'], ['visual']]);
  });

  it.each([
    [{ bottleneck_layers: [32] }, 'block 32, but the decoder has 32 (0 to 31'],
    [{ bottleneck_layers: [-2] }, 'bottleneck_config.bottleneck_layers.0'],
    [{ bottleneck_layers: [] }, 'bottleneck_config.bottleneck_layers'],
    [{}, 'bottleneck_config.bottleneck_layers'],
    [{ bottleneck_layers: [3, 1, 3] }, 'names block 3 twice'],
    [{ bottleneck_layers: [1], alpha_end: 1.5 }, 'bottleneck_config.alpha_end'],
    [{ bottleneck_layers: [1], prior: 'F' }, 'bottleneck_config.prior'],
    [{ bottleneck_layers: [1], beta: 0.1 }, 'the key "beta", which nobody knows'],
    [{ bottleneck_layers: [-1], modalities: ['text'] }, 'needs "visual" among its modalities'],
    ['layer-24', 'bottleneck_config is wrong'],
    [{ bottleneck_layers: [1, 2], bottleneck_init: 'pass' }, 'needs stream_scale with 2 entries'],
    [{ bottleneck_layers: [1], bottleneck_init: 'pass', stream_scale: [{ visual: 0, text: 1 }] }, 'stream_scale.0.visual'],
    [{ bottleneck_layers: [1], control: 'dropout' }, 'bottleneck_config.control'],
  ])('refuses %j in one sentence', (json, message) => {
    expect(() => parseBottleneckConfig(json, 'm/config.json', 32)).toThrow(message);
    expect(() => parseBottleneckConfig(json, 'm/config.json', 32)).toThrow(/^m\/config\.json: [^\n]*\.$/);
  });
});

describe('alphaAt', () => {
  const config = parseBottleneckConfig({ bottleneck_layers: [0] }, 'test');

  it('equals the released code over its 5197 steps', () => {
    const golden = JSON.parse(readFileSync(new URL('testdata/alpha_schedule.json', import.meta.url), 'utf8'));
    const points = Object.entries<number>(golden.points);
    expect(points.length).toBeGreaterThan(5);
    for (const [step, alpha] of points) expect(alphaAt(config, Number(step), golden.T)).toBeCloseTo(alpha, 14);
  });

  it('rises by a cosine from start to end, as the paper says', () => {
    const cosine = { ...config, alpha_schedule: 'cosine' } as const;
    const values = [0, 0.25, 0.5, 0.75, 1].map(t => alphaAt(cosine, t * 100, 100));
    [0, 0.0732233, 0.25, 0.4267767, 0.5].forEach((value, i) => {
      expect(values[i]).toBeCloseTo(value, 7);
    });
    expect(alphaAt({ ...cosine, alpha_start: 0.2, alpha_end: 1 }, 50, 100)).toBeCloseTo(0.6, 12);
    expect(alphaAt(cosine, 130, 100)).toBeCloseTo(0.5, 12);
  });

  it('rises in the first third, and β by half a cosine in the second, where β comes after α', () => {
    const after = { ...config, alpha_schedule: 'cosine', beta_schedule: 'after_alpha' } as const;
    const steps = [0, 50, 100, 150, 200, 300];
    const near = (values: number[], expected: number[]): void => {
      values.forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i], 12);
      });
    };
    near(
      steps.map(step => alphaAt(after, step, 300)),
      [0, 0.25, 0.5, 0.5, 0.5, 0.5],
    );
    near(
      steps.map(step => betaShareAt(after, step, 300)),
      [0, 0, 0, 0.5, 1, 1],
    );
    expect(betaShareAt(after, 125, 300)).toBeCloseTo((1 - Math.SQRT1_2) / 2, 12);
    expect([betaShareAt(config, 0, 300), betaShareAt(after, 0, 0)]).toEqual([1, 1]);
  });

  it('is the end throughout when constant, and for a training without steps', () => {
    const constant = { ...config, alpha_schedule: 'constant', alpha_start: 0.1 } as const;
    expect([0, 50, 100].map(step => alphaAt(constant, step, 100))).toEqual([0.5, 0.5, 0.5]);
    expect(alphaAt(config, 0, 0)).toBeCloseTo(0.4966535745, 9);
  });
});
