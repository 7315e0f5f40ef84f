/** @file A gate on models whose answers are known: features are a linear map of what some tokens and channels let through. */
import { constant, matmul, mul, sum } from '../../graph/index.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { RandomStream } from '../../tensor/random.ts';
import { type FloatTensor, floats } from '../../tensor/tensor.ts';
import { compileGate } from '../gate-graph.ts';
import type { GateOptions, GateProblem, GateResult, GateTower } from '../gate-problem.ts';
import { optimiseGate } from '../optimise-gate.ts';

/** One thread: the toys are small. */
export const runtime = nodeRuntime({ threads: 1 });
/** Tokens of the toys. */
export const TOKENS = 5;
/** Channels of the toys. */
export const WIDTH = 6;
/** Width of their features. */
export const EMBEDDING = 3;

/** Fixed normal numbers of a name. */
export const normals = (name: string, shape: number[]): FloatTensor =>
  floats(shape, new RandomStream(9, name).normals(0, 0, new Float32Array(shape.reduce((a, b) => a * b, 1))));

/** A model whose answer is known: features are a linear map of what `share` of each token and channel lets through. */
export function linearTower(share: (token: number, channel: number) => number): GateTower {
  const shares = Float32Array.from({ length: TOKENS * WIDTH }, (_, i) => share(Math.floor(i / WIDTH), i % WIDTH));
  return {
    modality: 'image',
    suffix: (_, hidden) =>
      matmul(sum(mul(hidden, constant(floats([TOKENS, WIDTH], shares))), 1), constant(normals('toy.map', [WIDTH, EMBEDDING]))),
    suffixFeeds: () => ({}),
  };
}

/** Features of undisturbed states, the target that a gate must keep reaching. */
export function featuresOf(hidden: FloatTensor, share: (token: number, channel: number) => number): FloatTensor {
  const map = normals('toy.map', [WIDTH, EMBEDDING]).data;
  const out = new Float32Array(hidden.shape[0] * EMBEDDING);
  for (let i = 0; i < hidden.data.length; i++) {
    const [p, n, d] = [Math.floor(i / (TOKENS * WIDTH)), Math.floor(i / WIDTH) % TOKENS, i % WIDTH];
    for (let e = 0; e < EMBEDDING; e++) out[p * EMBEDDING + e] += hidden.data[i] * share(n, d) * map[d * EMBEDDING + e];
  }
  return floats([hidden.shape[0], EMBEDDING], out);
}

/** Options of the toys. */
export const OPTIONS: GateOptions = {
  beta: 0.1,
  steps: 10,
  learningRate: 1,
  batchSize: 4,
  antithetic: true,
  perToken: false,
  alphaStart: 5,
  official: false,
};

/** What a toy may have otherwise. */
export type Settings = Partial<Omit<GateProblem, 'options'>> & {
  options?: Partial<GateOptions>;
  share?: (token: number, channel: number) => number;
};

/** Only token 2 matters, unless another is given. */
const onlyTokenTwo = (token: number): number => (token === 2 ? 1 : 0);

/** A problem with a linear tower that reads one token. */
export function toy({ options, share = onlyTokenTwo, ...settings }: Settings = {}): GateProblem {
  const hidden = settings.hidden ?? normals('toy.hidden', [1, TOKENS, WIDTH]);
  const target = featuresOf(hidden, share);
  const fixed = { runtime, tower: linearTower(share), layer: 0, inputs: {}, seed: 1 };
  return { ...fixed, hidden, target, ...settings, options: { ...OPTIONS, ...options } };
}

/** Its gates. */
export async function solve(problem: GateProblem): Promise<GateResult[]> {
  await using graph = await compileGate({ ...problem, standardised: problem.statistics !== undefined });
  return await optimiseGate(problem, graph);
}
