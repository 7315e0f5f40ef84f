import { describe, expect, it } from 'vitest';
import { type Choice, type CompareSpec, includes, judgedSeeds, methodSettings, metricSettings, seedsOf } from './settings.ts';

const spec = { seed: 7, seeds: 4 } as CompareSpec;
const choice = (name: string, change: Partial<Choice> = {}): Choice => ({ label: name, name, options: {}, ...change });
const method = (name: string, change: Partial<Choice> = {}) => methodSettings([choice(name, change)])[0];
const metric = (name: string, change: Partial<Choice> = {}) => metricSettings([choice(name, change)])[0];

describe('the seeds', () => {
  it('of a method that samples are all, or as many as it is given; of another only the first', () => {
    expect(seedsOf(spec, method('m2ib'))).toEqual([7, 8, 9, 10]);
    expect(seedsOf(spec, method('m2ib', { seeds: 2 }))).toEqual([7, 8]);
    expect(seedsOf(spec, method('m2ib', { seeds: 9 }))).toEqual([7, 8, 9, 10]);
    expect(seedsOf(spec, method('rollout'))).toEqual([7]);
    expect(seedsOf(spec, method('rollout', { seeds: 3 }))).toEqual([7]);
  });

  it('that a metric judges are the method’s, no more than its limit, and one where methods run again', () => {
    const sampled = method('m2ib');
    expect(judgedSeeds(metric('insertion'), sampled, spec)).toEqual([7, 8, 9, 10]);
    expect(judgedSeeds(metric('insertion', { seeds: 1 }), sampled, spec)).toEqual([7]);
    expect(judgedSeeds(metric('insertion', { seeds: 3 }), sampled, spec)).toEqual([7, 8, 9]);
    expect(judgedSeeds(metric('insertion', { seeds: 3 }), method('m2ib', { seeds: 2 }), spec)).toEqual([7, 8]);
    expect(judgedSeeds(metric('seed-stability'), sampled, spec)).toEqual([7]);
    expect(judgedSeeds(metric('seed-stability', { seeds: 3 }), sampled, spec)).toEqual([7]);
    expect(judgedSeeds(metric('insertion', { seeds: 3 }), method('rollout'), spec)).toEqual([7]);
  });
});

it('a limit of pairs takes the first ones', () => {
  expect([0, 1, 2, 3].filter(rank => includes({ pairs: 2 }, rank))).toEqual([0, 1]);
  expect(includes({}, 1e9)).toBe(true);
});

describe('keys', () => {
  it('depend on name and options, not on label or limits', () => {
    expect(method('m2ib', { label: 'a', pairs: 3, seeds: 1 }).key).toBe(method('m2ib').key);
    expect(method('m2ib', { options: { steps: 3 } }).key).not.toBe(method('m2ib').key);
    expect(metric('insertion', { label: 'a', seeds: 1 }).key).toBe(metric('insertion').key);
    expect(metric('insertion', { options: { steps: 3 } }).key).not.toBe(metric('insertion').key);
    expect(metric('insertion').key).not.toBe(metric('deletion').key);
  });
});
