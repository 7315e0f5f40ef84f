import { describe, expect, it } from 'vitest';
import { NarrowsError } from '../../system/errors.ts';
import { loadSets, promptOf, type WantedSet } from './load-sets.ts';
import { drawnBenchmark } from './testing/drawn-set.ts';

const CLEAN = [{ name: 'clean' }];
const drawn: WantedSet = { benchmark: drawnBenchmark, scenarios: CLEAN };
const failing = (error: Error): WantedSet => ({
  benchmark: { ...drawnBenchmark, name: 'failing', load: () => Promise.reject(error) },
  scenarios: CLEAN,
});

describe('loadSets', () => {
  it('leaves out and names what is not there, only where that is allowed', async () => {
    const absent = failing(new NarrowsError('its data are not there.'));
    const { sets, leftOut } = await loadSets([absent, drawn], { leaveOut: true, limit: 2 });
    expect(sets.map(({ benchmark, prompt, set }) => [benchmark.name, prompt, set.questions.length])).toEqual([['drawn', 'plain', 2]]);
    expect(leftOut).toEqual([{ benchmark: 'failing', reason: 'its data are not there.' }]);
    await expect(loadSets([absent, drawn], {})).rejects.toThrow('its data are not there.');
    await expect(loadSets([absent], { leaveOut: true })).rejects.toThrow(
      /^None of the sets is there: failing \(its data are not there\.\) Put each/,
    );
  });

  it('never leaves out what was called wrongly, or an error of the program', async () => {
    for (const error of [new NarrowsError('no such split.', { kind: 'usage' }), new TypeError('a bug')])
      await expect(loadSets([failing(error), drawn], { leaveOut: true, limit: 2 })).rejects.toThrow(error);
  });
});

describe('promptOf', () => {
  const two = { ...drawnBenchmark, prompts: { 'llava@1.5': drawnBenchmark.prompts.plain, 'plain@1': drawnBenchmark.prompts.plain } };
  it('takes whole names, names without a version, or the first', () => {
    expect([undefined, 'plain', 'plain@1', 'llava'].map(name => promptOf(two, name))).toEqual([
      'llava@1.5',
      'plain@1',
      'plain@1',
      'llava@1.5',
    ]);
    expect(() => promptOf(two, 'plan')).toThrow(/^drawn has no prompt "plan" \(.*plain/);
  });
});
