/**
 * @file Optimises one noisy gate per image–text pair (M2IB, arXiv 2312.17174, section 3; official algorithm as described in its code):
 *   minimise over α:  β · mean KL(α)  −  mean over noise samples of cos(f(z), e)
 * by Adam. The hidden state and the target are computed once by the caller; a step runs only the blocks above the gate, and only the
 * gradient for α is ever computed.
 */
import {
  add,
  type CompiledGraph,
  compile,
  constant,
  cosineSimilarity,
  div,
  grad,
  input,
  log,
  matmul,
  mean,
  mul,
  neg,
  reshape,
  sigmoid,
  sub,
  sum,
  unsqueeze,
  type Value,
} from '../graph/index.ts';
import type { Tower, TowerInputs } from '../models/dual-encoder.ts';
import { AdamW } from '../optim/adamw.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { RandomStream } from '../tensor/random.ts';
import { asFloats, type FloatTensor, floats } from '../tensor/tensor.ts';
import { gateInformation, gateNats, type NoiseStatistics, noisyGate, noisyGateAgain } from './gate.ts';
import type { ChannelStatistics } from './statistics.ts';

/** α stays inside: σ(12) leaves 6e-6 of noise, and no float32 overflow is near. */
const ALPHA_LIMIT = 12;

/** Settings of the optimisation. */
export interface GateOptions {
  readonly beta: number;
  readonly steps: number;
  readonly learningRate: number;
  /** Noise samples per step. */
  readonly batchSize: number;
  /** Every second sample is the negative of the one before. */
  readonly antithetic: boolean;
  /** One gate per token instead of one per element. */
  readonly perToken: boolean;
  readonly alphaStart: number;
  /** Read the cost of the last forward pass (before the last update) and never clip α, as the official code does. */
  readonly official: boolean;
}

/** What the gate needs of a tower. */
export type GateTower = Pick<Tower, 'modality' | 'suffix' | 'suffixFeeds'>;

/** A scalar that the gate must keep. */
export interface GateScore {
  /** Features [P·S, E] to scores [P, S]; declares the inputs that `feeds` gives. */
  of(features: Value): Value;
  readonly feeds: Readonly<Record<string, FloatTensor>>;
}

/** A further place where the same gate stands, above the first: CoIBA's shared gate. */
export interface UpperGate {
  readonly layer: number;
  /** The undisturbed output of that block, [P, N, D]. */
  readonly hidden: FloatTensor;
  readonly statistics?: readonly ChannelStatistics[];
}

/** Weights of the two terms that may change from step to step: AdaIB's. */
export interface GateWeights {
  /** Weight of the fit of pair p. */
  fit(p: number): number;
  /** Takes the place of beta for pair p, at this step. */
  compression(p: number): number;
  /** Told of the mean KL per pair at this step's forward pass. */
  update(kl: readonly number[]): void;
}

/** P pairs that share a tower, a layer and a token count. */
export interface GateProblem {
  readonly runtime: Runtime;
  readonly tower: GateTower;
  /** The gate stands on the output of this block (0-based). */
  readonly layer: number;
  /** Output of that block, [P, N, D]. */
  readonly hidden: FloatTensor;
  /** Tower inputs, of which the suffix may need some (masks, pool positions). */
  readonly inputs: TowerInputs;
  /** The other modality's embedding, [P, E], any length: the fit is the cosine to it. */
  readonly target?: FloatTensor;
  /** A fit other than that cosine. */
  readonly score?: GateScore;
  /** Tokens of each pair that are no padding; all N by default. */
  readonly lengths?: readonly number[];
  /** Per pair; none: noise N(0, 1), as the official code has it. */
  readonly statistics?: readonly ChannelStatistics[];
  readonly options: GateOptions;
  /** Row-stochastic [N, N]: λ is averaged over neighbouring tokens by it (IBA smooths with a Gaussian). */
  readonly smoothing?: FloatTensor;
  /** The same λ stands at these blocks too; the cost is the mean over all places. */
  readonly upper?: readonly UpperGate[];
  readonly weights?: GateWeights;
  /** Largest norm of a pair's gradient; larger ones are scaled down. None by default. */
  readonly maxGradientNorm?: number;
  readonly seed: number;
  /** Standard normal noise [S, N, D] of a step; drawn from the seed by default. */
  readonly noise?: (step: number) => FloatTensor;
  readonly signal?: AbortSignal;
  readonly onStep?: (step: number) => void;
  /** Keep α before the first and after every step. */
  readonly trace?: boolean;
}

