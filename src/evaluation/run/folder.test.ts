import { describe, expect, it } from 'vitest';
import { checkMeans, hashOf, mergeRun, pictureSettings, type RunFacts, type RunRecord } from './folder.ts';
import type { Scenario } from './scenario.ts';
import { yesNoQuestions } from './testing/scored.ts';

const fog = (severity: number): Scenario => ({ name: 'mine', image: { shift: 'fog', severity } });
const run = (count: number, scenarios: readonly Scenario[]): RunFacts => ({
  model: 'm',
  settings: { pictures: pictureSettings() },
  seed: 0,
  sets: [
    {
      ...{ benchmark: 'made', load: {}, prompt: 'plain', maxNewTokens: 4, questions: count, warnings: [] },
      hash: hashOf(yesNoQuestions(12).slice(0, count)),
      scenarios: [...scenarios],
    },
  ],
  warnings: [],
});
const stored = (facts: RunFacts): RunRecord => ({ schemaVersion: 1, narrows: '0', ...facts });
const questions = yesNoQuestions(12);

describe('mergeRun', () => {
  it('goes on with more questions of the same set and with further scenarios', () => {
    const merged = mergeRun('out', stored(run(6, [fog(1)])), run(12, [{ name: 'clean' }]), () => questions);
    expect(merged.sets[0].questions).toBe(12);
    expect(merged.sets[0].scenarios.map(({ name }) => name)).toEqual(['mine', 'clean']);
  });

  it('refuses more questions that do not begin with those of before, fewer ones, and a name that became another shift', () => {
    const others = questions.map((question, i) => (i === 3 ? { ...question, text: 'another ?' } : question));
    const longer = { ...run(12, []), sets: [{ ...run(12, []).sets[0], hash: hashOf(others) }] };
    expect(() => mergeRun('out', stored(run(6, [])), longer, () => others)).toThrow('other questions of made (6; now 12)');
    expect(() => mergeRun('out', stored(run(12, [])), run(6, []), () => questions.slice(0, 6))).toThrow(
      'more questions of made (12; now 6)',
    );
    expect(() => mergeRun('out', stored(run(6, [fog(1)])), run(6, [fog(2)]), () => questions)).toThrow('mine is another shift');
  });
});

describe('checkMeans', () => {
  it('names what a run was given that is not given now', () => {
    const record = { settings: { pictures: pictureSettings({ autoOrient: true }), shifts: { frostTextures: 'x' } } };
    expect(() => checkMeans('out', record, {})).toThrow('out was asked with other --frost-textures, --auto-orient;');
    expect(() => checkMeans('out', record, { key: { frostTextures: 'x' }, pictures: { autoOrient: true } })).not.toThrow();
    expect(() => checkMeans('out', { settings: {} }, { pictures: { window: [0, 9] } })).toThrow('--window');
  });
});
