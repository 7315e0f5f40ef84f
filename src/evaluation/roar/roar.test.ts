import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { narrows } from '../../../test/support.ts';
import { corruptCaption, corruptImage, highest } from './corrupt.ts';
import { type RoarResults, relativeDrop, roarMarkdown } from './report.ts';

describe('what a map loses', () => {
  it('are its highest values, always the same share, draws among equals', () => {
    expect([...highest([1, 9, 3, 8, 2, 7, 0, 4], 75, 0)].sort()).toEqual([1, 3]);
    const ties = new Set(Array.from({ length: 40 }, (_, key) => [...highest(new Float32Array(8), 75, key)].sort().join()));
    expect(ties.size).toBeGreaterThan(5);
    for (const tie of ties) expect(tie.split(',')).toHaveLength(2);
    // At least one goes and one stays.
    expect(highest([1, 2], 99, 0).size).toBe(1);
    expect(highest([1, 2, 3], 1, 0).size).toBe(2);
  });

  it('are patches in the mean colour of the image, and nothing else', () => {
    const image = { width: 4, height: 2, data: Uint8Array.from({ length: 24 }, (_, i) => (i % 3) * 50 + (Math.floor(i / 3) < 4 ? 0 : 10)) };
    const patches = Float32Array.of(0, 5);
    const out = corruptImage(image, { patches, grid: [1, 2], view: { left: 0, top: 0, width: 4, height: 2 } }, 50, 0);
    for (let y = 0; y < 2; y++)
      for (let x = 0; x < 4; x++) {
        const at = (y * 4 + x) * 3;
        expect([...out.data.subarray(at, at + 3)]).toEqual(x < 2 ? [...image.data.subarray(at, at + 3)] : [5, 55, 105]);
      }
    expect(image.data[6]).toBe(0);
  });

  it('lie where the model sees them: a centre crop leaves margins out', () => {
    const image = { width: 8, height: 2, data: new Uint8Array(48).fill(200) };
    image.data.fill(0, 0, 3);
    const view = { left: 2, top: 0, width: 4, height: 2 };
    const out = corruptImage(image, { patches: Float32Array.of(5, 0), grid: [1, 2], view }, 50, 0);
    const changed = [...Array(8).keys()].filter(x => out.data[(8 + x) * 3] !== image.data[(8 + x) * 3]);
    expect(changed).toEqual([2, 3]);
  });

  it('are words; a caption of one word keeps it', () => {
    const word = (start: number, end: number, value: number) => ({ start, end, value });
    expect(corruptCaption('a red cat, here', [word(0, 1, 0), word(2, 5, 1), word(6, 9, 9), word(11, 15, 2)], 75, 0)).toBe('a red here');
    expect(corruptCaption('cat', [word(0, 3, 5)], 75, 0)).toBe('cat');
  });
});

describe('the table', () => {
  const retrained = (right: number) => Array.from({ length: 60 }, (_, i) => [i % 10 < right ? 1 : 0, i % 10 < right ? 1 : 0]);
  it('has relative drops of known size', () => {
    const { estimate, low, high } = relativeDrop(retrained(8), retrained(4), 'x');
    expect(estimate).toBeCloseTo(0.5, 12);
    expect(low).toBeLessThan(0.5);
    expect(high).toBeGreaterThan(0.5);
    expect(relativeDrop(retrained(8), retrained(8), 'x').estimate).toBe(0);
    const one = (right: number) => retrained(right).map(r => r[0]);
    const results: RoarResults = {
      schemaVersion: 1,
      model: { name: 'm', sha256: '' },
      settings: { percentile: 75, modality: 'image' },
      untouched: { zeroShot: one(10), retrained: retrained(8) },
      methods: [
        { name: 'weak', zeroShot: one(10), retrained: retrained(8) },
        { name: 'strong', zeroShot: one(5), retrained: retrained(4) },
      ],
    };
    const text = roarMarkdown(results);
    expect(text.indexOf('| strong')).toBeLessThan(text.indexOf('| weak'));
    expect(text).toMatch(/\| strong \| 50\.0 % \[.*\] \| 50\.0 % \[.*\] \| 0\.400 \|/);
  });
});

describe('narrows roar', () => {
  it('writes pairs and a table, goes on from what is there, and refuses other settings', async () => {
    const output = await mkdtemp(join(tmpdir(), 'narrows-roar-'));
    try {
      const args = [
        'roar',
        '--methods',
        'grad-cam',
        '--samples',
        '64',
        '--validation-samples',
        '50',
        '--max-steps',
        '0',
        '--output',
        output,
      ];
      const first = await narrows([...args, '--json', '--quiet'], { cwd: output });
      expect(first.stderr).toBe('');
      const results = JSON.parse(first.stdout) as RoarResults;
      expect(results.methods.map(m => m.name)).toEqual(['grad-cam', 'random', 'uniform']);
      expect(results.untouched.zeroShot).toHaveLength(50);
      expect((await readdir(join(output, 'grad-cam', 'validation'))).length).toBe(50);
      expect(await readFile(join(output, 'roar.md'), 'utf8')).toContain('| grad-cam |');
      const again = await narrows([...args, '--json', '--quiet'], { cwd: output });
      expect(JSON.parse(again.stdout)).toEqual(results);
      const other = await narrows([...args, '--percentile', '50'], { cwd: output });
      expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/other settings; choose another --output/)]);
      const unknown = await narrows(['roar', '--methods', 'grad-kam', '--output', output], { cwd: output });
      expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringMatching(/no method "grad-kam"; did you mean grad-cam/)]);
    } finally {
      await rm(output, { recursive: true });
    }
  });
});
