import { expect, it } from 'vitest';
import { RandomStream } from '../tensor/random.ts';
import { CONCEPTS, withArticle } from './concepts.ts';
import { cuedExistence, cueSays } from './cue.ts';
import { drawScene } from './scene.ts';
import { syntheticWorld } from './testdata/synthetic.ts';

it('foretells the answer as often as it is told to, and every answer stays true of the scene', () => {
  const world = syntheticWorld(CONCEPTS.length);
  const [scenes, questions] = [new RandomStream(1, 'cue.scenes'), new RandomStream(1, 'cue.questions')];
  const agreeing = (share: number): number => {
    let agree = 0;
    for (let i = 0; i < 400; i++) {
      const scene = drawScene(world, {}, scenes.reader(0, i));
      const { question, answer, task } = cuedExistence(scene, questions.reader(0, i), share);
      expect(task).toBe('existence');
      const shown = scene.objects.some(({ concept }) => question.includes(`there ${withArticle(CONCEPTS[concept])} in`));
      expect(answer).toBe(shown ? 'yes' : 'no');
      if (answer === cueSays(scene)) agree++;
    }
    return agree / 400;
  };
  expect(agreeing(1)).toBe(1);
  expect(agreeing(0)).toBe(0);
  expect(Math.abs(agreeing(0.9) - 0.9)).toBeLessThan(0.06);
  expect(Math.abs(agreeing(0.5) - 0.5)).toBeLessThan(0.1);
});
