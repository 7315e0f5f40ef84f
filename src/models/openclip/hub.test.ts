/** Repositories of the hub in OpenCLIP's layout: what is taken, that the model is the one of the directory, and what is refused. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StandInHub } from '../../checkpoints/hub/testing/stand-in-hub.ts';
import { loadModel } from '../pretrained.ts';
import { familyDirectory } from '../testing/families.ts';

const filesOf = (family: string): Record<string, Buffer> => {
  const directory = familyDirectory(family);
  const names = readdirSync(directory).filter(name => !/^(inputs|outputs)\.|captions|long-reports/.test(name));
  return Object.fromEntries(names.map(name => [name, readFileSync(join(directory, name))]));
};

let cache: string;
let hub: StandInHub | undefined;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'narrows-openclip-hub-'));
});
afterEach(async () => {
  await hub?.stop();
  hub = undefined;
  rmSync(cache, { recursive: true, force: true });
});

async function open(files: Record<string, Buffer>, reference = 'org/name') {
  hub = await new StandInHub(files).start();
  return loadModel(reference, { env: { HF_ENDPOINT: hub.address, HF_HUB_CACHE: cache }, retryDelay: 1 });
}

describe('a repository in OpenCLIP’s layout', () => {
  it.each([
    ['its own ViT', 'openclip/testdata/openclip-plain', 'org/name'],
    ['timm’s ViT with its own tokenizer (timm/…)', 'openclip/testdata/openclip-siglip', 'hf-hub:org/name'],
    ['BiomedCLIP, whose pickle is passed over', 'openclip/testdata/openclip-biomed', 'open_clip:org/name@main'],
  ])('opens as its directory does: %s', async (_, family, reference) => {
    const there = filesOf(family);
    // What such repositories hold besides: timm's own config of the tower, and the same weights as a pickle.
    const more = {
      'config.json': Buffer.from('{"architecture": "vit_base_patch16_siglip_224"}'),
      'open_clip_pytorch_model.bin': Buffer.from('pickle'),
    };
    await using model = await open({ ...there, ...more, 'README.md': Buffer.from('# A model') }, reference);
    await using local = await loadModel(familyDirectory(family));
    expect(model.name).toBe('org/name');
    expect(await model.sha256()).toBe(await local.sha256());
    expect(model.report).toEqual({ missing: [], unexpected: [], misshaped: [] });
    const text = 'right pleural effusion';
    const ids = (from: typeof model) => from.requireTokenizer().encode(text, { maxLength: from.maxTextLength }).ids;
    expect(ids(model)).toEqual(ids(local));
    expect(model.processor.config).toEqual(local.processor.config);
    expect(hub!.log.join()).not.toMatch(/pytorch_model|README/);
    const asked = hub!.log.length;
    await using again = await loadModel(reference, { env: { HF_ENDPOINT: hub!.address, HF_HUB_CACHE: cache } });
    expect(await again.sha256()).toBe(await local.sha256());
    // One request for the branch, none for files.
    expect(hub!.log.slice(asked)).toEqual(['GET /api/models/org/name/revision/main']);
  });

  it('is refused in a sentence with the lines that convert it, where there is nothing but a pickle', async () => {
    const { 'open_clip_model.safetensors': _, ...files } = filesOf('openclip/testdata/openclip-biomed');
    const error = await open({ ...files, 'open_clip_pytorch_model.bin': Buffer.from('pickle') }).then(
      () => expect.fail('it opened'),
      (e: Error) => e,
    );
    expect(error.name).toBe('NarrowsError');
    expect(error.message).toContain('org/name has its weights only as open_clip_pytorch_model.bin, which is never opened here');
    expect(error.message).toContain('open_clip_model.safetensors');
    expect(hub!.log.filter(line => line.includes('/resolve/'))).toEqual([]);
  });
});
