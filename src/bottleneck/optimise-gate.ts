/**
 * @file Optimises one noisy gate per image–text pair (M2IB, arXiv 2312.17174, section 3; official algorithm as described in its code):
 *   minimise over α:  β · mean KL(α)  −  mean over noise samples of cos(f(z), e)
 * by Adam. The hidden state and the target are computed once by the caller; gate-graph.ts is the loss, gate-inputs.ts what it is fed,
 * gate-read-out.ts the map.
 */
import { AdamW } from '../optim/adamw.ts';
import { scheduleFactor } from '../optim/schedule.ts';
import { asFloats, floats } from '../tensor/tensor.ts';
import type { GateGraph } from './gate-graph.ts';
import { gateInputs } from './gate-inputs.ts';
import type { GateProblem, GateResult } from './gate-problem.ts';
import { readGate } from './gate-read-out.ts';

/** α stays inside: σ(12) leaves 6e-6 of noise, and no float32 overflow is near. */
const ALPHA_LIMIT = 12;

/** Runs the optimisation. @param graph from `compileGate` for the same options @throws the signal's reason when aborted */
export async function optimiseGate(problem: GateProblem, graph: GateGraph): Promise<GateResult[]> {
  const { options, signal, trace, weights, maxGradientNorm } = problem;
  const { learningRateSchedule: schedule = 'constant' } = options;
  const [pairs, tokens, width] = problem.hidden.shape;
  const shape = [pairs, tokens, options.perToken ? 1 : width];
  const alpha = floats(shape, new Float32Array(shape.reduce((a, b) => a * b)).fill(options.alphaStart));
  const adam = new AdamW([{ name: 'alpha', shape, data: alpha.data }], { weightDecay: 0, epsilon: 1e-8 });
  const inputs = gateInputs(problem);
  const results = Array.from({ length: pairs }, () => ({ fit: [] as number[], compression: [] as number[] }));
  const alphas = trace ? [alpha.data.slice()] : [];
  let read = alpha.data;
  for (let step = 0; step < options.steps; step++) {
    signal?.throwIfAborted();
    // The official map is that of the last forward pass: the gradient behind it goes nowhere.
    const idle = options.official && !trace && step === options.steps - 1;
    const { fit, compression, gradient } = await (idle ? await graph.forward() : graph.step).run({ ...inputs.at(step), alpha });
    results.forEach((r, p) => {
      r.fit.push(Number(fit.data[p]));
      r.compression.push(Number(compression.data[p]));
    });
    if (options.official) read = alpha.data.slice();
    if (weights) {
      weights.update(results.map((r, p) => r.compression[step] / inputs.beta(p)));
      inputs.reweigh();
    }
    if (!idle) {
      const slope = asFloats(gradient);
      if (maxGradientNorm !== undefined) clipRows(slope, pairs, maxGradientNorm);
      adam.step(new Map([['alpha', slope]]), options.learningRate * scheduleFactor(schedule, step, options.steps, 0));
    }
    if (!options.official) clamp(alpha.data, ALPHA_LIMIT);
    if (trace) alphas.push(alpha.data.slice());
    problem.onStep?.(step + 1);
    problem.onFrame?.({
      step: step + 1,
      fit: results.map(r => r.fit[step]),
      compression: results.map(r => r.compression[step]),
      map: p => readGate(problem, read, p),
    });
  }
  const ofPair = (all: Float32Array, p: number): Float32Array => all.slice((p * all.length) / pairs, ((p + 1) * all.length) / pairs);
  return results.map((losses, p) => ({
    ...readGate(problem, read, p),
    ...losses,
    alpha: ofPair(alpha.data, p),
    ...(trace ? { alphas: alphas.map(a => ofPair(a, p)) } : {}),
  }));
}

/** Keeps values within ±limit. */
function clamp(values: Float32Array, limit: number): void {
  for (let i = 0; i < values.length; i++) values[i] = Math.max(-limit, Math.min(limit, values[i]));
}

/** Scales each pair's gradient down to a norm. */
function clipRows(gradient: Float32Array, pairs: number, most: number): void {
  const size = gradient.length / pairs;
  for (let p = 0; p < pairs; p++) {
    const pairGradient = gradient.subarray(p * size, (p + 1) * size);
    const norm = Math.sqrt(pairGradient.reduce((sum, g) => sum + g * g, 0));
    if (norm > most) for (let i = 0; i < size; i++) pairGradient[i] *= most / norm;
  }
}
