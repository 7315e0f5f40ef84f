import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Tokenizer } from '../inputs/text/tokenizer.ts';
import type { TokenizerConfig, TokenizerJson } from '../inputs/text/tokenizer-files.ts';
import { RandomStream } from '../tensor/random.ts';
import { nameCaption } from './captions.ts';
import { CHAT_TOKENS, chatIds, chatTokenizerFiles } from './chat-tokenizer.ts';
import { CONCEPTS } from './concepts.ts';
import { writeScenes } from './dataset.ts';
import { denseConversation, description, furthest, instructions, listing, TASKS } from './instructions.ts';
import type { LlavaRecord } from './llava-data.ts';
import { drawScene, type Scene } from './scene.ts';
import type { SceneWorld } from './sprite-atlas.ts';
import { loadSprites } from './sprites.ts';

let world: SceneWorld;
beforeAll(async () => {
  world = await loadSprites({ styles: ['noto'] });
});

const sceneOf = (i: number): Scene => drawScene(world, {}, new RandomStream(4, 'scenes').reader(0, i));
const box = (left: number, top: number, width: number, height: number) => ({ left, top, width, height });
/** Two things whose places and sizes are known. */
const pair = (): Scene => {
  const scene = drawScene(world, { place: [10, 20] }, new RandomStream(0, 'scenes').reader(0, 0));
  const [a, b] = scene.objects;
  return {
    ...scene,
    objects: [
      { ...a, box: box(60, 10, 30, 30), area: 700 },
      { ...b, box: box(5, 12, 20, 20), area: 300 },
    ],
  };
};

describe('a listing', () => {
  it('is asked of several things only, and answered by all of them from left to right', () => {
    const scene = pair();
    const [right, left] = scene.objects.map(o => nameCaption(o.concept));
    expect(listing(scene)).toBe(`${left} and ${right}`);
    const asked = (of: Scene, list: boolean) =>
      denseConversation(of, new RandomStream(1, 'ask').reader(0, 0), { listing: list }).filter(
        t => t.question === 'what is in the picture ?',
      );
    expect(asked(scene, true)).toEqual([
      { task: 'naming', question: 'what is in the picture ?', answer: `${left} and ${right}`, concepts: scene.objects.map(o => o.concept) },
    ]);
    expect(asked(scene, false)).toEqual([]);
    const single = drawScene(world, { place: [10] }, new RandomStream(0, 'scenes').reader(0, 0));
    expect(asked(single, true).map(({ answer }) => answer)).toEqual([CONCEPTS[10].name]);
  });
});

describe('instructions', () => {
  it('are right about a scene whose things are known', () => {
    const scene = pair();
    const [right, left] = scene.objects.map(o => nameCaption(o.concept));
    expect(description(scene)).toBe(`${left} and ${right} on a ${scene.background.color} background`);
    expect(furthest(scene, 'right')).toBe(scene.objects[0]);
    // Their tops are within an eighth of the canvas.
    expect(furthest(scene, 'bottom')).toBeUndefined();
    const names = scene.objects.map(o => CONCEPTS[o.concept].name);
    for (let i = 0; i < 20; i++) {
      const all = instructions(scene, new RandomStream(1, 'ask').reader(0, i));
      const by = Object.fromEntries(all.map(t => [t.task, t]));
      expect(by.size.answer).toBe(`the ${names[by.size.question.startsWith('which is larger') ? 0 : 1]}`);
      expect(by.naming.answer).toBe(names[by.naming.question === 'what is at the right ?' ? 0 : 1]);
      expect(by.count.answer).toBe('two');
      expect(by.existence.answer === 'yes').toBe(by.existence.concepts.some(c => scene.objects.some(o => o.concept === c)));
    }
  });

  it('of every task occur, existence as often yes as no, and never twice in a conversation', () => {
    const seen = new Set<string>();
    let [yes, all] = [0, 0];
    for (let i = 0; i < 200; i++) {
      const turns = denseConversation(sceneOf(i), new RandomStream(2, 'ask').reader(0, i));
      expect(new Set(turns.map(t => t.question)).size).toBe(turns.length);
      for (const { task, answer } of turns) {
        seen.add(task);
        if (task === 'existence') all++;
        if (answer === 'yes') yes++;
      }
    }
    expect([...seen].sort()).toEqual([...TASKS].sort());
    expect(yes / all).toBeGreaterThan(0.42);
    expect(yes / all).toBeLessThan(0.58);
  });

  it('are words of the chat tokenizer, which spells any other word', () => {
    const files = chatTokenizerFiles();
    const tokenizer = new Tokenizer(files['tokenizer.json'] as TokenizerJson, files['tokenizer_config.json'] as TokenizerConfig);
    for (let i = 0; i < 100; i++)
      for (const { question, answer } of denseConversation(sceneOf(i), new RandomStream(2, 'ask').reader(0, i)))
        for (const text of [question, answer]) expect(tokenizer.encode(text).ids.slice(1)).toEqual(chatIds(text));
    expect(
      tokenizer
        .encode('a dgo')
        .ids.slice(1)
        .map(id => CHAT_TOKENS[id]),
    ).toEqual(['a', 'd', '##g', '##o']);
    expect(chatIds('a dog', word => word === 1)).toEqual(['a', 'd', '##o', '##g'].map(t => CHAT_TOKENS.indexOf(t)));
  });

  it("are written in LLaVA's format next to the pictures", async () => {
    const directory = await mkdtemp(join(tmpdir(), 'narrows-llava-'));
    await writeScenes({ count: 3, outputDirectory: directory, styles: ['noto'], llava: true });
    const records = JSON.parse(await readFile(join(directory, 'llava.json'), 'utf8')) as LlavaRecord[];
    expect(records.map(r => [r.id, r.image])).toEqual([0, 1, 2].map(i => [String(i), `images/00000${i}.png`]));
    for (const { conversations } of records) {
      expect(conversations[0].value.startsWith('<image>\n')).toBe(true);
      expect(conversations.map(c => c.from)).toEqual(conversations.map((_, i) => (i % 2 ? 'gpt' : 'human')));
    }
    await rm(directory, { recursive: true });
  });
});
