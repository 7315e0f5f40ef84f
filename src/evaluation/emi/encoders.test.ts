/** @file Encoders against the models' own hidden states and tables, and what they refuse. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readFloats } from '../../checkpoints/safetensors.ts';
import { writeSafetensors } from '../../checkpoints/write.ts';
import { stackImages } from '../../inputs/image/processor.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { bundledDirectory } from '../../models/bundled.ts';
import { loadModel } from '../../models/pretrained.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats } from '../../tensor/tensor.ts';
import { compileTower, encodeImages, towerOf } from '../../tuning/llava/scene-task.ts';
import { llavaSource } from '../../tuning/llava/source.ts';
import { openEmiEncoders } from './encoders.ts';

const folder = await mkdtemp(join(tmpdir(), 'emi-'));
afterAll(() => rm(folder, { recursive: true }));

function picture(sample: number): RgbImage {
  const words = new RandomStream(0, 'emi-test').words(0, sample, new Uint32Array(96 * 96 * 3));
  return { width: 96, height: 96, data: Uint8Array.from(words, w => w >>> 24) };
}
const far = (a: ArrayLike<number>, b: ArrayLike<number>): number => Math.max(...Array.from(a, (v, k) => Math.abs(v - b[k])));

describe('a CLIP', () => {
  it('gives means of patches after the last block, and of token embeddings without the first mark', async () => {
    await using encoders = await openEmiEncoders('scene-clip');
    await using model = await loadModel('scene-clip');
    expect([encoders.pictures.width, encoders.texts.width, encoders.joining]).toEqual([160, 128, 'concatenate']);
    expect(encoders.warnings.join()).toMatch(/160 values and texts with 128.*concatenated/);
    const images = Array.from({ length: 17 }, (_, i) => picture(i));
    const rows = await encoders.pictures.embed(images);
    expect(rows).toHaveLength(17);
    const tokenizer = model.requireTokenizer();
    const text = 'a red car';
    const { inputIds } = tokenizer.encodeBatch([text]);
    const pixelValues = stackImages([model.processor.process(images[16]).pixelValues]);
    const { visionHiddenStates } = await model.forward({ pixelValues, inputIds }, { hiddenStates: true });
    const hidden = visionHiddenStates!.at(-1)!;
    const want = new Float64Array(160);
    for (let t = 1; t < 65; t++) for (let k = 0; k < 160; k++) want[k] += hidden.data[t * 160 + k] / 64;
    expect(far(rows[16], want)).toBeLessThan(1e-4);

    const table = await readFloats(model.checkpoint.entries.get('text_model.embeddings.token_embedding.weight')!);
    const ids = Array.from(inputIds.data as Int32Array).slice(1);
    const mean = Float64Array.from({ length: 128 }, (_, k) => ids.reduce((sum, id) => sum + table[id * 128 + k], 0) / ids.length);
    const { rows: texts, warnings } = await encoders.texts.embed([text, '', text], 'answers');
    expect(far(texts[0], mean)).toBeLessThan(1e-6);
    expect(texts[2]).toEqual(texts[0]);
    expect(warnings).toEqual(["1 of 3 answers hold no word; they are embedded as the tokenizer's mark around a text."]);
  });
});

describe('a LLaVA', () => {
  it('gives what its projector reads of the deepest block, with or without a bottleneck', async () => {
    await using plain = await openEmiEncoders('scene-llava');
    await using narrow = await openEmiEncoders('scene-llava-vittle');
    const images = [picture(0), picture(1)];
    const [a, b] = [await plain.pictures.embed(images), await narrow.pictures.embed(images)];
    expect(plain.pictures.name).toContain('after block 5');
    // The projector reads the last block and the embeddings, side by side.
    const source = await llavaSource('scene-llava');
    const runtime = nodeRuntime({ threads: 1 });
    const tower = await compileTower(runtime, towerOf(source));
    const features = await encodeImages(
      tower,
      towerOf(source),
      images.map(({ data }) => Uint8Array.from(data)),
    );
    const want = new Float64Array(160);
    for (let t = 0; t < 64; t++) for (let k = 0; k < 160; k++) want[k] += features.data[(64 + t) * 320 + k] / 64;
    expect(far(a[1], want)).toBeLessThan(1e-4);
    await tower.release();
    await runtime.release();
    // Tuning left the tower as it was.
    expect(b).toEqual(a);
    expect(far(a[0], a[1])).toBeGreaterThan(0.01);
    expect(plain.texts.width).toBe(source.entries.get('model.language_model.embed_tokens.weight')!.shape[1]);
    const { rows, warnings } = await plain.texts.embed(['what is it ?', 'a car', ''], 'questions');
    expect(far(rows[0], rows[1])).toBeGreaterThan(0.001);
    expect(warnings).toHaveLength(1);
  });
});

describe('other towers', () => {
  const tiny = (path: string): string => fileURLToPath(new URL(`../../models/${path}`, import.meta.url));

  it('need no tokenizer where another model embeds the texts', async () => {
    const images = [picture(2), picture(3)];
    for (const path of [
      'siglip/testdata/siglip-tiny-b',
      'llava/testdata/llava-tiny',
      'llava/testdata/siglip-qwen2-sharded',
      'llava-mini/testdata/paper-llama',
      'smolvlm/testdata/smolvlm-tiny',
      'llava-next/testdata/onevision-tiny',
    ]) {
      await using encoders = await openEmiEncoders(tiny(path), 'scene-clip');
      const rows = await encoders.pictures.embed(images);
      expect(rows[0].length, path).toBe(encoders.pictures.width);
      expect(far(rows[0], rows[1]), path).toBeGreaterThan(1e-4);
      expect(rows[0].every(Number.isFinite), path).toBe(true);
    }
    await expect(openEmiEncoders(tiny('llava/testdata/llava-tiny'))).rejects.toThrow(/tokenizer\.json is missing/);
    await expect(openEmiEncoders(tiny('qwen2-vl/testdata/qwen2-vl-tiny'))).rejects.toThrow(
      /is a Qwen2-VL, whose tower takes patches of a picture of any size.*take the image tower of a CLIP/,
    );
    await expect(openEmiEncoders('scene-clip', tiny('nothing'))).rejects.toThrow(/nothing/);
  });
});

describe('a BERT-like model for texts', () => {
  it('adds words, positions and types, and norms them', async () => {
    const directory = join(folder, 'roberta');
    await cp(join(bundledDirectory(), 'scene-clip'), directory, {
      recursive: true,
      filter: name => !/safetensors|config\.json$/.test(name) || /tokenizer_config/.test(name),
    });
    await writeFile(join(directory, 'config.json'), JSON.stringify({ model_type: 'xlm-roberta', layer_norm_eps: 1e-5 }));
    const random = (name: string, shape: number[]) =>
      floats(shape, new RandomStream(1, name).normals(0, 0, new Float32Array(shape.reduce((x, y) => x * y, 1))));
    const tensors = {
      'roberta.embeddings.word_embeddings.weight': random('w', [530, 4]),
      'roberta.embeddings.position_embeddings.weight': random('p', [20, 4]),
      'roberta.embeddings.token_type_embeddings.weight': random('t', [1, 4]),
      'roberta.embeddings.LayerNorm.weight': random('s', [4]),
      'roberta.embeddings.LayerNorm.bias': random('b', [4]),
    };
    await writeSafetensors(join(directory, 'model.safetensors'), tensors);
    await using encoders = await openEmiEncoders('scene-clip', directory);
    expect(encoders.texts).toMatchObject({ width: 4, name: expect.stringContaining('embedding layer') });
    await using model = await loadModel('scene-clip');
    const { ids } = model.requireTokenizer().encode('red car');
    const [w, p, t, s, b] = Object.values(tensors).map(x => x.data);
    const want = [0, 0, 0, 0];
    for (let i = 1; i < ids.length; i++) {
      const x = [0, 1, 2, 3].map(k => w[ids[i] * 4 + k] + p[(i + 2) * 4 + k] + t[k]);
      const m = (x[0] + x[1] + x[2] + x[3]) / 4;
      const spread = Math.sqrt(x.reduce((sum, v) => sum + (v - m) ** 2, 0) / 4 + 1e-5);
      for (const [k, v] of x.entries()) want[k] += (((v - m) / spread) * s[k] + b[k]) / (ids.length - 1);
    }
    expect(far((await encoders.texts.embed(['red car'], 'questions')).rows[0], want)).toBeLessThan(1e-12);
    await expect(openEmiEncoders(directory)).rejects.toThrow(/embeds texts only/);
    // Twenty positions, of which two are never used.
    await expect(encoders.texts.embed(['red '.repeat(30)], 'questions')).rejects.toThrow(/position_embeddings.* has 20 rows/);
  });
});
