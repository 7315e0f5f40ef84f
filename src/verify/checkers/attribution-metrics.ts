/**
 * @file Metrics of one map, the file's `image.nib` over the patches: `metric.map` (enlarged, min–max), the curves `metric.deletion_curve` and
 * `metric.insertion_curve` (patch by patch, best first, nothing changed first), and the numbers in the settings' `metrics`, as `metrics.NAME`.
 */

import { encodeTargets } from '../../attribution/encode-target.ts';
import { imageGame, scoresOf } from '../../attribution/perturbation/games.ts';
import { Perturbation } from '../../attribution/perturbation/perturbation.ts';
import type { MetricSample } from '../../evaluation/metrics/metric.ts';
import { areaUnder, type RemovalCurves, removalCurve } from '../../evaluation/metrics/ranking.ts';
import { createMetric, findMetric } from '../../evaluation/metrics/registry.ts';
import { upsampleBilinear } from '../../inputs/image/bilinear.ts';
import { floats } from '../../tensor/tensor.ts';
import { type AttributionInputs, attributionInputs, type NoInputs } from '../attribution-inputs.ts';
import type { Checker, VerifyContext } from '../checker.ts';
import { encodeTensors } from '../tensor-run.ts';
import { COSINE_SCALE } from '../tolerance.ts';

/** The map that is judged: one value per token, prefix tokens first. */
const MAP = 'image.nib';
const MASK = 'metric.mask';
const CURVE = /^metric\.(deletion|insertion)_curve$/;
const NUMBER = 'metrics.';

/** What the numbers are worked out from. */
interface Judged {
  /** The map as the pixels of `metric.map`, with the truth of `metric.mask` where the file has it. */
  readonly pixels: MetricSample;
  /** The map over the patches, with the model. */
  readonly patches: MetricSample;
  readonly curves: RemovalCurves;
}

const metric = (name: string, sample: MetricSample, options: Record<string, unknown> = {}): Promise<number> =>
  createMetric(findMetric(name)!, options).update(sample);

/** Numbers by name: those of Quantus by its own names. */
const NUMBERS: Readonly<Record<string, (of: Judged) => Promise<number> | number>> = {
  PointingGame: of => metric('pointing-game', of.pixels),
  RelevanceRankAccuracy: of => metric('relevance-rank', of.pixels),
  RelevanceMassAccuracy: of => metric('relevance-mass', of.pixels, { signed: true }),
  TopKIntersection: of => metric('relevance-rank', of.pixels, { top: 100 }),
  AUC: of => metric('pixel-auc', of.pixels),
  Complexity: of => metric('entropy', of.pixels),
  Sparseness: of => metric('gini', of.pixels),
  EffectiveComplexity: of => metric('effective-complexity', of.pixels, { epsilon: 0.5, relative: false }),
  energy_pointing_game: of => metric('energy-pointing-game', of.pixels),
  deletion_auc: of => areaUnder(of.curves.deletion),
  insertion_auc: of => areaUnder(of.curves.insertion),
  cosine_full: of => of.curves.deletion[0],
  cosine_masked_by_map: async ({ pixels: { map }, patches: { pixels, scorePixels } }) => {
    const masked = pixels!.data.map((v, i) => v * map[i % map.length]);
    return (await scorePixels!(floats([1, ...pixels!.shape], masked)))[0];
  },
  cosineDrop_x100: of => metric('cosine-drop', of.patches),
  cosineIncrease: async of => (await metric('cosine-increase', of.patches)) / 100,
};
/** Scales of those that are neither cosines nor shares: a percentage of the cosine; nats and a count, which are held against their own size. */
const SCALES: Readonly<Record<string, number>> = { cosineDrop_x100: 100, Complexity: 0, EffectiveComplexity: 0 };
/** Those that compare the map with the mask. */
const WITH_TRUTH = new Set([
  'PointingGame',
  'RelevanceRankAccuracy',
  'RelevanceMassAccuracy',
  'TopKIntersection',
  'AUC',
  'energy_pointing_game',
]);

/** One pair; the map is the reference's own, so that a method that departs does not look like a metric that does. */
export const attributionMetricsChecker: Checker = {
  name: 'metrics of a map',
  role: name => {
    if (name === MASK) return 'input';
    const number = name.startsWith(NUMBER) && Object.hasOwn(NUMBERS, name.slice(NUMBER.length));
    return name === 'metric.map' || CURVE.test(name) || number ? 'value' : undefined;
  },
  async *compute(context, names) {
    const inputs = await attributionInputs(context);
    await using engine = 'reason' in inputs ? undefined : await engineOf(context, inputs);
    const judged = 'reason' in inputs ? inputs : await judge(context, inputs, engine!);
    for (const name of names) {
      if ('reason' in judged) yield { name, reason: judged.reason };
      else if (name === 'metric.map') yield { name, kind: 'forward', value: floats(judged.pixels.size!, judged.pixels.map) };
      else if (CURVE.test(name)) {
        const curve = judged.curves[CURVE.exec(name)![1] as 'deletion' | 'insertion'];
        yield { name, kind: 'forward', value: floats([curve.length], curve), scaleFloor: COSINE_SCALE };
      } else {
        const number = name.slice(NUMBER.length);
        if (WITH_TRUTH.has(number) && !judged.pixels.truth) yield { name, reason: `the file has no ${MASK}` };
        else
          yield { name, kind: 'forward', value: floats([], [await NUMBERS[number](judged)]), scaleFloor: SCALES[number] ?? COSINE_SCALE };
      }
    }
  },
};

const engineOf = async ({ model }: VerifyContext, inputs: AttributionInputs): Promise<Perturbation> =>
  new Perturbation({ model, encoded: await encodeTensors(model, inputs, { image: -1, text: -1 }) });

async function judge({ reference, model }: VerifyContext, inputs: AttributionInputs, engine: Perturbation): Promise<Judged | NoInputs> {
  if (!reference.has(MAP)) return { reason: `the file has no ${MAP}, the map that the metrics judge` };
  const { encoded } = engine.context;
  const { grid } = encoded.image;
  const { shape, data } = await reference.floats(MAP);
  const tokens = model.image.prefixTokens + grid[0] * grid[1];
  if (data.length !== tokens) return { reason: `${MAP} is [${shape.join(', ')}], not one value for each of the ${tokens} tokens` };
  const map = data.slice(model.image.prefixTokens);
  const size = [inputs.pixelValues.shape[2], inputs.pixelValues.shape[3]] as const;
  const { image: target } = await encodeTargets(model, encoded);
  const game = imageGame(engine, 0, target);
  return {
    pixels: {
      ...{ modality: 'image', map: minMax(upsampleBilinear(map, grid, size)), grid: size, size, key: 0 },
      truth: reference.has(MASK) ? Uint8Array.from((await reference.floats(MASK)).data) : undefined,
    },
    patches: {
      ...{ modality: 'image', map, grid, size, game: () => game, key: 0 },
      pixels: floats([3, ...size], inputs.pixelValues.data),
      scorePixels: async pixels => scoresOf(target, 0, await engine.pixelFeatures(pixels)),
    },
    curves: await removalCurve(game, map),
  };
}

function minMax(values: Float32Array): Float32Array {
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return values.map(v => (v - low) / (high - low));
}
