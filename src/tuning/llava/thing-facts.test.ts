/** @file What patches say of their things, against the scene's own boxes and areas. */
import { describe, expect, it } from 'vitest';
import { compile, input } from '../../graph/index.ts';
import type { LlavaConfig } from '../../models/llava/config.ts';
import { trainableParameters } from '../../nn/parameters.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { patchObjects } from '../../scenes/patch-labels.ts';
import { drawScene } from '../../scenes/scene.ts';
import { syntheticWorld } from '../../scenes/testdata/synthetic.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import { patchExam } from './patch-exam.ts';
import { patchLoss } from './patch-loss.ts';
import { placeDirections } from './patch-places.ts';
import { PATCH_THINGS, thingDirections, thingFacts } from './thing-facts.ts';

const world = syntheticWorld(CONCEPTS.length);
const config = {
  vision_config: { model_type: 'clip_vision_model', image_size: 96, patch_size: 12 },
  text_config: { hidden_size: 32, vocab_size: 700, rms_norm_eps: 1e-6 },
  vision_feature_select_strategy: 'default',
} as unknown as LlavaConfig;
const scenes = Array.from({ length: 60 }, (_, i) =>
  drawScene(world, { minObjects: 1, maxObjects: 4 }, new RandomStream(3, 'facts').reader(0, i)),
);

