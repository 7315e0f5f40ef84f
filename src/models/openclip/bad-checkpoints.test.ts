/** @file Checkpoints of the further layouts that are broken, incomplete or of another kind: one sentence each, with what is wrong. */
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../../checkpoints/disk.ts';
import { readTensor } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { NarrowsError } from '../../system/errors.ts';
import { floats, type Tensor } from '../../tensor/tensor.ts';
import { loadModel } from '../pretrained.ts';
import { familyDirectory } from '../testing/families.ts';

let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-bad-'));
});
afterAll(() => rm(root, { recursive: true }));

type Json = Record<string, unknown>;
const WEIGHTS = 'open_clip_model.safetensors';

async function copyOf(name: string): Promise<string> {
  const directory = join(root, `copy${count++}`);
  await cp(familyDirectory(name), directory, { recursive: true });
  return directory;
}

/** A copy whose config is changed. */
async function configured(name: string, file: string, change: (json: Json) => void): Promise<string> {
  const directory = await copyOf(name);
  const json = JSON.parse(await readFile(join(directory, file), 'utf8'));
  change(json);
  await writeFile(join(directory, file), JSON.stringify(json));
  return directory;
}

/** A copy whose tensors are changed. */
async function weighted(name: string, change: (tensors: Map<string, Tensor>) => void, file = WEIGHTS): Promise<string> {
  const directory = await copyOf(name);
  const all = new Map<string, Tensor>();
  for (const [key, entry] of (await openSafetensors(join(directory, file))).tensors) all.set(key, await readTensor(entry));
  change(all);
  await writeSafetensors(join(directory, file), all, { format: 'pt' });
  return directory;
}

async function sentence(directory: string, text = false): Promise<string> {
  const error = await loadModel(directory)
    .then(
      async model => {
        await model.release();
        if (text) model.requireTokenizer();
        return expect.fail('it opened');
      },
      e => e,
    )
    .catch(e => e);
  expect(error).toBeInstanceOf(NarrowsError);
  return error.message;
}

const openclip = (name: string): string => `openclip/testdata/openclip-${name}`;
const vision = (json: Json): Json => (json.model_cfg as Json).vision_cfg as Json;
const text = (json: Json): Json => (json.model_cfg as Json).text_cfg as Json;

describe("OpenCLIP's config", () => {
  it.each<[string, string, (json: Json) => void, string]>([
    ['a ResNet', 'plain', json => Object.assign(vision(json), { layers: [3, 4, 6, 3] }), 'the image tower is a ResNet'],
    ['CoCa', 'plain', json => Object.assign(json.model_cfg as Json, { multimodal_cfg: {} }), 'the model is a CoCa'],
    ['attentional pooling', 'plain', json => Object.assign(vision(json), { attentional_pool: true }), 'attentional_pool is on'],
    ['other blocks', 'plain', json => Object.assign(text(json), { qk_norm: true }), 'text_cfg.qk_norm asks for a block'],
    [
      'a key of a wrong kind',
      'plain',
      json => Object.assign(vision(json), { width: '32' }),
      'the key "model_cfg.vision_cfg.width" is wrong',
    ],
    ['no model_cfg', 'plain', json => delete json.model_cfg, 'the key "model_cfg" is wrong'],
    ['heads that do not divide', 'plain', json => Object.assign(vision(json), { head_width: 7 }), 'is not a multiple of head_width 7'],
    ['a strip', 'plain', json => Object.assign(vision(json), { image_size: [32, 64] }), 'square pictures and patches'],
    [
      'a tower that timm knows and Narrows does not',
      'biomed',
      json => Object.assign(vision(json), { timm_model_name: 'eva02_base_patch16_clip_224' }),
      'which is none that is known',
    ],
    ['a mean over texts', 'biomed', json => Object.assign(text(json), { hf_pooler_type: 'mean_pooler' }), 'reads the [CLS] token only'],
    ['another head', 'biomed', json => Object.assign(text(json), { hf_proj_type: 'attention' }), 'computes "linear" and "mlp"'],
    [
      'another version of the model',
      'plain',
      json => Object.assign(vision(json), { layers: 6 }),
      'lacks 24 tensors (visual.transformer.resblocks.4.',
    ],
    [
      'weights of another width',
      'plain',
      json => Object.assign(text(json), { width: 48, heads: 6 }),
      'the weights and the config do not belong together',
    ],
  ])('%s', async (_, name, change, expected) => {
    const message = await sentence(await configured(openclip(name), 'open_clip_config.json', change));
    expect(message).toContain(expected);
    expect(message).not.toContain('\n');
  });
});

