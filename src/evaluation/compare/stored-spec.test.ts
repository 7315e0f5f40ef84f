import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CompareSpec } from './settings.ts';
import { readSpec, SPEC_FILE } from './stored-spec.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-spec-'));
});
afterAll(() => rm(root, { recursive: true }));

const SPEC: Omit<CompareSpec, 'directory'> = {
  model: 'scene-clip',
  methods: [{ label: 'random', name: 'random', options: {} }],
  metrics: [{ label: 'entropy', name: 'entropy', options: { bins: 3 } }],
  data: { modalities: ['image'], seed: -1, kind: 'scenes', groups: [{ name: 'noto', styles: ['noto'] }], samples: 2 },
  seed: 0,
  seeds: 5,
  robustnessSamples: 20,
  robustnessPasses: 300,
};
const write = (text: string) => writeFile(join(root, SPEC_FILE), text);

it('reads back what was written, under the directory that it is in', async () => {
  await write(JSON.stringify({ ...SPEC, directory: '/elsewhere' }));
  expect(await readSpec(root)).toEqual({ ...SPEC, directory: root });
  const pairs = { ...SPEC, data: { modalities: ['text'], seed: 3, kind: 'jsonl', file: 'pairs.jsonl' } };
  await write(JSON.stringify(pairs));
  expect(await readSpec(root)).toEqual({ ...pairs, directory: root });
});

// The first was found by damaging files: without its model the comparison ended in an internal error.
it.each([
  ['model', { ...SPEC, model: undefined }],
  ['methods', { ...SPEC, methods: {} }],
  ['metrics.0.name', { ...SPEC, metrics: [{ label: 'x', options: {} }] }],
  ['data.kind', { ...SPEC, data: { ...SPEC.data, kind: 'other' } }],
  ['seeds', { ...SPEC, seeds: 'five' }],
])('says that %s is wrong, and what to do', async (place, spec) => {
  await write(JSON.stringify(spec));
  await expect(readSpec(root)).rejects.toThrow(
    new RegExp(`${SPEC_FILE} holds no settings of a comparison any more: ${place}: .*\\. Run narrows compare with its flags`),
  );
});

it('tells a missing file from one that is no JSON', async () => {
  await write('{"model": ');
  await expect(readSpec(root)).rejects.toThrow(/comparison\.json.*JSON/);
  await expect(readSpec(join(root, 'none'))).rejects.toThrow('holds no comparison (no comparison.json)');
});
