import { afterAll, expect, it } from 'vitest';
import { nodeRuntime } from '../../runtime/node.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { sceneExam } from '../../tuning/llava/scene-eval.ts';
import { measureEmid, worded } from './emid.ts';
import { itemsOf, type PreparedExam, picked } from './exams/exam.ts';
import type { RunOutcome } from './outcome.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());

it('is zero for answers that are all right, above it for a model that loses by the shift, below for one that gains', {
  timeout: 240_000,
}, async () => {
  const size = 96;
  const drawn = sceneExam(await loadSprites(), size, 31, 12);
  const all = itemsOf(drawn);
  const half = picked(all, (_, i) => i % 2 === 0);
  const exam = (id: string, group: 'clean' | 'image', of: ReturnType<typeof picked>, images = drawn.images): PreparedExam =>
    ({ id, group, images, ...of }) as unknown as PreparedExam;
  const whole = { items: all, origin: all.map((_, i) => i) };
  const dark = drawn.images.map(image => image.map(value => value >> 1));
  // A shift of half of the questions: each is compared with its own clean one.
  const exams = [exam('clean', 'clean', whole), exam('image:dark', 'image', half, dark)];
  const nonsense = (wrong: boolean, { items }: PreparedExam) => ({
    correct: items.map(() => (wrong ? '0' : '1')).join(''),
    wrong: wrong ? Object.fromEntries(items.map((_, i) => [i, 'some fireworks and some fireworks'])) : {},
  });
  const run = (condition: string, clean: boolean, shifted: boolean): RunOutcome =>
    ({
      condition,
      seed: 0,
      outcomes: { clean: nonsense(clean, exams[0]), 'image:dark': nonsense(shifted, exams[1]) },
    }) as unknown as RunOutcome;
  const silent = { condition: 'lora', seed: 0, outcomes: { clean: { correct: '1' } } } as unknown as RunOutcome;
  const runs = [run('plain', false, false), run('noise', false, true), run('dropout', true, false), silent];
  expect(worded(runs)).toHaveLength(3);
  const table = await measureEmid(runtime, 'scene-llava', exams, runs, { size, steps: 60 });
  expect(Object.keys(table)).toEqual(['plain-0', 'noise-0', 'dropout-0']);
  expect(table['plain-0']['image:dark']).toBeCloseTo(0, 10);
  expect(table['noise-0']['image:dark']).toBeGreaterThan(0.01);
  expect(table['dropout-0']['image:dark']).toBeLessThan(-0.01);
  await expect(measureEmid(runtime, 'scene-llava', exams, [silent], { size })).rejects.toThrow('kept in words');
});