/** Result per pair. */
export interface GateResult {
  /** Nats per element, [N, D] (padding included, as zeros). */
  readonly information: Float32Array;
  /** Nats per token, [N]. */
  readonly tokens: Float32Array;
  readonly alpha: Float32Array;
  /** Mean cosine, and β · mean KL, at each step's forward pass. */
  readonly fit: number[];
  readonly compression: number[];
  readonly alphas?: Float32Array[];
}

/** The compiled step, with and without its gradient; kept by the caller so that many pairs share it. */
export interface GateGraph extends AsyncDisposable {
  readonly step: CompiledGraph;
  /** Forward alone, for the official read-out: the gradient of its last step goes nowhere. Compiled at first use. */
  forward(): Promise<CompiledGraph>;
  release(): Promise<void>;
}

/** Compiles the step for any number of pairs, noise samples and tokens of a tower and layer. */
export async function compileGate(
  problem: Pick<
    GateProblem,
    'runtime' | 'tower' | 'layer' | 'inputs' | 'hidden' | 'target' | 'score' | 'options' | 'smoothing' | 'upper'
  > & {
    readonly standardised: boolean;
  },
): Promise<GateGraph> {
  const { tower, layer, inputs, hidden: given, options } = problem;
  const samples = options.batchSize;
  const [, , width] = given.shape;
  // Image towers have a fixed number of tokens; a text's is named, so that one session serves all.
  const tokens = tower.modality === 'text' ? 'seq' : given.shape[1];
  const hidden = input('hidden', ['batch', tokens, width]);
  const alpha = input('alpha', ['batch', tokens, options.perToken ? 1 : width]);
  const noise = input('noise', [samples, tokens, width]);
  const weight = input('weight', ['batch', tokens, 1]);
  const statistics = problem.standardised
    ? { mean: input('mean', ['batch', 1, width]), deviation: input('deviation', ['batch', 1, width]) }
    : undefined;
  const standardise = (h: Value, s?: NoiseStatistics): Value => (s ? div(sub(h, s.mean), s.deviation) : h);
  const gate = problem.smoothing ? smoothedAlpha(alpha, problem.smoothing) : alpha;
  const places = (problem.upper ?? []).map((upper, i) => ({
    layer: upper.layer,
    hidden: input(`hidden.${i}`, ['batch', tokens, width]),
    noise: input(`noise.${i}`, [samples, tokens, width]),
    statistics: upper.statistics && {
      mean: input(`mean.${i}`, ['batch', 1, width]),
      deviation: input(`deviation.${i}`, ['batch', 1, width]),
    },
  }));
  const tap = (at: number, value: Value): Value => {
    const place = places.find(p => p.layer === at);
    return place ? noisyGateAgain(value, gate, place.noise, place.statistics) : value;
  };
  const z = noisyGate(hidden, gate, noise, statistics);
  const features = tower.suffix(layer, z, samples, inputs, places.length ? { tap } : undefined);
  const fit = mean(problem.score ? problem.score.of(features) : cosines(features, samples, problem.target), 1);
  const costs = [
    gateInformation(gate, standardise(hidden, statistics)),
    ...places.map(p => gateInformation(gate, standardise(p.hidden, p.statistics))),
  ];
  const cost = costs.length === 1 ? costs[0] : mul(costs.reduce(add), 1 / costs.length);
  const compression = sum(mul(cost, weight), [1, 2]);
  const loss = sub(sum(compression), sum(mul(fit, input('fit_weight', ['batch']))));
  const [gradient] = grad(loss, [alpha]);
  const step = await compile(problem.runtime, { fit, compression, gradient });
  let forward: Promise<CompiledGraph> | undefined;
  const release = async (): Promise<void> => {
    await step.release();
    await (await forward)?.release();
  };
  return {
    step,
    release,
    [Symbol.asyncDispose]: release,
    forward() {
      forward ??= compile(problem.runtime, { fit, compression });
      return forward;
    },
  };
}

