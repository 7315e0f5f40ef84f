/** @file Which file of a directory gives the image rules, and what is said where none does or two disagree. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diskFiles } from '../../node/disk-files.ts';
import { defaultRules, openImageProcessor, readImageRules } from './image-rules.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'narrows-rules-'));
});
afterEach(() => rm(directory, { recursive: true }));

const put = (name: string, json: unknown): Promise<void> => writeFile(join(directory, name), JSON.stringify(json));
const CLIP = { type: 'CLIPImageProcessor', size: 32 };
const OLD = { image_processor_type: 'CLIPImageProcessor', size: 40, crop_size: 32, image_mean: [0, 0, 0], image_std: [1, 1, 1] };

async function read(fallback = CLIP) {
  const warnings: string[] = [];
  const rules = await readImageRules(diskFiles(directory), fallback, w => warnings.push(w));
  return { ...rules, warnings };
}

describe('readImageRules', () => {
  it('reads preprocessor_config.json, also next to a processor_config.json without rules', async () => {
    await put('preprocessor_config.json', OLD);
    await put('processor_config.json', { processor_class: 'LlavaProcessor', patch_size: 14 });
    expect(await read()).toEqual({ json: OLD, file: join(directory, 'preprocessor_config.json'), stored: true, warnings: [] });
  });

  it('reads the section of processor_config.json', async () => {
    await put('processor_config.json', { image_processor: OLD, processor_class: 'CLIPProcessor' });
    expect(await read()).toEqual({ json: OLD, file: join(directory, 'processor_config.json'), stored: true, warnings: [] });
  });

  it('takes the section where both hold rules, and says so only where they differ', async () => {
    await put('preprocessor_config.json', OLD);
    await put('processor_config.json', { image_processor: { ...OLD, size: { shortest_edge: 40 }, do_resize: true } });
    expect((await read()).warnings).toEqual([]);
    await put('processor_config.json', { image_processor: { ...OLD, size: { shortest_edge: 39 } } });
    const { json, warnings } = await read();
    expect(json.size).toEqual({ shortest_edge: 39 });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('those of processor_config.json are used');
  });

  it('takes the class of the kind where the file names none', async () => {
    await put('preprocessor_config.json', { size: 24 });
    const siglip = { type: 'SiglipImageProcessor', size: 24 };
    expect((await read(siglip)).json).toEqual({ size: 24, image_processor_type: 'SiglipImageProcessor' });
    const picture = { width: 50, height: 30, data: new Uint8Array(4500) };
    const processor = await openImageProcessor(diskFiles(directory), siglip);
    expect(processor.process(picture).view).toEqual({ left: 0, top: 0, width: 50, height: 30 });
  });

  it('says by name that there are none, whose defaults are taken and for what size', async () => {
    const { json, stored, warnings } = await read();
    expect(json).toEqual(defaultRules(CLIP));
    expect(stored).toBe(false);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`${directory} has no image rules`);
    expect(warnings[0]).toContain('the defaults of CLIPImageProcessor for 32 x 32 are used');
  });

  it.each([
    ['preprocessor_config.json', [], 'must hold a JSON object'],
    ['processor_config.json', { image_processor: 'CLIPImageProcessor' }, '"image_processor" must hold a JSON object'],
  ])('refuses %s that holds %j', async (name, json, message) => {
    await put(name, json);
    await expect(read()).rejects.toThrow(message);
  });
});

describe('openImageProcessor', () => {
  it('says what is ignored, and refuses rules of another size with the file to mend', async () => {
    await put('processor_config.json', { image_processor: { ...OLD, crop_size: 48, crop_pct: 0.5 } });
    const warnings: string[] = [];
    const processor = await openImageProcessor(diskFiles(directory), CLIP, { onWarning: w => warnings.push(w) });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(`${join(directory, 'processor_config.json')}: the key "crop_pct"`);
    const picture = { width: 50, height: 30, data: new Uint8Array(4500) };
    expect(() => processor.process(picture)).toThrow(
      `make 48 x 48 of a picture of 50 x 30, but the model takes 32 x 32; set "size" and "crop_size" in ${join(directory, 'processor_config.json')} to that.`,
    );
  });
});
