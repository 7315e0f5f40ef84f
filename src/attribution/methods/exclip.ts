/**
 * @file Second-order gradient decomposition (exCLIP: Möller, Tilli, Vu, Padó, TMLR 2025): both towers' integrated Jacobians between an input
 * and a reference, at the input of a late block, multiplied: A[patch, token] = (J_I δ_patch)·(J_T δ_token) / (|u||w|).
 */
import { z } from 'zod';
import { compile, grad, input, mul, sum } from '../../graph/index.ts';
import type { Tower } from '../../models/dual-encoder.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { resolveLayer } from '../layer.ts';
import { rowsThatFit } from '../memory.ts';
import type { MethodEntry, MethodRun, TokenMap, TowerJob } from '../method.ts';
import { products } from '../perturbation/estimators/interaction-errors.ts';
import { repeatFeeds } from '../perturbation/token-state.ts';
import { baselineInputs } from '../primitives/baselines.ts';
import { chunks, inputRows, row } from '../rows.ts';

const layer = z.union([z.literal('auto'), z.number().int()]);
const schema = z.strictObject({
  layer: layer.default('auto').describe('block of the image tower whose output is decomposed; auto: the last but one, as the authors do'),
  textLayer: layer.default('auto').describe('the same for the text tower'),
  steps: z.number().int().positive().default(10).describe('points on the way from the reference to the input'),
  rule: z.enum(['midpoint', 'right']).default('midpoint').describe("where the points stand; right: the published code's"),
});
type Options = z.infer<typeof schema>;

/** The registry's entry. */
export const exclip: MethodEntry<Options> = {
  name: 'exclip',
  title: 'exCLIP',
  family: 'interaction',
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
    const pairs = run.encoded.pairs.map((_, p) => p);
    run.plan(2 * pairs.length);
    const started = performance.now();
    const image: TokenMap[] = [];
    const text: TokenMap[] = [];
    const interactions = [];
    const references = { image: await referenceOf(run, run.image), text: await referenceOf(run, run.text) };
    for (const p of pairs) {
      const own = await decompose(run, run.image, p, references.image, options);
      run.advance();
      const words = await decompose(run, run.text, p, references.text, options);
      run.advance();
      const scale = 1 / (length(own.features) * length(words.features));
      const width = own.features.length;
      const all = products(own.shares, words.shares, width).map(v => v * scale);
      const [n, k] = [run.image.tokens, words.shares.length / width];
      const ends = (u: Float32Array, w: Float32Array): number => products(u, w, width)[0] * scale;
      const wanted =
        ends(own.features, words.features) -
        ends(own.reference, words.features) -
        ends(own.features, words.reference) +
        ends(own.reference, words.reference);
      const convergenceDelta = all.reduce((a, b) => a + b, 0) - wanted;
      const [patches, tokens] = [run.image.players[p], run.text.players[p]];
      const values = Float32Array.from({ length: patches.length * tokens.length }, (_, at) => {
        return all[patches[Math.floor(at / tokens.length)] * k + tokens[at % tokens.length]];
      });
      const sums = (count: number, own: readonly number[], of: (i: number) => number): Float32Array => {
        const out = new Float32Array(count);
        for (const i of own) out[i] = of(i);
        return out;
      };
      image.push({ tokens: sums(n, patches, i => tokens.reduce((s, t) => s + all[i * k + t], 0)), convergenceDelta });
      text.push({ tokens: sums(run.text.tokens, tokens, t => patches.reduce((s, i) => s + all[i * k + t], 0)), convergenceDelta });
      interactions.push({ values, patches: patches.length, tokens });
    }
    run.timings.explain = (run.timings.explain ?? 0) + (performance.now() - started) / 1000;
    return {
      ...(run.wanted.includes('image') ? { image } : {}),
      ...(run.wanted.includes('text') ? { text } : {}),
      interactions,
    };
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

/**
 * J·δ for every token: one tangent per token costs less than one gradient per feature. The tangent is the gradient of a gradient: g(v) =
 * Jᵀv is linear in v, so d⟨g(v), δ⟩/dv = J·δ whatever v is.
 */
async function decompose(run: MethodRun, job: TowerJob, p: number, reference: Reference, options: Options): Promise<Side> {
  const { tower, modality, layer } = job;
  const { model } = run;
  const [, tokens, width] = job.hidden.shape;
  const from = row(reference.hidden, p);
  const to = row(job.hidden, p);
  const inputs = inputRows(job.inputs, [p, p + 1]);
  const key = `exclip:${modality}:${layer}:${modality === 'image' ? tokens : ''}:${Object.keys(inputs).join()}`;
  const graph = await run.keep(key, () => {
    const named = modality === 'image' ? tokens : 'seq';
    const hidden = input('hidden', ['batch', named, width]);
    const cotangent = input('cotangent', ['batch', tower.features]);
    const features = tower.suffix(layer, hidden, 1, inputs);
    const [pulled] = grad(sum(mul(features, cotangent)), [hidden]);
    const [tangent] = grad(sum(mul(pulled, input('direction', ['batch', named, width]))), [cotangent]);
    return compile(model.runtime, { tangent });
  });
  // A batch's padding is read by nobody.
  const padding = inputs.attention_mask?.data as Int32Array | undefined;
  const jobs = Array.from({ length: options.steps * tokens }, (_, i) => ({ step: Math.floor(i / tokens), token: i % tokens })).filter(
    ({ token }) => padding?.[token] !== 0,
  );
  const shares = new Float64Array(tokens * tower.features);
  const blocks = tower.layers - 1 - layer;
  for (const [start, end] of chunks(jobs.length, Math.min(128, rowsThatFit(run.maxMemory, tower, tokens, blocks, true)))) {
    const part = jobs.slice(start, end);
    const size = tokens * width;
    const hidden = new Float32Array(part.length * size);
    const direction = new Float32Array(part.length * size);
    part.forEach(({ step, token }, i) => {
      const t = (step + (options.rule === 'right' ? 1 : 0.5)) / options.steps;
      for (let at = 0; at < size; at++) hidden[i * size + at] = from[at] + t * (to[at] - from[at]);
      for (let d = token * width; d < (token + 1) * width; d++) direction[i * size + d] = to[d] - from[d];
    });
    const shape = [part.length, tokens, width];
    const out = await graph.run({
      ...repeatFeeds(tower.suffixFeeds(inputs), part.length),
      hidden: floats(shape, hidden),
      direction: floats(shape, direction),
      cotangent: floats([part.length, tower.features], new Float32Array(part.length * tower.features)),
    });
    part.forEach(({ token }, i) => {
      for (let e = 0; e < tower.features; e++)
        shares[token * tower.features + e] += (out.tangent.data as Float32Array)[i * tower.features + e] / options.steps;
    });
    run.passes(modality, part.length, blocks, blocks);
    run.signal?.throwIfAborted();
  }
  return { shares, features: row(job.features, p), reference: row(reference.features, p) };
}
