/** @file Instructions about a scene with their answers: what a small LLaVA is taught and asked. Each kind is a task with an accuracy. */
import type { RandomReader } from '../tensor/random.ts';
import { nameCaption } from './captions.ts';
import { CONCEPTS } from './concepts.ts';
import { absentConcept, type QuestionKind, questions } from './questions.ts';
import type { Scene, SceneObject } from './scene.ts';

/** Kinds of instructions, in the order of tables. */
export const TASKS = ['existence', 'count', 'color', 'position', 'size', 'naming', 'choice', 'caption'] as const;
/** Name of a kind. */
export type Task = (typeof TASKS)[number];

/** An instruction and its answer. */
export interface Instruction {
  readonly task: Task;
  readonly question: string;
  readonly answer: string;
  /** Concepts that question or answer speak of. */
  readonly concepts: readonly number[];
}

/** Every word that instructions add to those of captions, names and questions. */
export const INSTRUCTION_WORDS = 'describe larger smaller at top bottom or . : , user assistant';

/** Smallest ratio of areas that counts as larger. */
const CLEARLY_LARGER = 1.6;

const isOrAre = (concept: number): string => (CONCEPTS[concept].article === 'some' ? 'are' : 'is');
const centre = (o: SceneObject, axis: 'x' | 'y'): number => (axis === 'x' ? o.box.left + o.box.width / 2 : o.box.top + o.box.height / 2);

/** The object that lies furthest to a side, by an eighth of the canvas before the next; undefined where none does. */
export function furthest(scene: Scene, side: 'left' | 'right' | 'top' | 'bottom'): SceneObject | undefined {
  const axis = side === 'left' || side === 'right' ? 'x' : 'y';
  const sign = side === 'left' || side === 'top' ? 1 : -1;
  const order = [...scene.objects].sort((a, b) => sign * (centre(a, axis) - centre(b, axis)));
  if (order.length < 2) return order[0];
  const margin = (axis === 'x' ? scene.width : scene.height) / 8;
  return sign * (centre(order[1], axis) - centre(order[0], axis)) >= margin ? order[0] : undefined;
}

/** The things of a scene from left to right, and its background: the answer to `describe the picture .` */
export function description(scene: Scene): string {
  const order = [...scene.objects].sort((a, b) => centre(a, 'x') - centre(b, 'x') || centre(a, 'y') - centre(b, 'y'));
  const background = `a ${scene.background.color} background`;
  return order.length === 0 ? background : `${order.map(o => nameCaption(o.concept)).join(' and ')} on ${background}`;
}

/** The things of a scene, from left to right as `description` has them: `a dog and a cat`. */
export const listing = (scene: Scene): string => description(scene).replace(/ on a \S+ background$/, '');

/** "what is at the left ?", or "what is in the picture ?" of a single thing; undefined where no thing lies clearly outermost. */
function naming(scene: Scene, reader: RandomReader): Instruction | undefined {
  for (const side of reader.shuffle(['left', 'right', 'top', 'bottom'] as const)) {
    const object = furthest(scene, side);
    if (!object) continue;
    const question = scene.objects.length === 1 ? 'what is in the picture ?' : `what is at the ${side} ?`;
    return { task: 'naming', question, answer: CONCEPTS[object.concept].name, concepts: [object.concept] };
  }
  return undefined;
}

/** "which is larger ? the dog or the cat" of two things whose areas differ clearly; undefined without such a pair. */
function size(scene: Scene, reader: RandomReader): Instruction | undefined {
  const [a, b] = reader.shuffle(scene.objects);
  const larger = reader.uniform() < 0.5;
  if (!b || Math.max(a.area, b.area) < CLEARLY_LARGER * Math.min(a.area, b.area)) return undefined;
  const right = a.area > b.area === larger ? a : b;
  const the = (o: SceneObject): string => `the ${CONCEPTS[o.concept].name}`;
  return {
    task: 'size',
    question: `which is ${larger ? 'larger' : 'smaller'} ? ${the(a)} or ${the(b)}`,
    answer: the(right),
    concepts: [a.concept, b.concept],
  };
}

