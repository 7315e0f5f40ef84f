import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFloats } from '../../../checkpoints/safetensors.ts';
import type { DualEncoder } from '../../../models/dual-encoder.ts';
import { familyDirectory } from '../../../models/testing/families.ts';
import { mean, standardDeviation } from '../../../tensor/statistics/descriptive.ts';
import { loadModel } from './load-model.ts';
import { inTopBlocks, randomisedCheckpoint } from './randomise.ts';

const tiny = fileURLToPath(new URL('../../../models/testdata/clip-tiny', import.meta.url));
let folder: string;
let model: DualEncoder;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'narrows-randomise-'));
  model = await loadModel(tiny);
});
afterAll(async () => {
  await model.release();
  await rm(folder, { recursive: true, force: true });
});

describe('randomised checkpoints', () => {
  it('draw the top blocks of one tower again and leave the rest', async () => {
    const directory = await randomisedCheckpoint(model, 'image', 1, 3, folder);
    await using other = await loadModel(directory);
    const top = model.image.layers - 1;
    let drawn = 0;
    for (const [name, entry] of model.checkpoint.entries) {
      const [before, after] = [await readFloats(entry), await readFloats(other.checkpoint.entries.get(name)!)];
      if (!name.startsWith(`vision_model.encoder.layers.${top}.`)) {
        expect(after, name).toEqual(before);
        continue;
      }
      drawn++;
      if (before.length < 500) continue;
      expect(after).not.toEqual(before);
      const spread = standardDeviation(before);
      // Five standard errors of mean and deviation.
      expect(Math.abs(mean(after) - mean(before))).toBeLessThan((5 * spread) / Math.sqrt(before.length));
      expect(Math.abs(standardDeviation(after) / spread - 1)).toBeLessThan(5 / Math.sqrt(2 * before.length));
    }
    expect(drawn).toBe(16);
  });

  it.each(['openclip/testdata/openclip-plain', 'openclip/testdata/openclip-biomed', 'vision-text/testdata/vit-bert'])(
    'keep the layout they come in: %s',
    async name => {
      await using own = await loadModel(familyDirectory(name));
      await using other = await loadModel(await randomisedCheckpoint(own, 'text', 1, 3, folder));
      const top = `text_model.encoder.layers.${own.text.layers - 1}.`;
      const changed: string[] = [];
      for (const [key, entry] of own.checkpoint.entries) {
        const [before, after] = [await readFloats(entry), await readFloats(other.checkpoint.entries.get(key)!)];
        if (before.some((v, i) => v !== after[i])) changed.push(key);
      }
      const block = [...own.checkpoint.entries.keys()].filter(key => key.startsWith(top));
      expect(block.length).toBe(16);
      expect(changed.sort()).toEqual(block.sort());
    },
  );

  it('are both there, complete, and are made once', async () => {
    const both = await Promise.all([0, 1].map(() => randomisedCheckpoint(model, 'text', 2, 3, folder)));
    expect(both[0]).toBe(both[1]);
    expect((await readdir(folder)).filter(name => name.endsWith('.tmp'))).toEqual([]);
    expect(await readdir(both[0])).toContain('config.json');
  });

  it('count blocks from the top', () => {
    const name = (i: number): string => `text_model.encoder.layers.${i}.mlp.fc1.weight`;
    expect([0, 1, 2].map(i => inTopBlocks(name(i), 'text', 3, 2))).toEqual([false, true, true]);
    expect(inTopBlocks(name(2), 'image', 3, 2)).toBe(false);
    expect(inTopBlocks('text_model.embeddings.token_embedding.weight', 'text', 3, 3)).toBe(false);
  });
});
