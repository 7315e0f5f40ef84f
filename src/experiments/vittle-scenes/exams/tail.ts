/** @file The long tail: what tuning shows seldom or never. More things than trained, other sizes, names of several words, other forms of questions. */
import { CONCEPTS } from '../../../scenes/concepts.ts';
import type { SceneOptions } from '../../../scenes/scene.ts';
import type { SceneWorld } from '../../../scenes/sprite-atlas.ts';
import { loadSprites } from '../../../scenes/sprites.ts';
import { type SceneExam, sceneExam } from '../../../tuning/llava/scene-eval.ts';
import type { ExperimentSettings } from '../settings.ts';
import { type Draft, type ExamItem, itemsOf, picked, rotating } from './exam.ts';

/** Sprites of sizes that training does not draw: it has 22 to 46 pixels. */
const SMALL = [12, 14, 16, 18];
const LARGE = [54, 58, 62];

/**
 * Names of three words and more, and the rarest words: training draws every thing as often as any other, so that what is rare is not a thing but
 * how it is called.
 */
const LONG_NAMES = CONCEPTS.filter(({ name }) => name.split(' ').length >= 2).map(({ index }) => index);

/** Other words for the same questions, from words that training uses elsewhere; what fits no pattern stays out. */
const FORMS: readonly (readonly [pattern: RegExp, form: string])[] = [
  [/^(is|are) there (.+) in the picture \?$/, 'the picture : $1 $2 there ?'],
  [/^how many things are in the picture \?$/, 'how many are there ?'],
  [/^what color is the background \?$/, 'the background is what color ?'],
  [/^(is|are) the (.+) (above|left of) or (below|right of) the (.+) \?$/, '$3 or $4 the $5 : where $1 the $2 ?'],
  [/^what is at the (left|right|top|bottom) \?$/, 'which is there at the $1 of the picture ?'],
  [/^what is in the picture \?$/, 'which is there ?'],
  [/^which of these is in the picture \? (.+)$/, '$1 : which is in the picture ?'],
  [/^which is (larger|smaller) \? (.+)$/, '$2 : which is $1 ?'],
];

/** A question in another form, which no training has asked in; undefined where there is none. */
export function otherForm(question: string): string | undefined {
  const found = FORMS.find(([pattern]) => pattern.test(question));
  return found && question.replace(...found);
}

/** @param clean the exam whose questions are asked in other forms @param scenes of each exam */
export async function tailExams(
  clean: SceneExam,
  world: SceneWorld,
  size: number,
  seed: number,
  { scenes, questions_per_scene: count = Number.POSITIVE_INFINITY }: Pick<ExperimentSettings, 'scenes' | 'questions_per_scene'>,
): Promise<Draft[]> {
  const draw = (name: string, of: SceneWorld, options: SceneOptions, offset: number): Draft => {
    const exam = sceneExam(of, size, seed + offset, scenes, options);
    const all = itemsOf(exam);
    const chosen = rotating(all, count, offset);
    return { id: `tail:${name}`, group: 'tail', images: exam.images, items: picked(all, (_, i) => chosen.has(i)).items };
  };
  const [small, large] = [await loadSprites({ sizes: SMALL }), await loadSprites({ sizes: LARGE })];
  const all = itemsOf(clean);
  const chosen = rotating(all, count, 0);
  const { items, origin } = picked(all, ({ question }, i) => chosen.has(i) && otherForm(question) !== undefined);
  return [
    draw('many', world, { minObjects: 5, maxObjects: 6, minSize: 20, maxSize: 30 }, 1),
    draw('small', small, { minSize: SMALL[0], maxSize: SMALL.at(-1) }, 2),
    draw('large', large, { minObjects: 1, maxObjects: 1, minSize: LARGE[0], maxSize: LARGE.at(-1) }, 3),
    draw('long-names', world, { concepts: LONG_NAMES }, 4),
    {
      ...{ id: 'tail:forms', group: 'tail', images: clean.images, origin },
      items: items.map((item): ExamItem => ({ ...item, question: otherForm(item.question)! })),
    },
  ];
}
