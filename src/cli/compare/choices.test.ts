import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseMethods, readOptionsFile } from './choices.ts';

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'narrows-choices-'));
  file = join(folder, 'options.json');
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const readOptions = async (json: object) => {
  await writeFile(file, JSON.stringify(json));
  return readOptionsFile(file);
};

describe('choices of a comparison', () => {
  it('hold what was asked, the reference and the controls', () => {
    const labels = chooseMethods(['rollout'], 'm2ib').map(c => c.label);
    expect(labels.slice(0, 2)).toEqual(['rollout', 'm2ib']);
    expect(labels).toEqual(expect.arrayContaining(['random', 'uniform', 'centre-prior']));
    expect(new Set(labels).size).toBe(labels.length);
  });

  it('take labels of the options file, and all means these too', async () => {
    const { methods } = await readOptions({ 'm2ib@tuned': { method: 'm2ib', beta: 0.3, pairs: 7 }, rollout: { seeds: 1 } });
    const tuned = { label: 'm2ib@tuned', name: 'm2ib', options: { beta: 0.3 }, pairs: 7 };
    expect(chooseMethods(['m2ib@tuned'], 'm2ib', methods)[0]).toEqual(tuned);
    const all = chooseMethods(['all'], 'm2ib', methods);
    expect(all).toContainEqual(tuned);
    expect(all.filter(c => c.label === 'rollout')).toEqual([{ label: 'rollout', name: 'rollout', options: {}, seeds: 1 }]);
  });

  it('answer wrong names with near ones', async () => {
    expect(() => chooseMethods(['rolout'], 'm2ib')).toThrow('There is no method "rolout"; did you mean rollout?');
    expect(() => chooseMethods(['rollout'], 'm2bi')).toThrow('There is no method "m2bi"; did you mean m2ib?');
    await expect(readOptions({ x: { method: 'm2bi' } })).rejects.toThrow(
      /options\.json: "x" names "m2bi", which is no method; did you mean m2ib\?/,
    );
    await expect(readOptions({ rollout: { pairs: 0 } })).rejects.toThrow(/pairs of "rollout" must be a whole number of at least 1, got 0/);
    await expect(readOptions({ rollout: 3 })).rejects.toThrow(/"rollout" must be an object of options/);
  });
});
