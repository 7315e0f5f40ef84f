/** The fuzzer in its short form, and that it would see what it is there for: each verdict on a call that deserves it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CaseLog } from '../shared/log.ts';
import { caseSeed } from '../shared/seeds.ts';
import { json } from './forms/json.ts';
import { safetensors } from './forms/safetensors.ts';
import { mutationsOf, shrink } from './mutation.ts';
import { figures, fuzz } from './run.ts';
import { hasNaN, judge, settled } from './verdict.ts';

const root = mkdtempSync(join(tmpdir(), 'narrows-torture-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SEED = Number(process.env.NARROWS_TORTURE_SEED ?? 7);

it('forty damaged inputs of all kinds but finished runs are refused in a sentence, or read', { timeout: 480_000 }, async () => {
  const said: string[] = [];
  const options = {
    seed: SEED,
    cases: 60,
    until: Date.now() + 400_000,
    output: root,
    resume: false,
    say: (text: string) => said.push(text),
  };
  const entries = await fuzz(options);
  expect(said, `seed ${SEED}`).toEqual([]);
  expect(entries.filter(({ verdict }) => verdict)).toEqual([]);
  // Both happen: else nothing is tried.
  expect(new Set(entries.map(({ end }) => end)).size).toBeGreaterThan(1);
  expect(new Set(entries.map(({ kind }) => kind)).size).toBeGreaterThan(9);
  expect(figures(entries)).toContain(`| all | ${entries.length} |`);
  // The log goes on where it ended.
  expect(await fuzz({ ...options, cases: entries.length })).toEqual(entries);
});

describe('a verdict', () => {
  const facts = { outcome: '1', sound: '1', mustBeSaid: false, leftovers: [] };
  const call = { id: 1, code: 0, stdout: '', stderr: '' };
  it.each([
    ['internal', { ...call, code: 1, stderr: 'narrows: This should not have happened: x.', stack: undefined }, {}],
    ['internal', { ...call, code: 1, stderr: 'narrows: x.', stack: 'TypeError: x' }, {}],
    ['internal', { ...call, stderr: 'Error: x\n    at f (/a/b.ts:1:2)\n' }, {}],
    ['wordless', { ...call, code: 1 }, {}],
    ['leftover', { ...call, code: 1, stderr: 'narrows: No.' }, { leftovers: ['x.json.0123456789ab.tmp'] }],
    ['nan', call, { outcome: '{"patches":[1,null]}' }],
    ['silent', call, { outcome: '2', mustBeSaid: true }],
    ['hang', { broken: 'hang' as const, detail: '', said: '' }, {}],
    [undefined, { ...call, stderr: 'narrows: Warning: x was left out.' }, { outcome: '2', mustBeSaid: true }],
    [undefined, { ...call, code: 1, stderr: 'narrows: x.json is damaged.' }, { outcome: '' }],
    [undefined, call, { outcome: '2' }],
  ])('is %s', (verdict, ended, more) => {
    expect(judge(ended, { ...facts, ...more })).toBe(verdict);
  });

  it('leaves out of an outcome what clocks, places and the hash of a file make of it, and nothing else', () => {
    const said = (patch: number, sha: string): string =>
      settled(`{"image":{"sha256":"${sha}","name":"/a/x.png"},"patches":[${patch}],"seconds":${patch}.5}`, '/a');
    expect(said(1, 'ab')).toBe(said(1, 'cd'));
    expect(said(1, 'ab')).not.toBe(said(2, 'ab'));
    // As `--json` prints it, over many lines.
    const lines = (seconds: number): string =>
      settled(JSON.stringify({ sha256: `${seconds}`, timings: { encode: seconds } }, null, 2), '/a');
    expect(lines(1)).toBe(lines(2));
  });

  it('sees NaN in JSON and in text, and no word of it', () => {
    expect(['[1,null,2]', 'score NaN', '{"a":[[null,1]]}', '-Infinity'].map(hasNaN)).toEqual([true, true, true, true]);
    expect(['{"a":null}', '["x",null]', '"NaN"', 'NaNa'].map(hasNaN)).toEqual([false, false, false, false]);
  });
});

describe('cases', () => {
  it('are made again by their seed, differ from one another, and shrink to what still fails', async () => {
    expect(mutationsOf(caseSeed('fuzz', 1, 5))).toEqual(mutationsOf(caseSeed('fuzz', 1, 5)));
    const many = new Set(Array.from({ length: 50 }, (_, i) => JSON.stringify(mutationsOf(caseSeed('fuzz', 1, i)))));
    expect(many.size).toBe(50);
    const seed = [...Array(50).keys()].map(i => caseSeed('x', 1, i)).find(one => mutationsOf(one).some(({ at }) => at > 9000))!;
    const small = await shrink(seed, async steps => steps.some(({ at }) => at > 9000), 5000);
    expect(small).toEqual([{ kind: 0, at: 9001, size: 0, value: 0 }]);
  });

  it('change JSON, and a header of safetensors with its length', () => {
    const text = Buffer.from('{"a":1,"b":{"c":"x"}}');
    expect(json.apply(text, { kind: 12, at: 0, size: 0, value: 0 }, []).toString()).toBe('{"a":null,"b":{"c":"x"}}');
    expect(json.apply(text, { kind: 0, at: 0, size: 0, value: 0 }, []).toString()).toBe('{"b":{"c":"x"}}');
    const file = readFileSync(new URL('../../src/checkpoints/testdata/all-types.safetensors', import.meta.url));
    const changed = safetensors.apply(file, { kind: 1, at: 0, size: 0, value: 0 }, []);
    const [before, after] = [file, changed].map(one => Number(one.readBigUInt64LE(0)));
    expect(after).toBeLessThan(before);
    expect(changed.subarray(8 + after).equals(file.subarray(8 + before))).toBe(true);
    expect(() => JSON.parse(changed.subarray(8, 8 + after).toString())).not.toThrow();
  });

  it('of a log that was cut short are those of its whole lines', () => {
    const log = new CaseLog(join(root, 'log.jsonl'));
    log.add({ index: 0 });
    log.add({ index: 1 });
    expect(new CaseLog(log.path).next).toBe(2);
  });
});
