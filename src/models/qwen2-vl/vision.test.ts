import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ChatModel } from '../../generation/pretrained.ts';
import { familyCases, familyDirectory } from '../../generation/testing/family-goldens.ts';
import { compile, type Dim, mulDims } from '../../graph/index.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { floats } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { pictureFeeds, pixelInput } from '../llava/files.ts';
import { imageFeatures } from '../llava/forward.ts';
import { LlavaModel } from '../llava/model.ts';
import type { Pictured } from '../llava/pictures.ts';
import { queryParts, towerBytes } from '../llava/tower-parts.ts';

const NAMES = ['qwen2-vl/testdata/qwen2-vl-tiny', 'qwen2-vl/testdata/qwen2.5-vl-tiny-bf16'];

describe.each(NAMES)('the tower of %s', name => {
  it('gives of pictures of one size, by themselves and in parts, what it gives of all at once', async () => {
    const runtime = nodeRuntime({ threads: 1 });
    await using chat = await ChatModel.open(familyDirectory(name), { runtime });
    if (!(chat.model instanceof LlavaModel)) throw new Error('not opened as a LlavaModel');
    const { config, parts } = chat.model;
    const [{ pictures }] = await familyCases(familyDirectory(name));
    const one = chat.pixels([await decodeImage(join(familyDirectory(name), pictures[0]))])!;
    const [rows, width] = one.shape;
    // The second picture is another one.
    const two: Pictured = {
      ...floats([2 * rows, width], [...one.data, ...one.data.map((v, i) => v * ((i % 7) - 3))]),
      layouts: [one.layouts![0], one.layouts![0]],
    };
    const tower = async (pixels: Pictured, known?: Dim, cuts?: number): Promise<Float32Array> => {
      const given = cuts ? { each: rows, parts: cuts } : undefined;
      const features = imageFeatures(parts.parameters, config, pixelInput(config, known), given);
      await using graph = await compile(runtime, { features });
      return (await graph.run(pictureFeeds(config, pixels))).features.data as Float32Array;
    };
    // Five parts of unequal size.
    expect(rows % 5).not.toBe(0);
    const [first, both] = [await tower(one), await tower(two)];
    expectClose(await tower(one, rows, 5), first, { rtol: 1e-5, atol: 1e-6 });
    for (const cuts of [1, 5]) expectClose(await tower(two, mulDims(['pictures', rows]), cuts), both, { rtol: 1e-5, atol: 1e-6 });
    expectClose(both.subarray(0, first.length), first, { rtol: 1e-5, atol: 1e-6 });
    expect(Math.max(...both.subarray(first.length).map((v, i) => Math.abs(v - first[i])))).toBeGreaterThan(0.01);
  });

  it('is cut into parts for large pictures only, and refuses what no parts could hold', async () => {
    await using chat = await ChatModel.open(familyDirectory(name));
    const { config } = chat.model;
    const patches = (width: number, height: number): Pictured => {
      const grid = [height / 14, width / 14] as const;
      const pixels = grid[0] * grid[1];
      return { ...floats([0], []), layouts: [{ size: { width, height }, pixels, text: '', runs: [], grid }] };
    };
    const heads = { ...config, vision_config: { ...config.vision_config, num_attention_heads: 16 } };
    expect(queryParts(heads, patches(448, 448))).toBe(1);
    // 68 x 92 patches and 16 heads: 7.5 GB of scores in three copies.
    expect(queryParts(heads, patches(1288, 952))).toBe(30);
    expect(towerBytes(heads, patches(1288, 952))).toBeCloseTo((3 * 4 * 16 * (68 * 92) ** 2) / 30, -3);
    expect(() => queryParts(heads, patches(4032, 3024))).toThrow(
      /^A picture of 4032 x 3024 becomes 62208 patches for this Qwen2.*-VL, whose attention .* takes 743.0 GB in each block; give a smaller picture, or lower "max_pixels"/,
    );
  });
});