/** Cosines to the target, [P·S, E] -> [P, S]. */
function cosines(features: Value, samples: number, goal: FloatTensor | undefined): Value {
  if (!goal) throw new TypeError('A gate needs a target or a score.');
  const width = goal.shape[1];
  const target = input('target', ['batch', width]);
  return cosineSimilarity(reshape(features, ['batch', samples, width]), unsqueeze(target, 1), 1e-6);
}

/** Runs the optimisation. @param graph from `compileGate` for the same options @throws the signal's reason when aborted */
export async function optimiseGate(problem: GateProblem, graph: GateGraph): Promise<GateResult[]> {
  const { hidden, options, signal } = problem;
  const [pairs, count, width] = hidden.shape;
  const lengths = problem.lengths ?? Array(pairs).fill(count);
  const channels = options.perToken ? 1 : width;
  const alpha = floats([pairs, count, channels], new Float32Array(pairs * count * channels).fill(options.alphaStart));
  const weight = new Float32Array(pairs * count);
  const beta = (p: number): number => problem.weights?.compression(p) ?? options.beta;
  const weigh = (): void => {
    for (let p = 0; p < pairs; p++) weight.fill(beta(p) / (lengths[p] * width), p * count, p * count + lengths[p]);
  };
  weigh();
  const stack = (pick: (s: ChannelStatistics) => Float32Array, of = problem.statistics): FloatTensor => {
    const out = new Float32Array(pairs * width);
    of?.forEach((s, p) => {
      out.set(pick(s), p * width);
    });
    return floats([pairs, 1, width], out);
  };
  const upper = (problem.upper ?? []).map((place, i) => ({
    [`hidden.${i}`]: place.hidden,
    ...(place.statistics
      ? { [`mean.${i}`]: stack(s => s.mean, place.statistics), [`deviation.${i}`]: stack(s => s.deviation, place.statistics) }
      : {}),
  }));
  const fixed = {
    ...problem.tower.suffixFeeds(problem.inputs),
    hidden,
    ...(problem.score ? problem.score.feeds : { target: problem.target! }),
    weight: floats([pairs, count, 1], weight),
    mean: stack(s => s.mean),
    deviation: stack(s => s.deviation),
    fit_weight: floats(
      [pairs],
      Float32Array.from({ length: pairs }, (_, p) => problem.weights?.fit(p) ?? 1),
    ),
    ...Object.assign({}, ...upper),
  };
  const draw = problem.noise ?? noiseSource(problem.seed, `m2ib.${problem.tower.modality}`, options, count, width);
  const drawUpper = (problem.upper ?? []).map((place, i) => {
    const source = noiseSource(problem.seed, `gate.${problem.tower.modality}.${place.layer}`, options, count, width);
    return (step: number) => ({ [`noise.${i}`]: source(step) });
  });
  const adam = new AdamW([{ name: 'alpha', shape: alpha.shape, data: alpha.data }], { weightDecay: 0, epsilon: 1e-8 });
  const results = Array.from({ length: pairs }, () => ({ fit: [] as number[], compression: [] as number[], alphas: [] as Float32Array[] }));
  const part = (p: number): Float32Array => alpha.data.slice(p * count * channels, (p + 1) * count * channels);
  let read = alpha.data;
  for (let step = 0; step < options.steps; step++) {
    signal?.throwIfAborted();
    if (problem.trace) for (const [p, r] of results.entries()) r.alphas.push(part(p));
    const idle = options.official && !problem.trace && step === options.steps - 1;
    const out = await (idle ? await graph.forward() : graph.step).run({
      ...fixed,
      alpha,
      noise: draw(step),
      ...Object.assign({}, ...drawUpper.map(d => d(step))),
    });
    for (let p = 0; p < pairs; p++) {
      results[p].fit.push(Number(out.fit.data[p]));
      results[p].compression.push(Number(out.compression.data[p]));
    }
    if (options.official) read = alpha.data.slice();
    if (problem.weights) {
      problem.weights.update(results.map((r, p) => r.compression[step] / beta(p)));
      weigh();
    }
    if (!idle) {
      const gradient = asFloats(out.gradient);
      if (problem.maxGradientNorm !== undefined) clipRows(gradient, pairs, problem.maxGradientNorm);
      adam.step(new Map([['alpha', gradient]]), options.learningRate);
    }
    if (!options.official)
      for (let i = 0; i < alpha.data.length; i++) alpha.data[i] = Math.max(-ALPHA_LIMIT, Math.min(ALPHA_LIMIT, alpha.data[i]));
    problem.onStep?.(step + 1);
  }
  if (problem.trace) for (const [p, r] of results.entries()) r.alphas.push(part(p));
  return results.map((r, p) => {
    const { information, tokens } = readOut(problem, read, p, lengths[p]);
    return { information, tokens, alpha: part(p), fit: r.fit, compression: r.compression, alphas: problem.trace ? r.alphas : undefined };
  });
}

