/** @file How well a CLIP knows the built-in world: naming among all concepts, retrieval among 100 scenes, which of two objects is present. */
import { type CompiledGraph, compile, input, slice, squeeze } from '../../graph/index.ts';
import type { CLIPConfig } from '../../models/clip/config.ts';
import { trainableParameters } from '../../nn/parameters.ts';
import type { Feeds, Runtime } from '../../runtime/runtime.ts';
import { caption } from '../../scenes/captions.ts';
import { CONCEPTS } from '../../scenes/concepts.ts';
import { drawScene, type Scene } from '../../scenes/scene.ts';
import type { SceneWorld } from '../../scenes/sprite-atlas.ts';
import { PromiseCache } from '../../system/promise-cache.ts';
import { RandomStream } from '../../tensor/random.ts';
import { asFloats, floats, ints } from '../../tensor/tensor.ts';
import type { BatchFigures, Exam, ExamBatch } from '../evaluation.ts';
import { captionTensors, nameTensors, writePatches } from './batch.ts';
import { textEmbeddings, tokenEmbeddings } from './graph.ts';

/** Graphs of normalised embeddings over trainable weights, for evaluation during training. */
export interface Encoders {
  readonly image: CompiledGraph;
  readonly text: CompiledGraph;
}

/** Compiles both towers over trainable weights. */
export async function compileEncoders(runtime: Runtime, config: CLIPConfig): Promise<Encoders> {
  const p = trainableParameters();
  const { num_channels: channels, patch_size: patch } = config.vision_config;
  const tokens = tokenEmbeddings(
    p,
    config,
    input('patches', ['batch', 'kept', channels * patch * patch]),
    input('kept', ['batch', 'kept'], 'int32'),
  );
  const text = textEmbeddings(p, config, input('ids', ['batch', 'seq'], 'int32'), input('eos', ['batch'], 'int32'));
  return { image: await compile(runtime, { embeds: squeeze(slice(tokens, 1, 0, 1), 1) }), text: await compile(runtime, { embeds: text }) };
}

/** What an evaluation draws its scenes from. */
export interface EvaluationSettings {
  readonly world: SceneWorld;
  readonly imageSize: number;
  readonly patchSize: number;
  readonly imageMean: readonly number[];
  readonly imageStd: readonly number[];
  readonly seed: number;
  /** Scenes per measure; retrieval takes them in groups of 100. */
  readonly samples: number;
}

/** Outcome per scene (1 = right), so that intervals can be bootstrapped over scenes. */
export interface WorldScores {
  readonly naming: Float64Array;
  readonly naming5: Float64Array;
  readonly retrieval: Float64Array;
  readonly presence: Float64Array;
}

const CHUNK = 100;

/** Mean of an evaluation's outcomes. */
export const meanOf = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

/** Normalised image embeddings [n, P] of a chunk of scenes. */
async function embedScenes(
  image: CompiledGraph,
  weights: Feeds,
  settings: EvaluationSettings,
  chunk: readonly Scene[],
): Promise<Float32Array[]> {
  const { imageSize, patchSize } = settings;
  const grid = Math.floor(imageSize / patchSize) ** 2;
  const width = 3 * patchSize ** 2;
  const all = [...Array(grid).keys()];
  const pixels = new Float32Array(chunk.length * grid * width);
  for (const [b, scene] of chunk.entries()) writePatches(scene.image.data, settings, all, pixels, b * grid * width);
  const kept = ints(
    [chunk.length, grid],
    chunk.flatMap(() => all),
  );
  const { embeds } = await image.run({ ...weights, patches: floats([chunk.length, grid, width], pixels), kept });
  return splitRows(asFloats(embeds), chunk.length);
}

/** Rows of a flat [count, width] array (views). */
export function splitRows(data: Float32Array, count: number): Float32Array[] {
  const width = data.length / count;
  return Array.from({ length: count }, (_, i) => data.subarray(i * width, (i + 1) * width));
}

/** Inner product. */
export const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, x, i) => sum + x * b[i], 0);

/**
 * Place of the right answer among candidates, 0 = first. Candidates that are as right as it (equal captions, images of one caption) are no
 * rivals: the best of them counts. @param isRight says which they are; only `right` by default
 */