describe('what a patch says of its thing', () => {
  it('is the middle of its box, its size, and one patch per thing that shows', () => {
    let seen = 0;
    for (const scene of scenes) {
      const owners = patchObjects(scene, 12);
      const facts = thingFacts(scene, config, 2);
      const middles = new Map<number, number>();
      owners.forEach((k, at) => {
        const [column, row, size, middle] = facts.subarray(4 * at, 4 * at + 4);
        if (k < 0) {
          expect([column, row, size, middle]).toEqual([0, 0, 0, 0]);
          return;
        }
        const { box, area } = scene.objects[k];
        // In pixels again: patches' middles are 6, 18, … 90.
        expect((column / 2 + 1) * 42 + 6).toBeCloseTo(box.left + box.width / 2, 3);
        expect((row / 2 + 1) * 42 + 6).toBeCloseTo(box.top + box.height / 2, 3);
        expect(0.08 * 96 * 96 * 3.5 ** (size / 2)).toBeCloseTo(area, 1);
        if (middle) middles.set(k, (middles.get(k) ?? 0) + middle);
        seen++;
      });
      expect([...middles.keys()].sort()).toEqual([...new Set(owners)].filter(k => k >= 0).sort());
      for (const sum of middles.values()) expect(sum).toBe(2);
    }
    expect(seen).toBeGreaterThan(300);
  });

  it('lies along four directions that have nothing of each other, of which two are those of places', () => {
    const d = thingDirections(32);
    expect(d.subarray(0, 64)).toEqual(placeDirections(32));
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < 4; j++) {
        const dot = d.subarray(32 * i, 32 * i + 32).reduce((sum, v, k) => sum + v * d[32 * j + k], 0);
        expect(dot).toBeCloseTo(i === j ? 1 : 0, 6);
      }
  });

  it('costs nothing where it is said, 1 where the same is said everywhere, and four times that where it is mirrored', async () => {
    const runtime = nodeRuntime({ threads: 1 });
    const facts = thingFacts(scenes[0], config, 0.5);
    // A mean of 0 each, so that the mirrored numbers are off by twice their distance from it.
    for (let i = 0; i < 4; i++) {
      const mean = Array.from({ length: 64 }, (_, k) => facts[4 * k + i]).reduce((sum, v) => sum + v / 64, 0);
      for (let k = 0; k < 64; k++) facts[4 * k + i] -= mean;
    }
    const d = thingDirections(32);
    const rest = new RandomStream(1, 'rest').normals(0, 0, new Float32Array(32));
    for (let i = 0; i < 4; i++) {
      const along = rest.reduce((sum, v, k) => sum + v * d[32 * i + k], 0);
      for (let k = 0; k < 32; k++) rest[k] -= along * d[32 * i + k];
    }
    const length = Math.hypot(...rest);
    const patches = (sign: number): Float32Array => {
      const out = new Float32Array(64 * 32);
      for (let k = 0; k < 64; k++) {
        const said = [0, 1, 2, 3].map(i => sign * facts[4 * k + i]);
        // Of root mean square 1, as the loss reads it.
        const room = Math.sqrt(32 - said.reduce((sum, v) => sum + v * v, 0)) / length;
        for (let j = 0; j < 32; j++) out[32 * k + j] = room * rest[j] + said.reduce((sum, v, i) => sum + v * d[32 * i + j], 0);
      }
      return out;
    };
    const { loss, terms } = patchLoss(trainableParameters(), config, input('patches', ['images', 64, 32]), {
      ...{ weight: 1, things: 2, amplitude: 0.5 },
    });
    await using graph = await compile(runtime, { loss, ...terms });
    const run = async (sign: number): Promise<[number, number]> => {
      const out = await graph.run({
        'model.language_model.embed_tokens.weight': floats([700, 32], new Float32Array(700 * 32)),
        'model.language_model.norm.weight': floats([32], new Float32Array(32).fill(1)),
        ...{ patch_words: ints([1, 64], new Int32Array(64).fill(9)), [PATCH_THINGS]: floats([1, 64, 4], facts) },
        patches: floats([1, 64, 32], patches(sign)),
      });
      expect(Number(out.loss.data[0])).toBeCloseTo(Number(out.patch_word.data[0]) + 2 * Number(out.patch_thing.data[0]), 4);
      return [Number(out.patch_thing.data[0]), Number(out.patch_word.data[0])];
    };
    // A thousandth is added to each variance, which is about .05 here.
    expect((await run(1))[0]).toBeLessThan(1e-6);
    expect((await run(0))[0]).toBeGreaterThan(0.9);
    expect((await run(0))[0]).toBeLessThan(1);
    expect((await run(-1))[0] / (await run(0))[0]).toBeCloseTo(4, 3);
    await runtime.release();
  });

  it('is read by the exam number by number, over patches of things only', async () => {
    const scene = scenes.find(s => s.objects.length > 2)!;
    const owners = patchObjects(scene, 12);
    const facts = thingFacts(scene, config, 3);
    const feeds = {
      patch_words: ints(
        [1, 64],
        Int32Array.from(owners, k => (k < 0 ? -100 : 7)),
      ),
      patch_colors: ints(
        [1, 64],
        Int32Array.from(owners, k => (k < 0 ? 7 : -100)),
      ),
      [PATCH_THINGS]: floats([1, 64, 4], facts),
    };
    const figures = async (said: Float32Array) => {
      const graph = {
        run: async () => ({
          ...{ logits: floats([1, 64, 8], new Float32Array(512)), places: floats([1, 64, 2], new Float32Array(128)) },
          things: floats([1, 64, 4], said),
        }),
      } as unknown as Parameters<typeof patchExam>[2]['graph'];
      const exam = patchExam(config, [{ key: 'a', feeds }], { graph, weights: {} });
      return exam.figures([await exam.batches[0].compute()]);
    };
    const right = facts.map((v, i) => (owners[i >> 2] < 0 ? 99 : v));
    expect(await figures(right)).toMatchObject({ eval_thing_column: 1, eval_thing_row: 1, eval_thing_size: 1, eval_thing_middle: 1 });
    const crossed = right.map((_, i) => right[i - (i % 4) + [1, 0, 2, 3][i % 4]]);
    const wrong = await figures(crossed);
    expect(wrong.eval_thing_size).toBe(1);
    expect(wrong.eval_thing_column).toBeLessThan(0.9);
    expect(wrong.eval_thing_row).toBeLessThan(0.9);
  });
});
