import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CellStore, openLine, sealLine } from './store.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-store-'));
});
afterAll(() => rm(root, { recursive: true }));

const schema = z.object({ n: z.number(), text: z.string() });
type R = z.infer<typeof schema>;
const warnings: string[] = [];
const open = (name: string, more: object = {}) =>
  CellStore.open<R>(join(root, name), { kind: 'test', version: 1, schema, onWarning: m => warnings.push(m), ...more });
const value = (n: number): R => ({ n, text: n % 2 ? 'é'.repeat(700) : 'short' });
async function filled(name: string, count = 6): Promise<string> {
  await rm(join(root, name), { force: true });
  await using store = await open(name);
  await Promise.all(Array.from({ length: count }, (_, i) => store.put(`k${i}`, { result: value(i) })));
  return readFile(join(root, name), 'utf8');
}

describe('a store of cells', () => {
  it('gives back what was put, small and large, also after it was closed, and the later of two', async () => {
    await filled('plain');
    await using store = await open('plain');
    expect([store.size, store.result('k2'), store.result('k3'), store.result('k9')]).toEqual([6, value(2), value(3), undefined]);
    await store.put('k3', { result: value(30) });
    expect(store.result('k3')).toEqual(value(30));
    await using again = await open('plain', { readOnly: true });
    expect([again.size, again.result('k3')]).toEqual([6, value(30)]);
    expect(warnings).toEqual([]);
  });

  it('belongs to one device: cells of another are not put beside them, only looked at', async () => {
    await filled('processor');
    await expect(open('processor', { device: 'webgpu' })).rejects.toThrow(
      /processor was begun on the device "cpu" and this call computes on "webgpu".*: add --device cpu, or choose another output\.$/,
    );
    for (const device of ['webgpu', 'webgpu']) {
      await using store = await open('card', { device });
      await store.put('a', { result: value(1) });
    }
    await expect(open('card')).rejects.toThrow('begun on the device "webgpu" and this call computes on "cpu"');
    await using seen = await open('card', { readOnly: true });
    expect(seen.result('a')).toEqual(value(1));
  });

  it('keeps why a cell failed, but no failure counts as a result', async () => {
    {
      await using store = await open('failures');
      await store.put('a', { failure: 'no such image' });
      await store.put('b', { result: value(0) });
      await store.put('b', { failure: 'later' });
    }
    await using store = await open('failures');
    expect([store.has('a'), store.failure('a'), store.result('a')]).toEqual([false, 'no such image', undefined]);
    expect([store.has('b'), store.failure('b')]).toEqual([true, undefined]);
    await store.put('a', { result: value(4) });
    expect([store.has('a'), store.failure('a')]).toEqual([true, undefined]);
  });

  it('loses only the last line wherever it was cut short, and goes on after it', async () => {
    const whole = Buffer.from(await filled('torn', 4));
    const lines = [...whole.toString('utf8').matchAll(/\n/g)].length;
    for (let bytes = 1; bytes < whole.length; bytes += 97) {
      await writeFile(join(root, 'torn'), whole.subarray(0, bytes));
      const there = whole.subarray(0, bytes).toString('utf8').split('\n').length - 1;
      {
        await using store = await open('torn');
        expect(store.size).toBe(Math.max(0, there - 1));
        for (let i = 0; i < 4; i++) if (!store.has(`k${i}`)) await store.put(`k${i}`, { result: value(i) });
      }
      const text = await readFile(join(root, 'torn'), 'utf8');
      expect(text.split('\n').length - 1).toBe(lines);
      for (const line of text.trimEnd().split('\n')) expect(openLine(line)).toBeDefined();
    }
    expect(warnings.splice(0).every(m => /cut short \(\d+ bytes\)/.test(m))).toBe(true);
  });

  it('does not believe a line that was changed, nor one of another form, and says so', async () => {
    const text = await filled('damaged');
    const lines = text.trimEnd().split('\n');
    lines[2] = lines[2].replace('"n":1', '"n":7');
    lines[4] = '{}';
    lines.push(sealLine({ key: 'k8', result: { n: 'eight', text: '' } }));
    await writeFile(join(root, 'damaged'), `${lines.join('\n')}\n`);
    {
      await using store = await open('damaged');
      expect(['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k8'].map(k => store.has(k))).toEqual([true, false, true, false, true, true, false]);
      expect(store.result('k5')).toEqual(value(5));
      expect(warnings.splice(0)).toEqual([expect.stringMatching(/^3 damaged records of .*damaged cannot be believed/)]);
    }
    await using again = await open('damaged');
    expect([again.size, warnings]).toEqual([4, []]);
  });

  it('refuses what is no store of its kind and version', async () => {
    await writeFile(join(root, 'text'), 'hello\n');
    await expect(open('text')).rejects.toThrow(/text holds no cells of test; choose another output/);
    expect(await readFile(join(root, 'text'), 'utf8')).toBe('hello\n');
    await filled('kind');
    await expect(open('kind', { kind: 'other' })).rejects.toThrow(/holds no cells of other/);
    await expect(open('kind', { version: 2 })).rejects.toThrow(/another version of Narrows \(format 1, here 2\)/);
    await appendFile(join(root, 'kind'), 'x');
    await using reader = await open('kind', { readOnly: true });
    // A reader does not mend what another process may be writing.
    expect([reader.size, (await readFile(join(root, 'kind'), 'utf8')).endsWith('x'), warnings]).toEqual([6, true, []]);
    await using none = await open('none', { readOnly: true });
    expect(none.size).toBe(0);
  });
});
