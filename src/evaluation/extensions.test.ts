import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { narrows } from '../../test/support.ts';
import { defineMethod } from '../attribution/define-method.ts';
import { createMethod, findMethod, methods, registerMethod } from '../attribution/registry.ts';
import { writeSafetensors } from '../checkpoints/write.ts';
import type { DualEncoder } from '../models/dual-encoder.ts';
import { assembleResults } from '../report/comparison/assemble.ts';
import { NarrowsError } from '../system/errors.ts';
import { floats } from '../tensor/tensor.ts';
import { runComparison } from './compare/comparison.ts';
import { openSource } from './compare/data/open.ts';
import type { SampleSource } from './compare/data/sample.ts';
import { styleGroups } from './compare/data/scenes.ts';
import { loadModel } from './compare/engine/load-model.ts';
import { type Choice, type CompareSpec, methodSettings } from './compare/settings.ts';
import { loadExtensions, loadPlugin } from './extensions.ts';
import { loadMaps } from './external-maps.ts';
import { createMetric, findMetric, metrics } from './metrics/registry.ts';

const examples = fileURLToPath(new URL('../../examples/plugins', import.meta.url));
const plugins = ['local-contrast.mjs', 'top-share.mjs'].map(file => join(examples, file));

let folder: string;
let model: DualEncoder;
let source: SampleSource;
const data = { kind: 'scenes', groups: styleGroups(['twemoji']), samples: 2, modalities: ['image', 'text'], seed: 3 } as const;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'narrows-extensions-'));
  model = await loadModel('scene-clip');
  source = await openSource(data);
});
afterAll(async () => {
  await model.release();
  await rm(folder, { recursive: true, force: true });
});

const file = async (name: string, content: string): Promise<string> => {
  await writeFile(join(folder, name), content);
  return join(folder, name);
};

describe('the tables', () => {
  it('are keyed by the names of their entries, and find and make by name', async () => {
    for (const entry of methods) expect(findMethod(entry.name)).toBe(entry);
    for (const entry of metrics) expect(findMetric(entry.name)).toBe(entry);
    // Types: a wrong option of a known name does not compile.
    const made = createMethod('m2ib', model, { steps: 3 });
    expect(made.options).toMatchObject({ steps: 3 });
    // @ts-expect-error: no such option
    expect(() => createMethod('m2ib', model, { stepz: 3 })).toThrow(/stepz/);
    // @ts-expect-error: no such metric
    expect(() => createMetric('insertionn')).toThrow(/no metric "insertionn"/);
    expect(createMetric('insertion', { steps: 4 })).toBeDefined();
    expect(createMethod('auto', model).entry.name).toBe('gated-gradients');
    await made.release();
  });
  it('take one entry once, and no taken name', () => {
    const entry = defineMethod({ name: 'test-nothing', explain: async () => ({}) });
    expect(registerMethod(entry)).toBe(entry);
    expect(registerMethod(entry)).toBe(entry);
    expect(methods.filter(m => m.name === 'test-nothing')).toHaveLength(1);
    expect(() => registerMethod({ ...entry })).toThrow(/"test-nothing" already/);
    expect(() => registerMethod(defineMethod({ name: 'rise', explain: async () => ({}) }))).toThrow(/"rise" already/);
    expect(() => defineMethod({ name: 'Has Blanks', explain: async () => ({}) })).toThrow(
      /method "Has Blanks" cannot be used: name: lower-case/,
    );
    expect(() => defineMethod({ name: 'x', modalities: [], explain: async () => ({}) })).toThrow(/modalities/);
  });
});

describe('a plug-in', () => {
  it('is refused in one sentence that names the file', async () => {
    const refused: [string, RegExp][] = [
      [await file('syntax.mjs', 'export const methods = ['), /syntax\.mjs cannot be imported/],
      [await file('nothing.mjs', 'export const x = 1;'), /exports neither methods nor metrics/],
      [await file('shape.mjs', 'export const methods = 3;'), /must export methods as a list of objects/],
      [await file('name.mjs', 'export const methods = [{ name: "rise", explain() {} }];'), /name\.mjs: There is a method "rise" already/],
      [
        await file('part.mjs', 'export const metrics = [{ name: "abc", evaluate() {} }];'),
        /part\.mjs: The metric "abc" cannot be used: direction/,
      ],
      [join(folder, 'absent.mjs'), /absent\.mjs/],
    ];
    for (const [path, message] of refused) {
      await expect(loadPlugin(path)).rejects.toThrow(message);
      await expect(loadPlugin(path)).rejects.toThrow(NarrowsError);
    }
  });

  it('takes part in a comparison, in workers too, and its file is part of the keys', async () => {
    await loadExtensions({ plugins });
    await loadExtensions({ plugins });
    const plain = (name: string): Choice => ({ label: name, name, options: {} });
    const directory = join(folder, 'compared');
    const common = { model: 'scene-clip', data, seed: 0, seeds: 1, robustnessSamples: 0, robustnessPasses: 300, plugins, directory };
    const spec: CompareSpec = { ...common, methods: ['local-contrast', 'legrad'].map(plain), metrics: ['top-share', 'entropy'].map(plain) };
    await runComparison(spec, source, model, { workers: 1 });
    const { parts } = await assembleResults(spec, source, model, { reference: 'legrad' });
    const { values } = parts.find(p => p.modality === 'image')!;
    await using method = createMethod(findMethod('local-contrast')!, model);
    for (let p = 0; p < 2; p++) {
      const { image } = await method.attribute((await source.read(p)).pair, { modality: 'image' });
      expect(values['top-share']['local-contrast'][p][0]).toBeCloseTo(
        Math.max(...image!.patches) / image!.patches.reduce((a, b) => a + b, 0),
        6,
      );
    }
    const [setting] = methodSettings(spec.methods);
    const other = methodSettings([{ ...spec.methods[0] }]).map(s => s.key);
    expect(other).toEqual([setting.key]);
    expect(findMethod('local-contrast')!.version).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is known to the command line: flags, help, maps', async () => {
    const list = await narrows(['methods', '--plugin', plugins[0], '--json'], { cwd: folder });
    expect(JSON.parse(list.stdout).map((m: { name: string }) => m.name)).toContain('local-contrast');
    const one = await narrows(['metrics', 'top-share', `--plugin=${plugins[1]}`], { cwd: folder });
    expect(one.stdout).toContain('How much of the map one patch or word holds.');
    const map = await narrows(['attribute', '--plugin', plugins[0], '--method', 'local-contrast', '--json', '--quiet'], { cwd: folder });
    const { image, method } = JSON.parse(map.stdout);
    expect([method, image.grid]).toEqual(['local-contrast', [8, 8]]);
    const none = await narrows(['attribute', '--plugin', 'absent.mjs'], { cwd: folder });
    expect([none.code, none.stderr]).toEqual([1, expect.stringMatching(/^narrows: .*absent\.mjs.*\n$/)]);
  });
});