/** The quarter of the picture that an object's centre lies in: `top left`. */
export function placeOf(scene: Scene, object: SceneObject): string {
  const vertical = centre(object, 'y') < scene.height / 2 ? 'top' : 'bottom';
  return `${vertical} ${centre(object, 'x') < scene.width / 2 ? 'left' : 'right'}`;
}

/** "where is the dog ?", answered by the quarter of the picture that its centre lies in. */
export const place = (scene: Scene, object: SceneObject): Instruction => ({
  task: 'position',
  question: `where ${isOrAre(object.concept)} the ${CONCEPTS[object.concept].name} ?`,
  answer: placeOf(scene, object),
  concepts: [object.concept],
});

/** Existence of one given concept: the question that existence asks. */
export const existence = (concept: number, shown: boolean): Instruction => ({
  task: 'existence',
  question: `${isOrAre(concept)} there ${nameCaption(concept)} in the picture ?`,
  answer: shown ? 'yes' : 'no',
  concepts: [concept],
});

const KINDS = new Set<QuestionKind>(['existence', 'count', 'position', 'color', 'choice']);

/** One instruction of every task that the scene allows. */
export function instructions(scene: Scene, reader: RandomReader): Instruction[] {
  const asked: Instruction[] = questions(scene, reader)
    .filter(q => KINDS.has(q.kind))
    .map(q => ({ task: q.kind as Task, question: q.question, answer: q.answer, concepts: q.concepts }));
  const more = [naming(scene, reader), size(scene, reader)].filter(i => i !== undefined);
  const described: Instruction = {
    task: 'caption',
    question: 'describe the picture .',
    answer: description(scene),
    concepts: scene.objects.map(o => o.concept),
  };
  return [...asked, ...more, described];
}

/** How a dense conversation is made. */
export interface ConversationOptions {
  /** Further rounds of existence, naming, choice, position and size; default 2. */
  readonly extra?: number;
  /** Probability that a description is asked for; default 1. */
  readonly caption?: number;
  /** Of several things, also ask "what is in the picture ?", answered by all of them (`listing`); default false. */
  readonly listing?: boolean;
  /** Ask for every thing whether and where it is, and for as many that are not there; default false. */
  readonly everyThing?: boolean;
}

/**
 * A conversation that says much about one scene: every task, and more of those that need a thing to be found. In a random order, so that
 * each task also stands first; no question twice.
 */
export function denseConversation(
  scene: Scene,
  reader: RandomReader,
  { extra = 2, caption = 1, everyThing = false, listing: list = false }: ConversationOptions = {},
): Instruction[] {
  const turns = instructions(scene, reader);
  const seen = new Set(turns.map(t => t.question));
  const add = (instruction: Instruction | undefined): void => {
    if (!instruction || seen.has(instruction.question)) return;
    seen.add(instruction.question);
    turns.push(instruction);
  };
  for (let i = 0; i < extra; i++) {
    // As often yes as no, though a name that was asked for already is not asked for again.
    const present = reader.shuffle(scene.objects).find(o => !seen.has(existence(o.concept, true).question));
    if (!everyThing && present && reader.uniform() < 0.6) add(existence(present.concept, true));
    else if (!everyThing) add(existence(absentConcept(scene, reader), false));
    for (const more of instructions(scene, reader)) if (REPEATED.has(more.task)) add(more);
  }
  if (list && scene.objects.length > 1)
    add({
      task: 'naming',
      question: 'what is in the picture ?',
      answer: listing(scene),
      concepts: scene.objects.map(o => o.concept),
    });
  if (everyThing)
    for (const object of scene.objects) {
      add(existence(object.concept, true));
      add(existence(absentConcept(scene, reader), false));
      add(place(scene, object));
    }
  const said = reader.uniform() < caption ? turns : turns.filter(t => t.task !== 'caption');
  return reader.shuffle(said);
}

/** Tasks that a dense conversation comes back to. */
const REPEATED = new Set<Task>(['naming', 'choice', 'position', 'size']);
