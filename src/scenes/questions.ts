/** @file Questions about a scene with their answers: existence, count, position, colour, choice. */
import type { RandomReader } from '../tensor/random.ts';
import { COLOR_NAMES } from './background.ts';
import { nameCaption, relationOf } from './captions.ts';
import { CONCEPTS } from './concepts.ts';
import type { Scene } from './scene.ts';

/** Kinds of questions. */
export const QUESTION_KINDS = ['existence', 'count', 'position', 'color', 'choice'] as const;
/** Name of a kind of question. */
export type QuestionKind = (typeof QUESTION_KINDS)[number];

/** A question, its answer, and what else could have been answered. */
export interface Question {
  readonly kind: QuestionKind;
  readonly question: string;
  readonly answer: string;
  /** All allowed answers, the right one among them, in an order that tells nothing. */
  readonly choices: readonly string[];
  /** Concepts the question speaks of. */
  readonly concepts: readonly number[];
}

const NUMBERS = 'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen'.split(' ');

/** Every word that questions and answers add to those of captions and names. */
export const QUESTION_WORDS = `is are there in the picture ? how many things what color or to where it they yes no which of these left right above below ${NUMBERS.join(' ')}`;

/**
 * One question of every kind that the scene allows (`position` needs two objects that lie clearly side by side or above each other,
 * `choice` and a positive `existence` need one object). Existence is true and false with equal probability.
 */
export function questions(scene: Scene, reader: RandomReader): Question[] {
  const out: Question[] = [];
  const objects = reader.shuffle(scene.objects);
  const absent = absentConcept(scene, reader);
  const asked = objects.length > 0 && reader.uniform() < 0.5 ? objects[0].concept : absent;
  const verb = CONCEPTS[asked].article === 'some' ? 'are' : 'is';
  out.push({
    kind: 'existence',
    question: `${verb} there ${nameCaption(asked)} in the picture ?`,
    answer: asked === absent ? 'no' : 'yes',
    choices: ['yes', 'no'],
    concepts: [asked],
  });
  out.push({
    kind: 'count',
    question: 'how many things are in the picture ?',
    answer: NUMBERS[objects.length],
    choices: NUMBERS.slice(0, Math.max(7, objects.length + 1)),
    concepts: [],
  });
  const relation = objects.length > 1 ? relationOf(scene, objects[0], objects[1]) : null;
  if (relation) {
    const [a, b] = objects.map(o => CONCEPTS[o.concept]);
    const pair = relation === 'above' || relation === 'below' ? ['above', 'below'] : ['left of', 'right of'];
    out.push({
      kind: 'position',
      question: `${a.article === 'some' ? 'are' : 'is'} the ${a.name} ${pair[0]} or ${pair[1]} the ${b.name} ?`,
      answer: relation,
      choices: pair,
      concepts: [a.index, b.index],
    });
  }
  out.push({
    kind: 'color',
    question: 'what color is the background ?',
    answer: scene.background.color,
    choices: COLOR_NAMES,
    concepts: [],
  });
  if (objects.length > 0) {
    const right = nameCaption(objects[0].concept);
    const choices = reader.shuffle([right, nameCaption(absent)]);
    out.push({
      kind: 'choice',
      question: `which of these is in the picture ? ${choices[0]} or ${choices[1]}`,
      answer: right,
      choices,
      concepts: [objects[0].concept, absent],
    });
  }
  return out;
}

/** A concept that the scene does not show. */
export function absentConcept(scene: Scene, reader: RandomReader): number {
  let concept = reader.integer(CONCEPTS.length);
  while (scene.objects.some(o => o.concept === concept)) concept = reader.integer(CONCEPTS.length);
  return concept;
}
