/** @file A CLUB estimator: its weights, fresh or given, and mutual information by it in double precision. */
import { compile } from '../../graph/index.ts';
import { input } from '../../graph/ops/constants.ts';
import { Parameters } from '../../nn/parameters.ts';
import type { Parameter } from '../../optim/adamw.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import { RandomStream } from '../../tensor/random.ts';
import { mean } from '../../tensor/statistics/descriptive.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Rows } from '../distances/rows.ts';
import { type ClubSizes, clubHeads, clubTerms, clubTermsByPairs } from './club.ts';
import { matrix, rowsOf } from './vectors.ts';

/** Weights of an estimator; training changes `data` in place. */
export interface ClubEstimator {
  readonly sizes: ClubSizes;
  readonly parameters: readonly Parameter[];
}

/** Which form of the bound: in linear time (default), or the published one over all pairs; they are equal up to rounding. */
export type ClubForm = 'closed' | 'pairs';

/** Names and shapes of an estimator's tensors. */
export function clubShapes({ input, output, units }: ClubSizes): [name: string, shape: readonly number[]][] {
  return ['p_mu', 'p_logvar'].flatMap((head): [string, number[]][] => [
    [`${head}.0.weight`, [units, input]],
    [`${head}.0.bias`, [units]],
    [`${head}.2.weight`, [output, units]],
    [`${head}.2.bias`, [output]],
  ]);
}

/** New weights, uniform within ±1/√(inputs of the layer), as `torch.nn.Linear` starts. */
export function freshClub(sizes: ClubSizes, seed = 0): ClubEstimator {
  const { input: width, units } = sizes;
  const parameters = clubShapes(sizes).map(([name, shape]) => {
    const bound = 1 / Math.sqrt(name.includes('.0.') ? width : units);
    const words = new RandomStream(seed, `init.club.${name}`).words(0, 0, new Uint32Array(shape.reduce((a, b) => a * b, 1)));
    return { name, shape, data: Float32Array.from(words, w => ((w + 0.5) * 2 ** -31 - 1) * bound) };
  });
  return { sizes, parameters };
}

/**
 * An estimator from named tensors in float32. @param source for sentences
 * @throws NarrowsError for a tensor that is missing or of a shape that does not fit the others
 */
export function clubFromTensors(tensors: ReadonlyMap<string, Tensor>, source: string): ClubEstimator {
  const of = (name: string): Tensor => {
    const tensor = tensors.get(name);
    if (!tensor)
      throw new NarrowsError(`${source} has no tensor "${name}"; a CLUB estimator has p_mu.0, p_mu.2, p_logvar.0 and p_logvar.2.`);
    return tensor;
  };
  const [units = 0, width = 0] = of('p_mu.0.weight').shape;
  const [output = 0] = of('p_mu.2.weight').shape;
  const sizes = { input: width, output, units };
  const parameters = clubShapes(sizes).map(([name, shape]) => {
    const { shape: actual, data } = of(name);
    if (actual.join() !== shape.join())
      throw new NarrowsError(
        `The tensor "${name}" of ${source} has shape [${actual.join(', ')}], but the others ask for [${shape.join(', ')}].`,
      );
    return { name, shape, data: Float32Array.from(data as Float32Array) };
  });
  return { sizes, parameters };
}

/** A parameter scope of graph inputs of one type. */
export const clubInputs = (dtype: 'float32' | 'float64'): Parameters => new Parameters((name, shape) => input(name, shape, dtype));

/** What the estimator says of y for each row of z. */
export interface ClubPrediction {
  readonly mu: Rows;
  readonly logvar: Rows;
}

/** μ and logvar of rows of z, in double precision. @throws NarrowsError for another width of z than the estimator's */
export async function clubPredict(runtime: Runtime, { sizes, parameters }: ClubEstimator, z: Rows): Promise<ClubPrediction> {
  if (z[0]?.length !== sizes.input)
    throw new NarrowsError(
      `The estimator takes embeddings of width ${sizes.input}, not ${z[0]?.length ?? 0}; train one on these embeddings.`,
    );
  const heads = clubHeads(clubInputs('float64'), input('z', ['n', sizes.input], 'float64'), sizes);
  await using graph = await compile(runtime, { ...heads });
  const feeds: Record<string, Tensor> = { z: matrix(z, 'z') };
  for (const { name, shape, data } of parameters) feeds[name] = { dtype: 'float64', shape, data: Float64Array.from(data) };
  const { mu, logvar } = await graph.run(feeds);
  return { mu: rowsOf(mu), logvar: rowsOf(logvar) };
}

/**
 * What each item adds to the mutual information of z and y, nats, in double precision; their mean is the value.
 * @throws NarrowsError for y of another number of rows or another width than the predictions
 */
export async function clubInformation(
  runtime: Runtime,
  prediction: ClubPrediction,
  y: Rows,
  form: ClubForm = 'closed',
): Promise<Float64Array> {
  const [n, width] = [prediction.mu.length, prediction.mu[0]?.length ?? 0];
  if (y.length !== n || y[0]?.length !== width)
    throw new NarrowsError(`There are predictions for ${n} rows of width ${width}, but y has ${y.length} of width ${y[0]?.length ?? 0}.`);
  const value = (name: string) => input(name, ['n', width], 'float64');
  const heads = { mu: value('mu'), logvar: value('logvar') };
  await using graph = await compile(runtime, { terms: (form === 'closed' ? clubTerms : clubTermsByPairs)(heads, value('y')) });
  const feeds = { mu: matrix(prediction.mu, 'mu'), logvar: matrix(prediction.logvar, 'logvar'), y: matrix(y, 'y') };
  return (await graph.run(feeds)).terms.data as Float64Array;
}

/** Mutual information of z and y in nats by an estimator: the mean of `clubInformation` of `clubPredict`; throws as they do. */
export async function mutualInformation(runtime: Runtime, estimator: ClubEstimator, z: Rows, y: Rows, form?: ClubForm): Promise<number> {
  return mean(await clubInformation(runtime, await clubPredict(runtime, estimator, z), y, form));
}