/** Scales each pair's gradient down to a norm. */
function clipRows(gradient: Float32Array, pairs: number, most: number): void {
  const size = gradient.length / pairs;
  for (let p = 0; p < pairs; p++) {
    const own = gradient.subarray(p * size, (p + 1) * size);
    const norm = Math.sqrt(own.reduce((sum, g) => sum + g * g, 0));
    if (norm > most) for (let i = 0; i < size; i++) own[i] *= most / norm;
  }
}

/** α of a λ averaged by S: log Sσ(α) − log Sσ(−α). Both sums are of positive numbers, so nothing cancels. [B, N, C], S [N, N] */
function smoothedAlpha(alpha: Value, smoothing: FloatTensor): Value {
  const average = (v: Value): Value => matmul(constant(smoothing), v);
  return sub(log(average(sigmoid(alpha))), log(average(sigmoid(neg(alpha)))));
}

/** The same on the host, for one pair: [N, C]. */
function smoothedOnHost(alpha: Float32Array, smoothing: FloatTensor): Float32Array {
  const count = smoothing.shape[0];
  const channels = alpha.length / count;
  return Float32Array.from(alpha, (_, i) => {
    const [n, c] = [Math.floor(i / channels), i % channels];
    let [keep, drop] = [0, 0];
    for (let m = 0; m < count; m++) {
      const weight = smoothing.data[n * count + m];
      if (weight === 0) continue;
      const a = alpha[m * channels + c];
      keep += weight / (1 + Math.exp(-a));
      drop += weight / (1 + Math.exp(a));
    }
    return Math.log(keep) - Math.log(drop);
  });
}

/** Cost of pair p in nats, from α and the hidden state; over several places, their mean. */
function readOut(
  problem: GateProblem,
  alpha: Float32Array,
  p: number,
  length: number,
): { information: Float32Array; tokens: Float32Array } {
  const [, count, width] = problem.hidden.shape;
  const channels = problem.options.perToken ? 1 : width;
  const own = alpha.subarray(p * count * channels, (p + 1) * count * channels);
  const gate = problem.smoothing ? smoothedOnHost(own, problem.smoothing) : own;
  const places = [{ hidden: problem.hidden, statistics: problem.statistics }, ...(problem.upper ?? [])];
  const information = new Float32Array(count * width);
  const tokens = new Float32Array(count);
  for (let n = 0; n < length; n++) {
    let total = 0;
    for (let d = 0; d < width; d++) {
      let nats = 0;
      for (const place of places) {
        const stats = place.statistics?.[p];
        const h = place.hidden.data[(p * count + n) * width + d];
        nats += gateNats(gate[n * channels + (channels === 1 ? 0 : d)], stats ? (h - stats.mean[d]) / stats.deviation[d] : h);
      }
      information[n * width + d] = nats / places.length;
      total += nats / places.length;
    }
    tokens[n] = total;
  }
  return { information, tokens };
}

/** Noise [S, N, D] of a step: sample s comes from (seed, stream, step, s) alone, so it is the same in any batch. */
function noiseSource(seed: number, stream: string, options: GateOptions, count: number, width: number): (step: number) => FloatTensor {
  const random = new RandomStream(seed, stream);
  const size = count * width;
  const buffer = new Float32Array(options.batchSize * size);
  return step => {
    for (let s = 0; s < options.batchSize; s++) {
      const own = buffer.subarray(s * size, (s + 1) * size);
      if (!options.antithetic || s % 2 === 0) random.normals(step, s, own);
      else {
        const twin = buffer.subarray((s - 1) * size, s * size);
        for (let i = 0; i < size; i++) own[i] = -twin[i];
      }
    }
    return floats([options.batchSize, count, width], buffer);
  };
}