describe('maps made elsewhere', () => {
  it('are judged as the method that made them is, from tensors and from JSON', async () => {
    const maps = join(folder, 'maps');
    await mkdir(maps);
    const tensors: Record<string, ReturnType<typeof floats>> = {};
    const json: Record<string, number[] | number[][]> = {};
    await using method = createMethod('legrad', model);
    await using words = createMethod('saliency', model);
    for (const [i, { id, modality }] of source.names.entries()) {
      const { pair } = await source.read(i);
      if (modality === 'image') {
        const { patches } = (await method.attribute(pair, { modality })).image!;
        // As pixels: every patch twelve by twelve equal values.
        tensors[id] = floats(
          [96, 96],
          Array.from({ length: 96 * 96 }, (_, k) => patches[Math.floor(k / 96 / 12) * 8 + Math.floor((k % 96) / 12)]),
        );
        json[id.replace('/image', '')] = Array.from({ length: 8 }, (_, r) => [...patches.subarray(8 * r, 8 * r + 8)]);
      } else
        tensors[id] = floats(
          [0 + (await words.attribute(pair, { modality })).text!.words.length],
          (await words.attribute(pair, { modality })).text!.words.map(w => w.value),
        );
    }
    await writeSafetensors(join(maps, 'elsewhere.safetensors'), tensors);
    await writeFile(join(maps, 'from-json.json'), JSON.stringify(json));
    const directory = join(folder, 'judged');
    const args = [
      'compare',
      '--methods',
      'legrad,saliency,elsewhere,from-json',
      '--metrics',
      'insertion,energy-pointing-game,entropy,seed-stability',
    ];
    const rest = [
      '--maps',
      maps,
      '--samples',
      '2',
      '--styles',
      'twemoji',
      '--seed',
      '3',
      '--seeds',
      '1',
      '--reference',
      'legrad',
      '--workers',
      '1',
      '--output',
      directory,
    ];
    const run = await narrows([...args, ...rest, '--quiet'], { cwd: folder });
    expect([run.code, run.stderr.split('\n').filter(line => line && !/too few|from-json failed on .*text/.test(line))]).toEqual([0, []]);
    const { parts, methods: used } = JSON.parse(await readFile(join(directory, 'results.json'), 'utf8'));
    expect(used.find((m: { name: string }) => m.name === 'elsewhere').family).toBe('external');
    const [image, text] = ['image', 'text'].map(side => parts.find((p: { modality: string }) => p.modality === side));
    for (const metric of ['insertion', 'energy-pointing-game', 'entropy']) {
      for (const name of ['elsewhere', 'from-json'])
        for (const p of [0, 1]) expect(image.values[metric][name][p][0]).toBeCloseTo(image.values[metric].legrad[p][0], 5);
      for (const p of [0, 1]) expect(text.values[metric].elsewhere[p][0]).toBeCloseTo(text.values[metric].saliency[p][0], 5);
    }
    // They cannot be made again, and say so where a pair is missing.
    expect(image.values['seed-stability'].elsewhere).toEqual([[], []]);
    expect(text.skipped['from-json']).toMatch(/from-json\.json: the map for "twemoji\/text\/0" is \[8, 8\]; it must be \[\d+\]/);
  });

  it('are refused in one sentence', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty);
    await expect(loadMaps(empty)).rejects.toThrow(/holds no maps/);
    await expect(loadMaps(join(folder, 'nowhere'))).rejects.toThrow(NarrowsError);
    const bad = join(folder, 'bad');
    await mkdir(bad);
    await writeFile(join(bad, 'ragged.json'), '{"a": [[1, 2], [3]]}');
    await expect(loadMaps(bad)).rejects.toThrow(/rows of the map "a" have different lengths/);
    await writeFile(join(bad, 'ragged.json'), '{"a": "b"}');
    await expect(loadMaps(bad)).rejects.toThrow(/must be an object of maps by pair id/);
    await writeFile(join(bad, 'ragged.json'), '{"a": [[1, 2, 3]], "n": [[1, 2], [3, 4]]}');
    await loadMaps(bad);
    await using method = createMethod(findMethod('ragged')!, model);
    const { pair } = await source.read(0);
    const attribute = (id?: string) => method.attribute({ ...pair, id }, { modality: 'image' });
    await expect(attribute('a')).rejects.toThrow(/map for "a" is \[1, 3\]; it must be \[8, 8\]/);
    await expect(attribute('z')).rejects.toThrow(/holds no map for the pair "z"/);
    await expect(attribute()).rejects.toThrow(/pairs that have an id/);
  });
});
