/** @file What is true of a scene, for judges that know it: things, counts, places, colours; and the same in the words of LLaVA-Bench. */
import { caption } from '../../../scenes/captions.ts';
import { placeOf } from '../../../scenes/instructions.ts';
import type { Scene } from '../../../scenes/scene.ts';
import type { RandomStream } from '../../../tensor/random.ts';
import type { BoxedThing } from '../loading/llava-bench.ts';

/** The truth about a scene. */
export interface SceneTruth {
  /** In drawing order, the last in front. */
  readonly things: readonly {
    /** As captions call it: `hot dog`. */
    readonly name: string;
    /** The quarter that its centre lies in: `top left`. */
    readonly place: string;
    /** Left, top, right, bottom as shares of the picture. */
    readonly box: readonly number[];
    /** Share of the picture that it covers. */
    readonly area: number;
  }[];
  readonly count: number;
  /** Colour of the background. */
  readonly background: string;
}

const round = (value: number): number => Math.round(value * 1e3) / 1e3;

/** The truth about a scene. */
export function truthOf(scene: Scene): SceneTruth {
  const { width, height, objects, background } = scene;
  return {
    things: objects.map(object => {
      const { left, top, width: w, height: h } = object.box;
      return {
        name: object.name,
        place: placeOf(scene, object),
        box: [left / width, top / height, (left + w) / width, (top + h) / height].map(round),
        area: round(object.area / (width * height)),
      };
    }),
    count: objects.length,
    background: background.color,
  };
}

/** Captions and boxes as LLaVA-Bench (COCO) gives them to its judge. @param stream one caption is drawn from each of five steps */
export function contextOfScene(scene: Scene, stream: RandomStream, index: number): { captions: string[]; instances: BoxedThing[] } {
  const captions = Array.from({ length: 5 }, (_, step) =>
    caption(scene, stream.reader(step, index), step === 0 ? { subset: 0, relation: 0 } : {}),
  );
  return { captions, instances: truthOf(scene).things.map(({ name, box }) => ({ category: name, bbox: box })) };
}
