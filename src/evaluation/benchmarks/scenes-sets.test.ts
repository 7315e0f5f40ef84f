import { describe, expect, it } from 'vitest';
import { Tokenizer } from '../../inputs/text/tokenizer.ts';
import type { TokenizerConfig, TokenizerJson } from '../../inputs/text/tokenizer-files.ts';
import { chatTokenizerFiles } from '../../scenes/chat-tokenizer.ts';
import type { SceneTruth } from './scenes/truth.ts';
import { sceneSet } from './scenes/world.ts';
import { scenesChoice } from './scenes-choice.ts';
import { scenesOpen } from './scenes-open.ts';

const files = chatTokenizerFiles();
const tokenizer = new Tokenizer(files['tokenizer.json'] as TokenizerJson, files['tokenizer_config.json'] as TokenizerConfig);
/** Whether the shipped models know every word whole. */
const isTaught = (text: string): boolean => tokenizer.encode(text).ids.length - 1 === text.split(' ').length;

describe('scenes-choice', () => {
  it('has four different options, one of them true of the scene, letters of all kinds', async () => {
    const { questions } = await scenesChoice.load({ limit: 160 });
    expect(questions.length).toBe(160);
    const scenes = sceneSet('choice', 0, 375, { least: 1, most: 4 });
    const letters: Record<string, number> = {};
    for (const { options = [], answers, category, id, text } of questions) {
      expect(new Set(options).size).toBe(4);
      const right = options[answers[0].charCodeAt(0) - 65];
      letters[answers[0]] = (letters[answers[0]] ?? 0) + 1;
      const scene = await scenes.draw(Number(String(id).split('-')[0]));
      const shown = options.filter(option => scene.objects.some(o => option.endsWith(` ${o.name}`)));
      if (category === 'object') expect(shown).toEqual([right]);
      if (category === 'count') expect(right).toBe(['one', 'two', 'three', 'four'][scene.objects.length - 1]);
      if (category === 'color') expect(right).toBe(scene.background.color);
      if (category === 'position') {
        const o = scene.objects.find(one => text.endsWith(` the ${one.name} ?`))!;
        expect(right).toBe(
          `${o.box.top + o.box.height / 2 < 48 ? 'top' : 'bottom'} ${o.box.left + o.box.width / 2 < 48 ? 'left' : 'right'}`,
        );
      }
    }
    for (const letter of 'ABCD') expect(letters[letter]).toBeGreaterThan(24);
  });

  it('asks in words that the shipped models were taught', async () => {
    const { questions } = await scenesChoice.load({ limit: 80 });
    for (const q of questions) expect(isTaught(scenesChoice.prompts['scenes@1'].build(q, q.text).text)).toBe(true);
    expect(scenesChoice.prompts['scenes@1'].build(questions[0], questions[0].text).text).toMatch(
      /^which of these is in the picture \? (an?|some) .* or .* or .* or /,
    );
    expect(new Set(questions.map(q => q.key)).size).toBe(80);
    expect((await scenesChoice.load({ limit: 80 })).questions.map(q => [q.text, q.options])).toEqual(
      questions.map(q => [q.text, q.options]),
    );
  });
});

describe('scenes-open', () => {
  it('has a true reference, captions, boxes and the truth for each question', async () => {
    const { questions, warnings } = await scenesOpen.load({});
    expect(warnings).toEqual([]);
    expect(questions.length).toBe(90);
    const scenes = sceneSet('open', 0, 30, { least: 2, most: 4 });
    for (const [i, { facts, category, text }] of questions.entries()) {
      const scene = await scenes.draw(Math.floor(i / 3));
      const truth = facts.truth as SceneTruth;
      expect(category).toBe(['conv', 'detail', 'complex'][i % 3]);
      expect(truth.things.map(thing => thing.name)).toEqual(scene.objects.map(o => o.name));
      expect([truth.count, truth.background]).toEqual([scene.objects.length, scene.background.color]);
      expect((facts.captions as string[]).length).toBe(5);
      expect(facts.instances).toEqual(truth.things.map(({ name, box }) => ({ category: name, bbox: box })));
      for (const { box } of truth.things) expect(box.every(one => one >= 0 && one <= 1) && box[0] < box[2] && box[1] < box[3]).toBe(true);
      const reference = facts.reference as string;
      expect(isTaught(text) && isTaught(reference)).toBe(true);
      if (facts.task === 'caption') for (const { name } of truth.things) expect(` ${reference} `).toContain(` ${name} `);
      if (facts.task === 'count') expect(reference).toBe(['one', 'two', 'three', 'four'][truth.count - 1]);
      if (facts.task === 'color') expect(reference).toBe(truth.background);
      if (/^where /.test(text)) expect(truth.things.find(thing => text.endsWith(` the ${thing.name} ?`))?.place).toBe(reference);
    }
    expect(new Set(questions.filter(q => q.category === 'complex').map(q => q.facts.task)).size).toBeGreaterThan(1);
  });

  it('draws no more than the limit asks for', async () => {
    expect((await scenesOpen.load({ limit: 4, seed: 5 })).questions.map(q => q.id)).toEqual(['0-conv', '0-detail', '0-complex', '1-conv']);
  });
});
