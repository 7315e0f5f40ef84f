import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CompiledGraph, compile } from '../../graph/index.ts';
import { Tokenizer } from '../../inputs/text/tokenizer.ts';
import type { TokenizerJson } from '../../inputs/text/tokenizer-files.ts';
import { AdamW, type Parameter } from '../../optim/adamw.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { caption, nameCaption } from '../../scenes/captions.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { patchOwners } from '../../scenes/patch-labels.ts';
import { drawScene } from '../../scenes/scene.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { sceneTokenizerJson } from '../../scenes/vocabulary.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats } from '../../tensor/tensor.ts';
import { clipTrainingSchema } from './arguments.ts';
import { type Batch, captionIds, type SceneBatchSettings, sceneBatch } from './batch.ts';
import { trainGraph } from './graph.ts';
import { initialiseCLIP } from './initialise.ts';
import { BatchLoader } from './loader.ts';
import { sceneSource } from './source.ts';
import { TINY } from './testdata/tiny.ts';

const SETTINGS: SceneBatchSettings = {
  seed: 11,
  batchSize: 6,
  imageSize: 96,
  patchSize: 12,
  imageMean: [0.5, 0.5, 0.5],
  imageStd: [0.27, 0.27, 0.27],
  curriculumSteps: 10,
  maxObjects: 3,
  namesPerStep: 40,
  keptPatches: [{ fromStep: 5, count: 30 }],
};
let world: SceneWorld;
beforeAll(async () => {
  world = await loadSprites({ styles: ['noto', 'twemoji'] });
});

const data = (batch: Batch, name: string): number[] => Array.from(batch[name].data as Int32Array);

describe('a batch of scenes', () => {
  it('is a function of seed and step, in any order and in a worker', async () => {
    const batches = [0, 7, 25].map(step => sceneBatch(world, SETTINGS, step));
    const loader = new BatchLoader({ world, settings: SETTINGS });
    for (const [i, step] of [25, 0, 7].entries()) expect(await loader.batch(step)).toEqual(batches[[2, 0, 1][i]]);
    await loader.close();
    expect(sceneBatch(world, { ...SETTINGS, seed: 12 }, 0).patches).not.toEqual(batches[0].patches);
  });

  it('keeps the patches that objects cover, and labels them with rows of the name table', () => {
    const step = 25;
    const batch = sceneBatch(world, SETTINGS, step);
    const count = 30;
    expect(batch.patches.shape).toEqual([6, count, 432]);
    const nameRow = (row: number): string =>
      data(batch, 'nameIds')
        .slice(row * batch.nameIds.shape[1], (row + 1) * batch.nameIds.shape[1])
        .join();
    const padded = (concept: number): string => {
      const ids = captionIds(nameCaption(concept));
      return [...ids, ...Array(batch.nameIds.shape[1] - ids.length).fill(0)].join();
    };
    for (let b = 0; b < 6; b++) {
      const scene = drawScene(
        world,
        { width: 96, height: 96, minObjects: 1, maxObjects: 3 },
        new RandomStream(11, 'scenes').reader(step, b),
      );
      const labels = patchOwners(scene, 12);
      const kept = data(batch, 'kept').slice(b * count, (b + 1) * count);
      const owners = data(batch, 'owners').slice(b * count, (b + 1) * count);
      expect(new Set(kept).size).toBe(count);
      const objectPatches = Array.from(labels.keys()).filter(i => labels[i] >= 0);
      expect(objectPatches.length).toBeGreaterThan(0);
      // At most 30 of 64 patches belong to objects in these scenes: all of them are kept.
      expect(objectPatches.filter(i => !kept.includes(i))).toEqual([]);
      for (const [k, at] of kept.entries()) {
        if (labels[at] < 0) expect(owners[k]).toBe(-1);
        else expect(nameRow(owners[k])).toBe(padded(labels[at]));
      }
      const names = data(batch, 'names').slice(b * 3, b * 3 + 3);
      for (const [k, o] of scene.objects.entries()) expect(nameRow(names[k])).toBe(padded(o.concept));
      expect(names.slice(scene.objects.length).every(n => n === -1)).toBe(true);
      // The first kept patch, pixel by pixel.
      const [top, left] = [Math.floor(kept[0] / 8) * 12, (kept[0] % 8) * 12];
      const pixels = batch.patches.data as Float32Array;
      for (const [c, y, x] of [
        [0, 0, 0],
        [2, 11, 5],
      ]) {
        const value = scene.image.data[((top + y) * 96 + left + x) * 3 + c] / 255;
        expect(pixels[b * count * 432 + (c * 12 + y) * 12 + x]).toBeCloseTo((value - 0.5) / 0.27, 5);
      }
    }
    expect(batch.nameIds.shape[0]).toBe(40);
  });

  it("has the scene tokenizer's ids", () => {
    const tokenizer = new Tokenizer(sceneTokenizerJson()['tokenizer.json'] as TokenizerJson);
    const texts = [...CONCEPTS.map(c => nameCaption(c))];
    for (let i = 0; i < 50; i++) {
      const scene = drawScene(world, {}, new RandomStream(1, 'scenes').reader(0, i));
      texts.push(caption(scene, new RandomStream(1, 'captions').reader(0, i)));
    }
    for (const text of texts) expect(captionIds(text)).toEqual(tokenizer.encode(text).ids);
    expect(() => captionIds('a zebroid')).toThrow('"zebroid" is not in the scene vocabulary.');
  });
});

