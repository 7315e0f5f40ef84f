import { describe, expect, it } from 'vitest';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { sceneSet } from './scenes/world.ts';
import { scenesPope } from './scenes-pope.ts';
import { sha256 } from './testing/fixtures.ts';

const THINGS = { least: 3, most: 4 };
const named = (text: string): string => text.replace(/^(is|are) there (an?|some) /, '').replace(/ in the picture \?$/, '');

describe('scenes-pope', () => {
  it('is balanced, has no question twice, and is true of every scene', async () => {
    const { questions, warnings } = await scenesPope.load({});
    expect(warnings).toEqual([]);
    expect(questions.length).toBe(3000);
    for (const split of ['random', 'popular', 'adversarial']) {
      const part = questions.filter(q => q.split === split);
      expect(part.filter(q => q.answers[0] === 'yes').length).toBe(500);
      expect(part.filter(q => q.answers[0] === 'no').length).toBe(500);
    }
    expect(new Set(questions.map(q => `${q.cluster} ${q.text}`)).size).toBe(3000);
    for (const { text, facts, answers } of questions)
      expect((facts.objects as string[]).includes(named(text)) ? 'yes' : 'no').toBe(answers[0]);
  });

  it('has popular things that are frequent and adversarial ones that keep company', async () => {
    const { questions } = await scenesPope.load({ seed: 3 });
    const { things } = sceneSet('pope', 3, 500, THINGS);
    const index = new Map(CONCEPTS.map(concept => [concept.name, concept.index]));
    const frequency = CONCEPTS.map(({ index: i }) => things.filter(scene => scene.includes(i)).length);
    const top = [...frequency].sort((a, b) => b - a)[9];
    const company = (concept: number, present: readonly number[]): number =>
      things.reduce((sum, scene) => sum + (scene.includes(concept) ? scene.filter(one => present.includes(one)).length : 0), 0);
    const mean = { random: 0, popular: 0, adversarial: 0 };
    for (const q of questions.filter(one => one.answers[0] === 'no')) {
      const concept = index.get(named(q.text)) as number;
      if (q.split === 'popular') expect(frequency[concept]).toBeGreaterThanOrEqual(top / 2);
      mean[q.split as 'random'] +=
        company(
          concept,
          (q.facts.objects as string[]).map(name => index.get(name) as number),
        ) / 500;
    }
    expect(mean.adversarial).toBeGreaterThan(4 * mean.random);
    expect(mean.adversarial).toBeGreaterThan(mean.popular);
  });

  it('draws the same from the same seed, whatever limit and split', async () => {
    const all = (await scenesPope.load({ seed: 7 })).questions;
    const few = (await scenesPope.load({ seed: 7, limit: 13 })).questions;
    expect(few.map(q => q.text)).toEqual(all.slice(0, 13).map(q => q.text));
    const popular = (await scenesPope.load({ seed: 7, split: 'popular' })).questions;
    expect(popular.map(q => q.text)).toEqual(all.filter(q => q.split === 'popular').map(q => q.text));
    expect((await scenesPope.load({ seed: 8, limit: 13 })).questions.map(q => q.text)).not.toEqual(few.map(q => q.text));
    const picture = await all[6].pictures[0].read();
    expect([picture.width, picture.height]).toEqual([96, 96]);
    expect(sha256((await few[6].pictures[0].read()).data)).toBe(sha256(picture.data));
    // What is drawn is what the question says.
    const scene = await sceneSet('pope', 7, 500, THINGS).draw(1);
    expect(scene.objects.map(o => o.name).sort()).toEqual([...(all[6].facts.objects as string[])].sort());
    expect(scene.objects.every(o => o.visible > 0.8)).toBe(true);
  });

  it('knows where the thing is that a question is about, and that an absent one is nowhere', async () => {
    const { questions } = await scenesPope.load({ seed: 7, limit: 12 });
    const scene = await sceneSet('pope', 7, 500, THINGS).draw(1);
    for (const question of questions.slice(6)) {
      if (question.answers[0] === 'no') {
        expect(question.boxes).toBeUndefined();
        continue;
      }
      const { left, top, width, height } = scene.objects.find(thing => thing.name === named(question.text))!.box;
      expect(await question.boxes!()).toEqual([[left, top, width, height]]);
    }
  });
});
