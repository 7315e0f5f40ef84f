/** @file MMStar's form on the built-in world: four options about things, their number, their places and the background. */
import { COLOR_NAMES } from '../../scenes/background.ts';
import { nameCaption } from '../../scenes/captions.ts';
import { place } from '../../scenes/instructions.ts';
import { absentConcept, questions } from '../../scenes/questions.ts';
import type { Scene } from '../../scenes/scene.ts';
import { type RandomReader, RandomStream } from '../../tensor/random.ts';
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { letterOf, SCENE_CHOICE_PROMPTS } from './loading/prompts.ts';
import { QuestionList } from './loading/question-list.ts';
import type { QuestionSet } from './question.ts';
import { SCENE_FACTS, sceneSet } from './scenes/world.ts';

const SCENES = 375;
const THINGS = { least: 1, most: 4 };
const OPTIONS = 4;
const QUARTERS = ['top left', 'top right', 'bottom left', 'bottom right'];
/** A thing whose centre lies nearer to a middle line than this share of the side has no clear quarter. */
const MARGIN = 1 / 12;

interface Asked {
  readonly category: 'object' | 'count' | 'color' | 'position';
  readonly text: string;
  readonly right: string;
  readonly wrong: readonly string[];
  /** The thing that is asked for. */
  readonly concept?: number;
}

/** One question of each kind that the scene allows. */
function ask(scene: Scene, reader: RandomReader): Asked[] {
  const known = new Map(questions(scene, reader).map(question => [question.kind, question]));
  const [count, color] = [known.get('count'), known.get('color')];
  const shown = reader.shuffle(scene.objects);
  const absent = new Set<string>();
  while (absent.size < OPTIONS - 1) absent.add(nameCaption(absentConcept(scene, reader)));
  const out: Asked[] = [
    {
      category: 'object',
      text: 'which of these is in the picture ?',
      right: nameCaption(shown[0].concept),
      wrong: [...absent],
      concept: shown[0].concept,
    },
  ];
  if (count) {
    // Numbers that scenes have, and one that they do not.
    const near = count.choices.slice(1, THINGS.most + 2).filter(one => one !== count.answer);
    out.push({ category: 'count', text: count.question, right: count.answer, wrong: reader.shuffle(near).slice(0, OPTIONS - 1) });
  }
  if (color) {
    const others = COLOR_NAMES.filter(one => one !== color.answer);
    out.push({ category: 'color', text: color.question, right: color.answer, wrong: reader.shuffle(others).slice(0, OPTIONS - 1) });
  }
  const clear = shown.find(({ box: { left, top, width, height } }) => {
    const off = (centre: number, side: number): boolean => Math.abs(centre / side - 1 / 2) >= MARGIN;
    return off(left + width / 2, scene.width) && off(top + height / 2, scene.height);
  });
  if (clear) {
    const { question, answer } = place(scene, clear);
    out.push({
      category: 'position',
      text: question,
      right: answer,
      wrong: QUARTERS.filter(one => one !== answer),
      concept: clear.concept,
    });
  }
  return out;
}

async function load(options: LoadOptions): Promise<QuestionSet> {
  const { seed = 0 } = options;
  const list = new QuestionList('scenes-choice', options);
  const scenes = sceneSet('choice', seed, SCENES, THINGS);
  const stream = new RandomStream(seed, 'benchmark.choice.questions');
  for (let index = 0; index < SCENES && !list.full; index++) {
    options.signal?.throwIfAborted();
    const reader = stream.reader(0, index);
    for (const { category, text, right, wrong, concept } of ask(await scenes.draw(index), reader)) {
      const shuffled = reader.shuffle([right, ...wrong]);
      const id = `${index}-${category}`;
      list.add({
        id,
        kind: 'choice',
        text,
        pictures: [scenes.picture(index)],
        options: shuffled,
        answers: [letterOf(shuffled.indexOf(right))],
        category,
        ...(concept === undefined ? {} : { boxes: () => scenes.boxes(index, concept) }),
        facts: { answer: right },
        where: `scenes-choice, question ${id}`,
      });
    }
  }
  return list.finish('scenes-choice');
}

/** Multiple choice about drawn scenes. */
export const scenesChoice: Benchmark = {
  name: 'scenes-choice',
  title: 'Scenes-Choice',
  summary: 'Four options about drawn scenes: which thing is there, how many, where, what colour behind',
  kind: 'choice',
  ...SCENE_FACTS,
  size: 'about 1 450 questions over 375 scenes: up to one of each kind for a scene',
  citation: 'the form of Chen et al., NeurIPS 2024, arXiv 2403.20330',
  scorers: ['choice@strict', 'mmstar@official'],
  prompts: SCENE_CHOICE_PROMPTS,
  maxNewTokens: 8,
  load,
};
