/**
 * @file Metrics that are read off the removal curves of the map's own order: insertion, deletion (RISE), MoRF, LeRF, ABPC (Samek et al.
 * 2017; SRG is the same), AOPC, AID (FIxLIP, NeurIPS 2025). A map of one value has no order: NaN.
 */
import { z } from 'zod';
import { type Removal, removalOptions } from '../../attribution/removal-options.ts';
import type { MetricEntry, MetricSample } from './metric.ts';
import { gameOf, stepsOf, stepsOption } from './options.ts';
import { areaUnder, isConstant, type RemovalCurves, removalCurve } from './ranking.ts';

type Options = Removal & { steps: number; score: 'raw' | 'normalised' };

const schema = z.strictObject({
  ...stepsOption,
  ...removalOptions,
  score: z
    .enum(['raw', 'normalised'])
    .default('raw')
    .describe('the target itself, or scaled so that nothing gives 0 and everything 1 (NaN where both give the same)'),
});

const SAMPLE_MODALITIES = ['image', 'text'] as const;

/** The curves of the map's order, scaled where asked for; undefined where there is no order. */
export async function curvesOf(sample: MetricSample, options: Options): Promise<RemovalCurves | undefined> {
  if (isConstant(sample.map)) return undefined;
  const curves = await removalCurve(gameOf(sample, options), sample.map, stepsOf(sample, options.steps));
  return options.score === 'raw' ? curves : normalised(curves);
}

/** On the scale on which nobody there is 0 and everybody 1; NaN where both score the same. */
function normalised(curves: RemovalCurves): RemovalCurves {
  const [full, empty] = [curves.deletion[0], curves.insertion[0]];
  const scaled = (values: readonly number[]): number[] => values.map(v => (full === empty ? Number.NaN : (v - empty) / (full - empty)));
  return { ...curves, deletion: scaled(curves.deletion), insertion: scaled(curves.insertion) };
}

function entry(
  facts: Pick<MetricEntry, 'name' | 'title' | 'direction' | 'unit' | 'reading' | 'source'>,
  value: (curves: RemovalCurves) => number,
): MetricEntry<Options> {
  return {
    ...facts,
    category: 'faithfulness',
    modalities: SAMPLE_MODALITIES,
    needs: ['game'],
    schema,
    async evaluate(sample, options) {
      const curves = await curvesOf(sample, options);
      return curves ? value(curves) : Number.NaN;
    },
  };
}

const RISE = 'Petsiuk, Das, Saenko: RISE, BMVC 2018';
const SAMEK = 'Samek et al.: Evaluating the visualization of what a deep neural network has learned, TNNLS 2017';

/** Area under the score while the best come first. */
export const insertion = entry(
  {
    name: 'insertion',
    title: 'Insertion AUC',
    direction: 'higher',
    unit: 'score',
    reading: 'The score while the best patches or words come first, on average over the way: high when few of them suffice.',
    source: RISE,
  },
  ({ insertion: curve, shares }) => areaUnder(curve, shares),
);

/** Area under the score while the best go first. */
export const deletion = entry(
  {
    name: 'deletion',
    title: 'Deletion AUC',
    direction: 'lower',
    unit: 'score',
    reading: 'The score while the best patches or words go first: low when the match breaks early.',
    source: RISE,
  },
  ({ deletion: curve, shares }) => areaUnder(curve, shares),
);

/** Mean score of all most-relevant-first removals. */
export const morf = entry(
  {
    name: 'morf',
    title: 'MoRF',
    direction: 'lower',
    unit: 'score',
    reading: 'Mean score over the steps of removing the most relevant first, the untouched input included.',
    source: SAMEK,
  },
  ({ deletion: curve }) => curve.reduce((a, b) => a + b, 0) / curve.length,
);

/** Mean score of all least-relevant-first removals: the insertion curve read backwards. */
export const lerf = entry(
  {
    name: 'lerf',
    title: 'LeRF',
    direction: 'higher',
    unit: 'score',
    reading: 'Mean score over the steps of removing the least relevant first: high when what goes did not matter.',
    source: SAMEK,
  },
  ({ insertion: curve }) => curve.reduce((a, b) => a + b, 0) / curve.length,
);

/** Area between both. */
export const abpc = entry(
  {
    name: 'abpc',
    title: 'ABPC (SRG)',
    direction: 'higher',
    unit: 'score',
    reading:
      'Area between the curves of removing the least and the most relevant first: 0 for a random order, whatever removal does by itself.',
    source: `${SAMEK}; Blücher et al.: Decoupling pixel flipping and occlusion strategy, TMLR 2024 (SRG)`,
  },
  ({ insertion: up, deletion: down, shares }) => areaUnder(up, shares) - areaUnder(down, shares),
);

/** Mean fall of the score. */
export const aopc = entry(
  {
    name: 'aopc',
    title: 'AOPC',
    direction: 'higher',
    unit: 'score',
    reading: 'Mean fall of the score over the steps of removing the most relevant first.',
    source: SAMEK,
  },
  ({ deletion: curve }) => curve.reduce((sum, v) => sum + curve[0] - v, 0) / curve.length,
);

/** Area between both over 50 steps, scaled to the pair's own range. (FIxLIP's mean over 51 points is 50/51 of the area.) */
export const aid: MetricEntry<Removal> = {
  ...abpc,
  name: 'aid',
  title: 'AID',
  unit: 'share',
  reading:
    'Area between insertion and deletion, on the scale on which nothing is 0 and everything 1: 0 for a random order, about 1 at best.',
  source: 'Baniecki et al.: Explaining similarity in vision–language encoders with weighted Banzhaf interactions (FIxLIP), NeurIPS 2025',
  schema: z.strictObject(removalOptions),
  evaluate: (sample, options) => abpc.evaluate(sample, { ...options, steps: 50, score: 'normalised' }),
};
