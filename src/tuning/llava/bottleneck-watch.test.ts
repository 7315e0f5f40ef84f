import { describe, expect, it } from 'vitest';
import { parseBottleneckConfig } from '../../bottleneck/gaussian/config.ts';
import { BottleneckWatch, bottleneckStatus } from './bottleneck-watch.ts';

const config = (given: object = {}) => parseBottleneckConfig({ bottleneck_layers: [1], beta_visual: 0.3, ...given }, 'test');
const line = (visual: number, text: number, used = 0) => ({
  ...{ loss: 1, kl_visual: visual, kl_text: text, used_visual: used, used_text: used },
});

describe('BottleneckWatch', () => {
  it('says once, from a tenth of the run on, that a posterior is at its prior, and what to turn', () => {
    const watch = new BottleneckWatch(config(), 100);
    expect(watch.take(9, line(0.01, 2, 0.1))).toEqual([]);
    expect(watch.take(10, line(0.01, 2, 0.1))).toEqual([
      'The posterior of image tokens is at its prior after 10 of 100 updates: KL 0.0100 nats per dimension (below 0.05), 10 % of dimensions in use, so the bottleneck passes on noise; lower --beta-visual (now 0.3), or begin by passing the hidden state on (--bottleneck-init pass), or charge only once alpha has risen (--beta-schedule after_alpha), or leave some nats free (--free-nats).',
    ]);
    expect(watch.take(20, line(0.01, 2, 0.1))).toEqual([]);
    expect(watch.take(30, line(0.01, 0.04, 0.1))).toEqual([
      expect.stringMatching(/^The posterior of prompt tokens .*--beta-text \(now 0\.1\)/),
    ]);
  });

  it('is silent where few dimensions carry all there is, where nothing is charged, and above the bound', () => {
    const watch = new BottleneckWatch(config(), 10);
    for (const figures of [line(0.04, 0.04, 0.25), line(0, 0), line(0.05, 0.05), { loss: 1 }]) expect(watch.take(5, figures)).toEqual([]);
  });

  it('counts only the updates that had such tokens: text-only ones are 0 in every mean', () => {
    // A fifth of the updates had images: 0.2 nats there, and half of the dimensions in use.
    const mixed = { ...line(0.04, 1, 0.1), variance_visual: 0.2, variance_text: 1 };
    expect(new BottleneckWatch(config(), 10).take(5, mixed)).toEqual([]);
    const collapsed = { ...mixed, kl_visual: 0.002, used_visual: 0 };
    expect(new BottleneckWatch(config(), 10).take(5, collapsed)).toEqual([expect.stringContaining('KL 0.0100 nats per dimension')]);
    // With an image in every update the figures are those of the line.
    const all = { ...mixed, kl_visual: 0.04, variance_visual: 0.95 };
    expect(new BottleneckWatch(config(), 10).take(5, all)).toEqual([expect.stringContaining('KL 0.0400 nats per dimension')]);
  });

  it('offers only what is not turned already', () => {
    const given = { bottleneck_init: 'pass', stream_scale: [{ visual: 1, text: 1 }], beta_schedule: 'after_alpha', free_nats: 0.01 };
    const [said] = new BottleneckWatch(config(given), 10).take(1, line(0.01, 2, 0));
    expect(said).toMatch(/passes on noise; lower --beta-visual \(now 0\.3\)\.$/);
  });

  it('says that a KL explodes: above 10 nats and four times its first figure', () => {
    const watch = new BottleneckWatch(config(), 1000);
    for (const kl of [2.4, 9.9]) expect(watch.take(1, line(1, kl, 1))).toEqual([]);
    expect(watch.take(2, line(10.5, 10.5, 1))).toEqual([
      expect.stringMatching(
        /^The KL of image tokens explodes: 10\.5 nats per dimension after 2 of 1000 updates, 1\.00 at first; lower --learning-rate, or raise --beta-visual \(now 0\.3\), or see the stream/,
      ),
      expect.stringMatching(/^The KL of prompt tokens explodes/),
    ]);
    // Large from the start, as on a stream whose size is far from 1, is no explosion.
    const large = new BottleneckWatch(config(), 1000);
    for (const kl of [30, 40, 119]) expect(large.take(1, line(kl, 1, 1))).toEqual([]);
  });
});

describe('bottleneckStatus', () => {
  it('gives the figures of both sides, or nothing', () => {
    expect(bottleneckStatus(line(0.0312, 1.24, 0.126))).toBe('KL 0.0312/1.24, in use 13/13 %');
    expect(bottleneckStatus({ loss: 1 })).toBe('');
  });
});
