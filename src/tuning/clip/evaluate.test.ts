import { describe, expect, it } from 'vitest';
import type { CompiledGraph } from '../../graph/index.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { caption } from '../../scenes/captions.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { drawScene, type Scene } from '../../scenes/scene.ts';
import { syntheticWorld } from '../../scenes/testdata/synthetic.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats } from '../../tensor/tensor.ts';
import { captionTensors, writePatches } from './batch.ts';
import { dot, place, worldExams } from './evaluate.ts';

const world = syntheticWorld(CONCEPTS.length);
const SIZE = 96;
const FORMAT = { imageSize: SIZE, patchSize: 48, imageMean: [0.5, 0.4, 0.3], imageStd: [0.2, 0.3, 0.4] };
const SETTINGS = { ...FORMAT, world, seed: 6, samples: 102 };

/** A scene of an exam, drawn here: the first of the second chunk by default. */
function sceneOf(stream: string, minObjects: number, maxObjects: number, at = 100): Scene {
  return drawScene(world, { width: SIZE, height: SIZE, minObjects, maxObjects }, new RandomStream(6, stream).reader(0, at));
}

function pixelsOf(scene: Scene): Float32Array {
  const out = new Float32Array(SIZE * SIZE * 3);
  writePatches(scene.image.data, FORMAT, [0, 1, 2, 3], out, 0);
  return out;
}

/** Encoders that see nothing: `image` gives the vector of the picture at a place of its chunk, texts have an axis each. */
function encoders(image: (place: number) => Float32Array, seen: Feeds[] = []) {
  const graph = (run: (feeds: Feeds) => Float32Array[]): CompiledGraph =>
    ({
      run: async (feeds: Feeds) => {
        seen.push(feeds);
        const rows = run(feeds);
        return { embeds: floats([rows.length, rows[0].length], Float32Array.from(rows.flatMap(r => [...r]))) };
      },
    }) as unknown as CompiledGraph;
  const width = CONCEPTS.length;
  return {
    image: graph(({ patches }) => Array.from({ length: patches.shape[0] }, (_, i) => image(i))),
    text: graph(({ ids }) =>
      Array.from({ length: ids.shape[0] }, (_, i) => Float32Array.from({ length: width }, (_, j) => Number(i === j))),
    ),
  };
}

/** The vector that answers: 1 at `best`, a little less at those in front of the right one. */
const axis = (values: Readonly<Record<number, number>>): Float32Array =>
  Float32Array.from({ length: CONCEPTS.length }, (_, j) => values[j] ?? 0);

describe('exams on scenes', () => {
  it('go on in the second chunk where the first one ends', async () => {
    const seen: Feeds[] = [];
    const exams = worldExams(
      encoders(() => axis({ 0: 1 }), seen),
      {},
      SETTINGS,
      'all',
    );
    for (const [i, [stream, least, most]] of (
      [
        ['eval.naming', 1, 1],
        ['eval.many', 2, 4],
      ] as const
    ).entries()) {
      const { batches } = exams[i];
      expect(batches.map(b => b.units)).toEqual([100, 2]);
      seen.length = 0;
      await batches[1].compute();
      const pixels = [100, 101].flatMap(at => [...pixelsOf(sceneOf(stream, least, most, at))]);
      expect(seen[0].patches.data).toEqual(Float32Array.from(pixels));
      expect([...(seen[0].kept.data as Int32Array)]).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
      if (i === 1) {
        const choices = new RandomStream(6, 'eval.choices');
        const texts = [100, 101].map(at => caption(sceneOf(stream, least, most, at), choices.reader(0, at), { subset: 0 }));
        expect(seen.at(-1)!.ids).toEqual(captionTensors(texts).ids);
      }
    }
  });

  it('count a name that is first, and one among the first five', async () => {
    const right = sceneOf('eval.naming', 1, 1).objects[0].concept;
    const others = (n: number) =>
      Object.fromEntries(
        [...CONCEPTS.keys()]
          .filter(c => c !== right)
          .slice(0, n)
          .map(c => [c, 1]),
      );
    for (const [ahead, naming, naming5] of [
      [0, 1, 1],
      [1, 0, 1],
      [4, 0, 1],
      [5, 0, 0],
    ]) {
      const [exam] = worldExams(
        encoders(() => axis({ ...others(ahead), [right]: 0.5 })),
        {},
        SETTINGS,
        'all',
      );
      expect(await exam.batches[1].compute()).toMatchObject({ naming: { 0: naming }, naming5: { 0: naming5 } });
    }
  });

  it('ask whether something in the picture is nearer than something that is not', async () => {
    const choices = new RandomStream(6, 'eval.choices');
    const others = [100, 101].map(at => {
      const here = sceneOf('eval.many', 2, 4, at).objects.map(o => o.concept);
      const reader = choices.reader(1, at);
      for (;;) {
        const other = reader.integer(CONCEPTS.length);
        if (!here.includes(other)) return other;
      }
    });
    for (const [other, presence] of [
      [1, 0],
      [0, 1],
    ]) {
      const exam = worldExams(
        encoders(i =>
          axis({})
            .fill(0.5)
            .fill(other, others[i], others[i] + 1),
        ),
        {},
        SETTINGS,
        'all',
      )[1];
      expect((await exam.batches[1].compute()).presence).toEqual([presence, presence]);
    }
  });

  it('count a caption that is first among those of its chunk', async () => {
    for (const [axisOf, retrieval] of [
      [(i: number) => i, [1, 1]],
      [() => 1, [0, 1]],
    ] as const) {
      const exam = worldExams(
        encoders(i => axis({ [axisOf(i)]: 1 })),
        {},
        SETTINGS,
        'all',
      )[1];
      expect((await exam.batches[1].compute()).retrieval).toEqual(retrieval);
    }
  });

  it('have the mean over all scenes as figures, under the name of the world', () => {
    const [exam] = worldExams(
      encoders(() => axis({})),
      {},
      SETTINGS,
      'new',
    );
    expect(
      exam.figures([
        { naming: [1, 1, 0], naming5: [1, 1, 1] },
        { naming: [0], naming5: [0] },
      ]),
    ).toEqual({
      eval_new_naming: 0.5,
      eval_new_naming5: 0.75,
    });
  });
});

it('the place of the right answer counts those before it, equals too, but not answers that are as right', () => {
  const query = Float32Array.of(1, 2);
  const candidates = [
    [0, 1],
    [2, 0],
    [0, 1],
    [1, 1],
  ].map(v => Float32Array.from(v));
  expect(dot(query, candidates[3])).toBe(3);
  expect([0, 1, 2, 3].map(i => place(query, candidates, i))).toEqual([3, 3, 3, 0]);
  expect(place(query, candidates, 0, i => i === 0 || i === 2)).toBe(2);
  expect(place(query, candidates, 0, i => i === 0 || i === 3)).toBe(0);
});
