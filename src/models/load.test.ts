/** @file The model that a config's model_type asks for, or the sentence that says what there is. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NarrowsError } from '../system/errors.ts';
import { CLIPModel } from './clip/model.ts';
import { ANSWERING_TYPES } from './llava/config.ts';
import { MODEL_TYPES, parseKnownConfig } from './load.ts';
import { loadModel } from './pretrained.ts';
import { SiglipModel } from './siglip/model.ts';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-load-'));
});
afterAll(() => rm(root, { recursive: true }));

it('loads each architecture by its model_type', async () => {
  await using clip = await loadModel(path('testdata/clip-tiny'));
  await using siglip = await loadModel(path('siglip/testdata/siglip-tiny'));
  expect([clip, siglip].map(model => model.name)).toEqual(['clip-tiny', 'siglip-tiny']);
  expect(clip).toBeInstanceOf(CLIPModel);
  expect(siglip).toBeInstanceOf(SiglipModel);
  const towers = ['open_clip', 'vision-text-dual-encoder', 'chinese_clip', 'siglip2'];
  expect(MODEL_TYPES).toEqual(['clip', 'siglip', ...towers, ...ANSWERING_TYPES, 'llava_mini', 'llava_mini_llama']);
  expect(ANSWERING_TYPES).toContain('llava');
});

it.each([
  [
    { model_type: 'blip' },
    'is of model_type "blip"; Narrows runs clip, siglip, open_clip, vision-text-dual-encoder, chinese_clip, siglip2, llava, ',
  ],
  [{ model_type: 'toString' }, 'is of model_type "toString"; Narrows runs'],
  [{}, 'has no model_type; Narrows runs clip, siglip'],
  [
    { model_type: 'llava' },
    'is of model_type "llava": a LLaVA, which answers questions about images (narrows chat, narrows generate); what was asked for needs a model that compares',
  ],
])('refuses %j in one sentence that names the file', async (config, message) => {
  await writeFile(join(root, 'config.json'), JSON.stringify(config));
  const error = await loadModel(root).then(
    () => expect.fail('loaded'),
    e => e,
  );
  expect(error).toBeInstanceOf(NarrowsError);
  expect(error.message).toContain(`${join(root, 'config.json')} ${message}`);
  expect(error.message).not.toContain('\n');
});

it('says how wide the shared space is', () => {
  expect(parseKnownConfig({ model_type: 'clip', projection_dim: 640 }, 'c').projection).toBe(640);
  const text_config = { hidden_size: 1152, num_attention_heads: 16, projection_size: 768 };
  expect(parseKnownConfig({ model_type: 'siglip', text_config }, 'c').projection).toBe(768);
});
