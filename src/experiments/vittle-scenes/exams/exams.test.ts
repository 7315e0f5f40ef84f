import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { CONCEPTS } from '../../../scenes/concepts.ts';
import { cueSays } from '../../../scenes/cue.ts';
import type { Task } from '../../../scenes/instructions.ts';
import { syntheticWorld } from '../../../scenes/testdata/synthetic.ts';
import { vittleNines } from '../../../shifts/suites/vittle-9x9x9.ts';
import { planExperiment } from '../laboratory.ts';
import { experimentSchema } from '../settings.ts';
import { choiceExam, openExam, popeExams } from './benchmarks.ts';
import { cueExam } from './cue.ts';
import { type ExamItem, rotating } from './exam.ts';
import { otherForm } from './tail.ts';

const item = (scene: number, task: Task): ExamItem => ({ scene, task, question: 'q', answer: 'a' });

it('asks a few questions of each scene, and each as often over the shifts', () => {
  const items = [0, 1].flatMap(scene =>
    (['existence', 'count', 'color', 'naming', 'caption', 'choice'] as const).map(task => item(scene, task)),
  );
  const asked = new Map<number, number>();
  for (let turn = 0; turn < 5; turn++) {
    const chosen = rotating(items, 2, turn);
    expect([...chosen].filter(i => items[i].scene === 0)).toHaveLength(2);
    expect([...chosen].some(i => items[i].task === 'caption')).toBe(false);
    for (const i of chosen) asked.set(i, (asked.get(i) ?? 0) + 1);
  }
  expect([...asked.values()]).toEqual(Array(10).fill(2));
  // No more than there are.
  expect(rotating(items, 9, 1).size).toBe(10);
});

it('has other words for the same question, and none for what it does not know', () => {
  expect(otherForm('is there a dog in the picture ?')).toBe('the picture : is a dog there ?');
  expect(otherForm('are the grapes left of or right of the dog ?')).toBe('left of or right of the dog : where are the grapes ?');
  expect(otherForm('which of these is in the picture ? a dog or a cat')).toBe('a dog or a cat : which is in the picture ?');
  expect(otherForm('what is at the left ?')).toBe('which is there at the left of the picture ?');
  expect(otherForm('describe the picture .')).toBeUndefined();
});

it('the exam of the cue asks of each scene once with the cue and once against it', () => {
  const { items, images } = cueExam(syntheticWorld(CONCEPTS.length), 96, 5, 12);
  expect(images).toHaveLength(12);
  expect(items).toHaveLength(24);
  for (let scene = 0; scene < 12; scene++) {
    const two = items.filter(one => one.scene === scene);
    expect(new Set(two.map(one => one.answer))).toEqual(new Set(['yes', 'no']));
    expect(new Set(two.map(one => one.cue))).toEqual(new Set(['right', 'wrong']));
  }
  // What is right by the cue is what the colour says: both halves of the colours occur.
  expect(new Set(items.filter(one => one.cue === 'right').map(one => one.answer)).size).toBe(2);
  expect(cueSays({ background: { color: 'red' } } as never)).toBe('yes');
  expect(cueSays({ background: { color: 'pink' } } as never)).toBe('no');
});

it('the benchmarks keep their questions, pictures and truth', { timeout: 120_000 }, async () => {
  const splits = await popeExams(4);
  expect(splits.map(({ id }) => id)).toEqual(['pope:random', 'pope:popular', 'pope:adversarial']);
  for (const { images, items } of splits) {
    expect(images).toBe(splits[0].images);
    expect(items.map(({ scene }) => scene)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
    expect(items.filter(({ answer }) => answer === 'yes')).toHaveLength(4);
  }
  const choice = await choiceExam(3);
  expect(choice.images).toHaveLength(3);
  const object = choice.items.find(({ task }) => task === 'choice')!;
  expect(object.question).toContain(object.answer);
  expect(object.question.split(' or ')).toHaveLength(4);
  const open = await openExam();
  expect(open.items).toHaveLength(90);
  const marks = open.marks!(open.items.map(({ answer }) => answer));
  // The true answer is right, and no answer is not.
  expect(marks.every(mark => mark === 1)).toBe(true);
  expect(open.marks!(open.items.map(() => '')).every(mark => mark === 0)).toBe(true);
});

it('the settings file of the second test has the shifts of its plan', async () => {
  const file = JSON.parse(await readFile('examples/vittle-scenes-2.json', 'utf8'));
  const settings = experimentSchema.parse(file);
  expect(settings).toMatchObject(file);
  const { scenarios } = vittleNines;
  expect(settings.corruptions).toEqual(scenarios.flatMap(({ image, text }) => (image && !text ? [image.shift] : [])));
  expect(settings.text_shifts).toEqual(scenarios.flatMap(({ image, text }) => (text && !image ? [text.shift] : [])));
  // None of what hyper-parameters are chosen by.
  for (const name of settings.validation_corruptions) expect(settings.corruptions).not.toContain(name);
  expect(planExperiment({ ...settings }, [0]).map(({ input }) => input.condition.name)).toEqual([
    ...['plain', 'noise-pass', 'deterministic-pass', 'vittle-f', 'vittle-l', 'vittle-f-pass', 'vittle-l-pass'],
    ...['weight-decay', 'lora', 'vittle-official', 'dropout', 'noise', 'deterministic', 'lit'],
  ]);
});
