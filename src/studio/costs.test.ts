/** @file Costs: a cold run never counts whole, a warm pace does; other settings by their counts, other methods by what a pass takes. */
import { describe, expect, it } from 'vitest';
import { type CostKey, CostLog, WarmPace } from './costs.ts';

const key = (method: string, options: Record<string, unknown>, more: Partial<CostKey> = {}): CostKey => ({
  ...{ method, family: 'bottleneck', options, run: { modality: 'both', seeds: 1, imageSize: undefined } },
  ...more,
});
const m2ib = key('m2ib', { steps: 10, batchSize: 2 });
const rise = key('rise', { samples: 600 }, { family: 'perturbation' });
const ask = (log: CostLog, of: CostKey) => log.estimate(of, { name: of.method, options: {} }, 'words', false);

describe('WarmPace', () => {
  it('leaves the first unit out, which is cold, and tells the whole and what is left by the others', () => {
    const pace = new WarmPace();
    expect([pace.seconds, pace.left]).toEqual([undefined, undefined]);
    pace.step(1, 11, 9_000);
    expect(pace.seconds).toBeUndefined();
    pace.step(6, 11, 11_000);
    // 5 units in 2 s: 11 units in 4.4 s, 5 more in 2 s.
    expect([pace.seconds, pace.left]).toEqual([4.4, expect.closeTo(2, 9)]);
  });
});

describe('CostLog', () => {
  it('takes the pace of a cold run, never its time; of warm ones the fastest', () => {
    const log = new CostLog();
    expect(ask(log, m2ib)).toEqual({ method: 'm2ib', kept: false, words: 'words', basis: 'unknown' });
    log.note(m2ib, 60);
    expect(ask(log, m2ib).basis).toBe('unknown');
    log.note(m2ib, 5);
    log.note(m2ib, 7);
    expect(ask(log, m2ib)).toMatchObject({ seconds: 5, basis: 'measured' });
    const other = new CostLog();
    other.note(m2ib, 60, { seconds: 2 });
    expect(ask(other, m2ib)).toMatchObject({ seconds: 2, basis: 'measured' });
  });

  it('scales by steps, seeds and the words of an answer', () => {
    const log = new CostLog();
    log.note(m2ib, 60, { seconds: 2 });
    expect(ask(log, key('m2ib', { steps: 40, batchSize: 2 }))).toMatchObject({ seconds: 8, basis: 'scaled' });
    expect(ask(log, { ...m2ib, run: { ...m2ib.run, seeds: 3 } }).seconds).toBe(6);
    expect(ask(log, { ...m2ib, run: { ...m2ib.run, maps: 5 } }).seconds).toBe(10);
  });

  it("counts a gate's quiet steps once, whatever the samples", () => {
    const log = new CostLog();
    const gate = (options: object) => key('m2ib', { steps: 6, batchSize: 4, quietSteps: 'auto', ...options });
    // Four quiet steps and two of four samples: 12 passes in 1.2 s.
    log.note(gate({}), 60, { seconds: 1.2 });
    expect(ask(log, gate({ quietSteps: 0 })).seconds).toBeCloseTo(2.4, 9);
    expect(ask(log, gate({ steps: 12 })).seconds).toBeCloseTo(2.4, 9);
    expect(ask(log, gate({ batchSize: 10 })).seconds).toBeCloseTo(2.4, 9);
    // 12 passes of its gate, 10 points of the path and their end.
    expect(ask(log, key('gated-gradients', { ...gate({}).options, nSteps: 10 })).seconds).toBeCloseTo(2.3, 9);
  });

  it('guesses methods that never ran by what a pass of another one took, and says that it is a guess', () => {
    const log = new CostLog();
    // 20 passes forth and back, which is 60 forwards: .1 s each.
    log.note(m2ib, 60, { seconds: 6 });
    expect(ask(log, rise)).toMatchObject({ seconds: expect.closeTo(60, 9), basis: 'guessed' });
    // Masks of the two towers add up.
    const masks = key('banzhaf-interactions', { imageMasks: 200, textMasks: 100 }, { family: 'interaction' });
    expect(ask(log, masks).seconds).toBeCloseTo(30, 9);
    // Nothing says how often occlusion runs the model.
    expect(ask(log, key('occlusion', {}, { family: 'perturbation' }))).toMatchObject({ basis: 'unknown' });
  });
});
