import { expect, it } from 'vitest';
import type { LlavaConfig } from '../../models/llava/config.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { CHAT_TOKENS } from '../../scenes/chat-tokenizer.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { patchOwners } from '../../scenes/patch-labels.ts';
import { drawScene } from '../../scenes/scene.ts';
import { syntheticWorld } from '../../scenes/testdata/synthetic.ts';
import { RandomStream } from '../../tensor/random.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { encodeTurns, SceneUpdates } from './scene-batch.ts';
import { sceneLlavaSource } from './scene-source.ts';

it("a patch's word is the one of its thing's name that fewest names have", async () => {
  const { config } = await sceneLlavaSource('scene-clip');
  const world = syntheticWorld(CONCEPTS.length);
  const settings = { seed: 4, batchSize: 40, curriculumSteps: 0, maxObjects: 3, spelled: 0, extra: 0, patchWords: true };
  const updates = new SceneUpdates(world, config as LlavaConfig, { ...settings, imageMean: [0, 0, 0], imageStd: [1, 1, 1] }, 1);
  const { shape, data } = updates.rows(2, 0).patch_words;
  const { image_size: size, patch_size: patch } = config.vision_config;
  const namesWith = (word: string): number => CONCEPTS.filter(({ name }) => name.split(' ').includes(word)).length;
  const several = new Set<string>();
  for (let b = 0; b < 40; b++) {
    const scene = drawScene(
      world,
      { width: size, height: size, minObjects: 1, maxObjects: 3 },
      new RandomStream(4, 'chat.scenes').reader(2, b),
    );
    for (const [k, owner] of patchOwners(scene, patch).entries()) {
      const word = data[b * shape[1] + k];
      if (owner < 0) expect(word).toBe(-100);
      else {
        const words = CONCEPTS[owner].name.split(' ');
        const counts = words.map(namesWith);
        expect(CHAT_TOKENS[Number(word)]).toBe(words[counts.indexOf(Math.min(...counts))]);
        if (new Set(counts).size > 1) several.add(CONCEPTS[owner].name);
      }
    }
  }
  // Names whose words differ in how many share them, some with the rare word behind.
  expect([...several].some(name => namesWith(name.split(' ')[0]) > namesWith(name.split(' ').at(-1)!))).toBe(true);
  expect([...several].some(name => namesWith(name.split(' ')[0]) < namesWith(name.split(' ').at(-1)!))).toBe(true);
});

it('LIT supervises questions but for their first word, and nothing of the template', () => {
  const turn = { question: 'is there a cat ?', answer: 'no' };
  const words = (instructions: boolean): string[] => {
    const { ids, labels } = encodeTurns([turn], 2, undefined, instructions);
    return ids.flatMap((id, t) => (labels[t] === -100 ? [] : [CHAT_TOKENS[id]]));
  };
  expect(words(false)).toEqual(['no', '</s>']);
  expect(words(true)).toEqual(['there', 'a', 'cat', '?', 'no', '</s>']);
});

it('a cue changes what is asked of a scene, not the scene', async () => {
  const { config } = await sceneLlavaSource('scene-clip');
  const settings = { seed: 4, batchSize: 30, curriculumSteps: 0, maxObjects: 3, spelled: 0, extra: 2, caption: 0 };
  const of = (cue?: number): SceneUpdates =>
    new SceneUpdates(
      syntheticWorld(CONCEPTS.length),
      config as LlavaConfig,
      { ...settings, cue, imageMean: [0, 0, 0], imageStd: [1, 1, 1] },
      1,
    );
  const [plain, cued] = [of().rows(1, 0), of(1).rows(1, 0)];
  // Not by toEqual, which looks at each of a million numbers.
  const bytes = ({ pixel_values: { data } }: Feeds): Buffer => Buffer.from(data.buffer);
  expect(bytes(cued).equals(bytes(plain))).toBe(true);
  const id = (word: string): number => CHAT_TOKENS.indexOf(word);
  /** Share of rows whose yes and no, of which a row with a full cue has but one kind, are mixed. */
  const mixed = ({ labels }: Record<string, Tensor>): number => {
    const [rows, length] = labels.shape;
    const row = (b: number): number[] => [...labels.data.slice(b * length, (b + 1) * length)].map(Number);
    return Array.from({ length: rows }, (_, b) => row(b)).filter(r => r.includes(id('yes')) && r.includes(id('no'))).length / rows;
  };
  expect(mixed(plain)).toBeGreaterThan(0.3);
  expect(mixed(cued)).toBe(0);
});
