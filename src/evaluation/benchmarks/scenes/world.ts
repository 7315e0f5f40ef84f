/**
 * @file The scenes of the built-in benchmarks: what stands in each follows a law with frequent things and things that keep company, so that
 * "popular" and "adversarial" mean something; drawn when they are needed.
 */
import { CONCEPTS } from '../../../scenes/concepts.ts';
import { drawScene, type Scene } from '../../../scenes/scene.ts';
import type { SceneWorld } from '../../../scenes/sprite-atlas.ts';
import { loadSprites } from '../../../scenes/sprites.ts';
import { RandomStream } from '../../../tensor/random.ts';
import type { QuestionPicture } from '../question.ts';

/** Pixels of a side: what the shipped models look at. */
const SIZE = 96;
/** How many things a scene shows; the shipped models know scenes of up to four. */
export interface ThingRange {
  readonly least: number;
  readonly most: number;
}
/** Things of one circle keep company: after a thing, the next is of its circle with this probability. */
const CIRCLE = { size: 8, company: 0.5 };
/** Weight of the r-th most frequent thing: 1 / (r + offset), a flattened Zipf law. */
const OFFSET = 12;

/** The scenes of one seed. */
export interface SceneSet {
  /** Concepts of each scene. */
  readonly things: readonly (readonly number[])[];
  /** Draws one scene; the same each time. */
  draw(index: number): Promise<Scene>;
  /** One scene as a question's picture. */
  picture(index: number): QuestionPicture;
  /** Boxes of a concept in a scene, as `Question.boxes` has them. */
  boxes(index: number, concept: number): Promise<(readonly number[])[]>;
}

/**
 * Lays out scenes without drawing them. The random streams are of the benchmarks only: no scene is one of a training run or of the experiments, whatever the
 * seed; art and wording are those of training.
 * @param name of the benchmark, which keeps streams apart @param seed a non-negative integer
 */
export function sceneSet(name: string, seed: number, count: number, range: ThingRange): SceneSet {
  const order = new RandomStream(seed, `benchmark.${name}.law`).reader(0, 0).shuffle(CONCEPTS.map(concept => concept.index));
  const rank = new Map(order.map((concept, r) => [concept, r]));
  const sums: number[] = [];
  for (const [r] of order.entries()) sums.push((sums.at(-1) ?? 0) + 1 / (r + OFFSET));
  const stream = new RandomStream(seed, `benchmark.${name}.things`);
  const things = Array.from({ length: count }, (_, index) => {
    const reader = stream.reader(0, index);
    const chosen: number[] = [];
    const wanted = range.least + reader.integer(range.most - range.least + 1);
    while (chosen.length < wanted) {
      const last = chosen.at(-1);
      let next: number;
      // Circles run across the ranks, so that each holds frequent and rare things.
      if (last !== undefined && reader.uniform() < CIRCLE.company) {
        const circles = Math.ceil(order.length / CIRCLE.size);
        const circle = (rank.get(last) as number) % circles;
        next = order[circle + circles * reader.integer(CIRCLE.size)] ?? last;
      } else {
        const at = reader.uniform() * (sums.at(-1) as number);
        next =
          order[
            Math.max(
              sums.findIndex(sum => sum > at),
              0,
            )
          ];
      }
      if (!chosen.includes(next)) chosen.push(next);
    }
    return chosen;
  });
  const drawing = new RandomStream(seed, `benchmark.${name}.scenes`);
  let world: Promise<SceneWorld> | undefined;
  const draw = async (index: number): Promise<Scene> => {
    world ??= loadSprites();
    return drawScene(await world, { width: SIZE, height: SIZE, place: things[index] }, drawing.reader(0, index));
  };
  const id = (index: number): string => `scene ${String(index).padStart(4, '0')}`;
  return {
    things,
    draw,
    boxes: async (index, concept) =>
      (await draw(index)).objects
        .filter(thing => thing.concept === concept)
        .map(({ box: { left, top, width, height } }) => [left, top, width, height]),
    picture: index => ({
      id: id(index),
      source: `${id(index)} of ${name}, seed ${seed}`,
      read: async () => (await draw(index)).image,
    }),
  };
}

/** What all sets of drawn scenes say of their data. */
export const SCENE_FACTS = {
  licence: 'MIT; the art under the licences of its sets (noto Apache-2.0, twemoji CC BY 4.0, fluent-emoji-flat MIT)',
  source: 'built in: drawn by Narrows from a seed',
  format: 'none: scenes of 96 × 96 pixels in the art that the shipped models were trained on, of random streams that no training uses',
} as const;
