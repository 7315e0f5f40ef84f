/**
 * @file The loss of a gate as a graph, and its gradient:
 *   L(α) = β · mean KL(α) − mean over noise samples of cos(f(z(α)), e),  summed over pairs, which do not touch each other.
 * The blocks above the gate are all that runs, and only the gradient for α is computed.
 */
import {
  add,
  type CompiledGraph,
  compile,
  constant,
  cosineSimilarity,
  type Dim,
  div,
  GraphCache,
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
import type { FloatTensor } from '../tensor/tensor.ts';
import { gateInformation, type NoiseStatistics, noisyGate, noisyGateAgain } from './gate.ts';
import type { GateProblem } from './gate-problem.ts';

/** The compiled step, with and without its gradient; kept by the caller so that many pairs share it. */
export interface GateGraph extends AsyncDisposable {
  readonly step: CompiledGraph;
  /** Forward only, for the official read-out: the gradient of its last step goes nowhere. Compiled at first use. */
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
    /** Every token has statistics of its own. */
    readonly ownStatistics?: boolean;
  },
): Promise<GateGraph> {
  const { tower, layer, inputs, hidden: given, options } = problem;
  // Steps with and without noise share one graph: the weights above the gate are read into a session once.
  const samples: Dim = options.quietSteps ? 'samples' : options.batchSize;
  const [, , width] = given.shape;
  // Image towers have a fixed number of tokens; a text's is named, so that one session serves all.
  const tokens = tower.modality === 'text' ? 'seq' : given.shape[1];
  const hidden = input('hidden', ['batch', tokens, width]);
  const alpha = input('alpha', ['batch', tokens, options.perToken ? 1 : width]);
  const noise = input('noise', [samples, tokens, width]);
  const weight = input('weight', ['batch', tokens, 1]);
  const shared = problem.ownStatistics ? tokens : 1;
  const statistics = problem.standardised
    ? { mean: input('mean', ['batch', shared, width]), deviation: input('deviation', ['batch', shared, width]) }
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
  const fit = mean(problem.score ? problem.score.of(features, samples) : cosines(features, samples, problem.target), 1);
  const costs = [
    gateInformation(gate, standardise(hidden, statistics)),
    ...places.map(p => gateInformation(gate, standardise(p.hidden, p.statistics))),
  ];
  const cost = costs.length === 1 ? costs[0] : mul(costs.reduce(add), 1 / costs.length);
  const compression = sum(mul(cost, weight), [1, 2]);
  const loss = sub(sum(compression), sum(mul(fit, input('fit_weight', ['batch']))));
  const [gradient] = grad(loss, [alpha]);
  const graphs = new GraphCache();
  const step = await graphs.keep('step', () => compile(problem.runtime, { fit, compression, gradient }));
  const release = (): Promise<void> => graphs.release();
  return {
    step,
    release,
    [Symbol.asyncDispose]: release,
    forward: () => graphs.keep('forward', () => compile(problem.runtime, { fit, compression })),
  };
}

/** Cosines to the target, [P·S, E] -> [P, S]. */
function cosines(features: Value, samples: Dim, goal: FloatTensor | undefined): Value {
  if (!goal) throw new TypeError('A gate needs a target or a score.');
  const width = goal.shape[1];
  const target = input('target', ['batch', width]);
  return cosineSimilarity(reshape(features, ['batch', samples, width]), unsqueeze(target, 1), 1e-6);
}

/** α of a λ averaged by S: log Sσ(α) − log Sσ(−α). Both sums are of positive numbers, so nothing cancels. [B, N, C], S [N, N] */
function smoothedAlpha(alpha: Value, smoothing: FloatTensor): Value {
  const average = (v: Value): Value => matmul(constant(smoothing), v);
  return sub(log(average(sigmoid(alpha))), log(average(sigmoid(neg(alpha)))));
}