describe('the training graph', () => {
  const args = clipTrainingSchema.parse({ ...TINY, patch_size: 12, vision_num_hidden_layers: 1, output_dir: 'none' });
  const { config } = sceneSource(args);
  const traced = trainGraph(config, { contrastive: 1, naming: 1, dense: 1 }, 1);
  const concepts = [3, 50, 90, 140, 200, 260, 310, 370];
  const settings = { ...SETTINGS, batchSize: 16, curriculumSteps: 100, maxObjects: 1, namesPerStep: 8, keptPatches: [], concepts };
  const PARTS = ['contrastive', 'naming', 'dense'] as const;
  let graph: CompiledGraph;
  beforeAll(async () => {
    graph = await compile(nodeRuntime({ threads: 1 }), traced.outputs);
  });
  afterAll(() => graph.release());

  /** Share of each loss that is left after sixty steps (means over eight steps). @param scale of the gradients that reach the optimiser */
  async function left(scale: number): Promise<Record<(typeof PARTS)[number], number>> {
    const parameters: Parameter[] = initialiseCLIP(config, traced.parameters, 5);
    const optimizer = new AdamW(parameters, { beta2: 0.98, maxGradNorm: 1 });
    const drawn = { sets: world.sets.slice(0, 1) };
    const sums = { contrastive: [0, 0], naming: [0, 0], dense: [0, 0] };
    for (let step = 0; step < 60; step++) {
      const weights = Object.fromEntries(parameters.map(p => [p.name, floats(p.shape, p.data)]));
      const out = await graph.run({ ...weights, ...sceneBatch(drawn, settings, step) });
      for (const part of PARTS) {
        if (step < 8) sums[part][0] += Number(out[part].data[0]);
        if (step >= 52) sums[part][1] += Number(out[part].data[0]);
      }
      const gradients = parameters.map(p => [p.name, (out[`grad.${p.name}`].data as Float32Array).map(g => g * scale)] as const);
      optimizer.step(new Map(gradients), 8e-3);
    }
    return {
      contrastive: sums.contrastive[1] / sums.contrastive[0],
      naming: sums.naming[1] / sums.naming[0],
      dense: sums.dense[1] / sums.dense[0],
    };
  }

  it('teaches a tiny model eight concepts in sixty steps, and nothing without gradients', async () => {
    const learned = await left(1);
    expect(learned.contrastive).toBeLessThan(0.85);
    expect(learned.naming).toBeLessThan(0.7);
    expect(learned.dense).toBeLessThan(0.8);
    for (const share of Object.values(await left(0))) expect(share).toBeGreaterThan(0.9);
  });
});
