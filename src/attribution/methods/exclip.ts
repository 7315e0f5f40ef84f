/**
 * @file Second-order gradient decomposition (exCLIP: Möller, Tilli, Vu, Padó, TMLR 2025): both towers' integrated Jacobians between an input
 * and a reference, at the input of a late block, multiplied: A[patch, token] = (J_I δ_patch)·(J_T δ_token) / (|u||w|).
 */
import { z } from 'zod';
import type { Tower } from '../../models/dual-encoder.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import { resolveLayer } from '../layer.ts';
import type { MethodEntry, MethodRun, TowerJob } from '../method.ts';
import { products } from '../perturbation/estimators/interaction-errors.ts';
import { explainJoint } from '../perturbation/joint.ts';
import { baselineInputs } from '../primitives/baselines.ts';
import { tokenTangents } from '../primitives/token-tangents.ts';
import { row } from '../rows.ts';

const layer = z.union([z.literal('auto'), z.number().int()]);
const schema = z.strictObject({
  layer: layer.default('auto').describe('block of the image tower whose output is decomposed; auto: the last but one, as the authors do'),
  textLayer: layer.default('auto').describe('the same for the text tower'),
  steps: z.number().int().positive().default(10).describe('points on the way from the reference to the input'),
  rule: z.enum(['midpoint', 'right']).default('midpoint').describe("where the points lie; right: the published code's"),
});
type Options = z.infer<typeof schema>;

/** exCLIP: interactions of patches with words from both towers' integrated Jacobians. */
export const exclip: MethodEntry<Options> = {
  name: 'exclip',
  title: 'exCLIP',
  family: 'interaction',
  serves: 'pair',
  modalities: ['image', 'text'],
  schema,
  cost: 'steps × tokens × 3 F of the blocks above the layer, in both towers',
  paper:
    'Möller, Tilli, Vu, Padó: Explaining caption-image interactions in CLIP models with second-order attributions, TMLR 2025, arXiv 2408.14153',
  unit: 'score',
  signed: true,
  sampled: false,
  layers: (model, options) => ({ image: lateLayer(options.layer, model.image), text: lateLayer(options.textLayer, model.text) }),
  async explain(run, options) {
    run.plan(2 * run.encoded.pairs.length);
    const references = { image: await referenceOf(run, run.image), text: await referenceOf(run, run.text) };
    return explainJoint(run, async p => {
      const picture = await decompose(run, run.image, p, references.image, options);
      run.advance();
      const words = await decompose(run, run.text, p, references.text, options);
      run.advance();
      const scale = 1 / (length(picture.features) * length(words.features));
      const width = picture.features.length;
      const all = products(picture.shares, words.shares, width).map(v => v * scale);
      const [n, k] = [run.image.tokens, words.shares.length / width];
      const ends = (u: Float32Array, w: Float32Array): number => products(u, w, width)[0] * scale;
      const wanted =
        ends(picture.features, words.features) -
        ends(picture.reference, words.features) -
        ends(picture.features, words.reference) +
        ends(picture.reference, words.reference);
      const convergenceDelta = all.reduce((a, b) => a + b, 0) - wanted;
      const [patches, tokens] = [run.image.players[p], run.text.players[p]];
      const values = Float32Array.from({ length: patches.length * tokens.length }, (_, at) => {
        return all[patches[Math.floor(at / tokens.length)] * k + tokens[at % tokens.length]];
      });
      const sums = (count: number, players: readonly number[], of: (i: number) => number): Float32Array => {
        const out = new Float32Array(count);
        for (const i of players) out[i] = of(i);
        return out;
      };
      return {
        image: { tokens: sums(n, patches, i => tokens.reduce((s, t) => s + all[i * k + t], 0)), convergenceDelta },
        text: { tokens: sums(k, tokens, t => patches.reduce((s, i) => s + all[i * k + t], 0)), convergenceDelta },
        interactions: { values, patches: patches.length, tokens },
      };
    });
  },
};

const lateLayer = (asked: number | 'auto', tower: Tower): number => resolveLayer(asked === 'auto' ? tower.layers - 2 : asked, tower);

const length = (v: Float32Array): number => Math.sqrt(products(v, v, v.length)[0]);

/** The mean-coloured picture, or the caption's words made padding, at the layer. */
const referenceOf = async (run: MethodRun, job: TowerJob): Promise<Reference> =>
  run.model.runTower(job.tower, await baselineInputs(run.model, job, 'mean'), job.layer);

/** Hidden states [P, N, D] and features [P, E] of the references. */
interface Reference {
  readonly hidden: FloatTensor;
  readonly features: FloatTensor;
}

/** One tower's side of a pair. */
interface Side {
  /** Σ over the path of J·δ per token, [N, E]. */
  readonly shares: Float64Array;
  /** [E] of the input and of the reference, not normalised. */
  readonly features: Float32Array;
  readonly reference: Float32Array;
}

async function decompose(run: MethodRun, job: TowerJob, p: number, reference: Reference, options: Options): Promise<Side> {
  const points = Array.from({ length: options.steps }, (_, i) => (i + (options.rule === 'right' ? 1 : 0.5)) / options.steps);
  const shares = await tokenTangents(run, job, p, row(reference.hidden, p), points);
  return { shares, features: row(job.features, p), reference: row(reference.features, p) };
}
