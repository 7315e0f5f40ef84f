/** @file What can be said about a scene: captions in several forms, all from a small closed vocabulary. */
import type { RandomReader } from '../tensor/random.ts';
import { CONCEPTS, type Concept, withArticle } from './concepts.ts';
import type { Scene, SceneObject } from './scene.ts';

/** `a dog`, `an owl`, `some grapes`: the text whose embedding names a concept. */
export const nameCaption = (concept: Concept | number): string => withArticle(typeof concept === 'number' ? CONCEPTS[concept] : concept);

/** How often each optional part of a caption occurs (probabilities). */
export interface CaptionOptions {
  /** Begin with `a photo of`; default 0.3. */
  photo?: number;
  /** End with `on a COLOUR background`; default 0.5. */
  background?: number;
  /** Name only some of several objects; default 0.2. */
  subset?: number;
  /** Say how two objects lie (`a dog left of a cat`) in place of the list; default 0.1. */
  relation?: number;
  /** Longest caption in words; objects and then the background are left out to keep it. Default 22: 24 tokens with `<bos>` and `<eos>`. */
  maxWords?: number;
}

/** Relations between two boxes, by their centres. */
export const RELATIONS = ['left of', 'right of', 'above', 'below'] as const;
/** Name of a relation. */
export type Relation = (typeof RELATIONS)[number];

/**
 * How `a` lies to `b`, along the axis on which their centres are further apart; null when the centres are less than `margin` pixels
 * (default an eighth of the larger side of the canvas) apart on both axes, or the axes say about the same (ratio below 1.5).
 */
export function relationOf(
  scene: Scene,
  a: SceneObject,
  b: SceneObject,
  margin = Math.max(scene.width, scene.height) / 8,
): Relation | null {
  const dx = a.box.left + a.box.width / 2 - b.box.left - b.box.width / 2;
  const dy = a.box.top + a.box.height / 2 - b.box.top - b.box.height / 2;
  const [far, near] = Math.abs(dx) > Math.abs(dy) ? [Math.abs(dx), Math.abs(dy)] : [Math.abs(dy), Math.abs(dx)];
  if (far < margin || far < 1.5 * near) return null;
  if (Math.abs(dx) > Math.abs(dy)) return dx < 0 ? 'left of' : 'right of';
  return dy < 0 ? 'above' : 'below';
}

/** Draws one caption of a scene, lower case, without punctuation. Every draw of `reader` is made in a fixed order. */
export function caption(scene: Scene, reader: RandomReader, options: CaptionOptions = {}): string {
  const { photo = 0.3, background = 0.5, subset = 0.2, relation = 0.1, maxWords = 22 } = options;
  let objects = reader.shuffle(scene.objects);
  const parts: string[] = [];
  let room = maxWords;
  const say = (...texts: string[]): void => {
    const count = texts.join(' ').split(' ').length;
    // The first thing is always said, however long.
    if (count > room && parts.length > 0) return;
    room -= count;
    parts.push(...texts);
  };
  if (reader.uniform() < photo) say('a photo of');
  const wantRelation = reader.uniform() < relation;
  const related = wantRelation && objects.length > 1 ? relationOf(scene, objects[0], objects[1]) : null;
  if (related) {
    say(nameCaption(objects[0].concept), related, nameCaption(objects[1].concept));
  } else {
    if (reader.uniform() < subset && objects.length > 1) objects = objects.slice(0, 1 + reader.integer(objects.length - 1));
    objects.forEach((object, i) => {
      const joint = i === 0 ? [] : [reader.uniform() < 0.7 ? 'and' : 'with'];
      say(...joint, nameCaption(object.concept));
    });
  }
  // An empty scene still says something.
  if (objects.length === 0) say(`a ${scene.background.color} background`);
  else if (reader.uniform() < background) say(`on a ${scene.background.color} background`);
  return parts.join(' ');
}