describe("OpenCLIP's files", () => {
  it('weights that lack a tensor, named as the file would have it', async () => {
    const directory = await weighted(openclip('biomed'), tensors => tensors.delete('visual.trunk.blocks.1.attn.qkv.bias'));
    expect(await sentence(directory)).toContain('lacks 1 tensor (visual.trunk.blocks.1.attn.qkv.bias)');
  });

  it('a tower with tensors beyond its name is none of that name', async () => {
    const directory = await weighted(openclip('biomed'), tensors =>
      tensors.set('visual.trunk.reg_token', floats([1, 4, 24], new Float32Array(96))),
    );
    expect(await sentence(directory)).toContain('no place for (visual.trunk.reg_token); it is of another architecture');
  });

  it('weights that were pickled', async () => {
    const directory = await copyOf(openclip('plain'));
    await rename(join(directory, WEIGHTS), join(directory, 'open_clip_pytorch_model.bin'));
    for (const file of ['inputs.safetensors', 'outputs.safetensors']) await rm(join(directory, file));
    expect(await sentence(directory)).toContain('only pickled weights (open_clip_pytorch_model.bin)');
  });

  it('weights without their config', async () => {
    const directory = await copyOf(openclip('plain'));
    await rm(join(directory, 'open_clip_config.json'));
    expect(await sentence(directory)).toContain('without the open_clip_config.json that says what they are');
  });

  it.each([
    ['plain', ['vocab.json'], "open_clip carries CLIP's in its own package"],
    [
      'biomed',
      ['tokenizer.json', 'vocab.txt'],
      'copy tokenizer.json and tokenizer_config.json of "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract"',
    ],
  ])('%s without its tokenizer: pictures are served, a text gets the sentence', async (name, files, expected) => {
    const directory = await copyOf(openclip(name));
    for (const file of files) await rm(join(directory, file));
    expect(await sentence(directory, true)).toContain(expected);
  });

  it('both layouts in one directory: that of transformers counts where its weights are there', async () => {
    const directory = await copyOf('vision-text/testdata/vit-bert');
    for (const file of ['open_clip_config.json', WEIGHTS]) await cp(join(familyDirectory(openclip('plain')), file), join(directory, file));
    {
      await using model = await loadModel(directory);
      expect(model.config.model_type).toBe('vision-text-dual-encoder');
    }
    await rm(join(directory, 'model.safetensors'));
    await using model = await loadModel(directory);
    expect(model.config.model_type).toBe('open_clip');
  });

  it("a BERT's config.json next to open_clip_config.json is read in place of what is supposed", async () => {
    const directory = await copyOf(openclip('biomed'));
    const bert = {
      model_type: 'bert',
      vocab_size: 60,
      hidden_size: 128,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      intermediate_size: 96,
      max_position_embeddings: 256,
    };
    await writeFile(join(directory, 'config.json'), JSON.stringify(bert));
    await using model = await loadModel(directory);
    expect(model.text.heads).toBe(4);
    expect(model.warnings).toEqual([]);
  });
});

describe("transformers' dual encoders and NaFlex", () => {
  it.each<[string, string, string, (json: Json) => void, string]>([
    [
      'another image tower',
      'vision-text/testdata/vit-bert',
      'config.json',
      json => Object.assign(json.vision_config as Json, { model_type: 'dinov2' }),
      'vision_config.model_type is "dinov2"',
    ],
    [
      'another text tower',
      'vision-text/testdata/vit-bert',
      'config.json',
      json => Object.assign(json.text_config as Json, { model_type: 't5' }),
      'text_config.model_type is "t5"',
    ],
    [
      'relative positions',
      'vision-text/testdata/vit-bert',
      'config.json',
      json => Object.assign(json.text_config as Json, { position_embedding_type: 'relative_key' }),
      'absolute positions only',
    ],
    [
      'patches that are no square',
      'naflex/testdata/naflex-tiny',
      'config.json',
      json => Object.assign(json.vision_config as Json, { num_patches: 15 }),
      'which is no square number',
    ],
    [
      'rules for other patches',
      'naflex/testdata/naflex-tiny',
      'preprocessor_config.json',
      json => Object.assign(json, { patch_size: 16 }),
      "the model's patches are of 8",
    ],
    [
      'a vocabulary of another BERT',
      'vision-text/testdata/chinese-clip',
      'tokenizer_config.json',
      json => Object.assign(json, { cls_token: '<s>' }),
      'has no token "<s>" (cls_token)',
    ],
  ])('%s', async (_, name, file, change, expected) => {
    const message = await sentence(await configured(name, file, change), true);
    expect(message).toContain(expected);
    expect(message).not.toContain('\n');
  });
});