export function place(
  query: Float32Array,
  candidates: readonly Float32Array[],
  right: number,
  isRight: (candidate: number) => boolean = i => i === right,
): number {
  const scores = candidates.map(c => dot(query, c));
  const best = scores.reduce((top, score, i) => (isRight(i) ? Math.max(top, score) : top), Number.NEGATIVE_INFINITY);
  return scores.reduce((n, score, i) => n + (!isRight(i) && score >= best ? 1 : 0), 0);
}

/**
 * The exams on fresh scenes, the same for every model, in chunks of 100 scenes.
 * @param weights the model's tensors, or {} for frozen graphs @param name of the world; figures are `eval_NAME_MEASURE`
 */
export function worldExams(encoders: Encoders, weights: Feeds, settings: EvaluationSettings, name: string): Exam[] {
  const { world, imageSize, seed, samples } = settings;
  const draw = (stream: string, from: number, count: number, minObjects: number, maxObjects: number): Scene[] => {
    const random = new RandomStream(seed, stream);
    return Array.from({ length: count }, (_, i) =>
      drawScene(world, { width: imageSize, height: imageSize, minObjects, maxObjects }, random.reader(0, from + i)),
    );
  };
  const embedText = async (tensors: { ids: Feeds[string]; eos: Feeds[string] }): Promise<Float32Array[]> =>
    splitRows(asFloats((await encoders.text.run({ ...weights, ...tensors })).embeds), tensors.ids.shape[0]);
  const texts = new PromiseCache<Float32Array[]>();
  const names = (): Promise<Float32Array[]> => texts.get('names', () => embedText(nameTensors()));
  const random = new RandomStream(seed, 'eval.choices');

  const naming = async (from: number, count: number): Promise<BatchFigures> => {
    const scenes = draw('eval.naming', from, count, 1, 1);
    const images = await embedScenes(encoders.image, weights, settings, scenes);
    const words = await names();
    const places = scenes.map((scene, i) => place(images[i], words, scene.objects[0].concept));
    return { naming: places.map(p => (p === 0 ? 1 : 0)), naming5: places.map(p => (p < 5 ? 1 : 0)) };
  };
  const several = async (from: number, count: number): Promise<BatchFigures> => {
    const scenes = draw('eval.many', from, count, 2, 4);
    const images = await embedScenes(encoders.image, weights, settings, scenes);
    const words = await names();
    const captions = await embedText(captionTensors(scenes.map((scene, i) => caption(scene, random.reader(0, from + i), { subset: 0 }))));
    const presence = scenes.map((scene, i) => {
      const reader = random.reader(1, from + i);
      const here = scene.objects.map(o => o.concept);
      let other = reader.integer(CONCEPTS.length);
      while (here.includes(other)) other = reader.integer(CONCEPTS.length);
      return dot(images[i], words[reader.pick(here)]) > dot(images[i], words[other]) ? 1 : 0;
    });
    return { retrieval: images.map((image, i) => (place(image, captions, i) === 0 ? 1 : 0)), presence };
  };
  const exam = (what: string, compute: (from: number, count: number) => Promise<BatchFigures>): Exam => ({
    name: `${what} in ${name} styles`,
    batches: Array.from({ length: Math.ceil(samples / CHUNK) }, (_, i): ExamBatch => {
      const units = Math.min(CHUNK, samples - i * CHUNK);
      return { units, compute: () => compute(i * CHUNK, units) };
    }),
    figures: results => {
      const keys = Object.keys(results[0]);
      return Object.fromEntries(keys.map(key => [`eval_${name}_${key}`, meanOf(results.flatMap(result => result[key]))]));
    },
  });
  return [exam('scenes of one object', naming), exam('scenes of several objects', several)];
}

/** Runs all measures on fresh scenes, the same for every model. @param weights the model's tensors, or {} for frozen graphs */
export async function evaluateWorld(encoders: Encoders, weights: Feeds, settings: EvaluationSettings): Promise<WorldScores> {
  const scores: Record<string, number[]> = {};
  for (const { batches } of worldExams(encoders, weights, settings, 'all'))
    for (const batch of batches)
      for (const [key, values] of Object.entries(await batch.compute())) scores[key] = [...(scores[key] ?? []), ...values];
  const { naming, naming5, retrieval, presence } = scores;
  return {
    naming: Float64Array.from(naming),
    naming5: Float64Array.from(naming5),
    retrieval: Float64Array.from(retrieval),
    presence: Float64Array.from(presence),
  };
}
