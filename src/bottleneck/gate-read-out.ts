/** @file What is read from an optimised gate: its cost per element and per token, on the host. */
import type { FloatTensor } from '../tensor/tensor.ts';
import { gateNats } from './gate.ts';
import type { GateMap, GateProblem } from './gate-problem.ts';

/**
 * Cost of pair p in nats, from α and the hidden state; over several places, their mean. In float64: nothing of the graph is used.
 * @param alpha of all pairs, [P, N, C]
 */
export function readGate(problem: GateProblem, alpha: Float32Array, p: number): GateMap {
  const [, count, width] = problem.hidden.shape;
  const length = problem.lengths?.[p] ?? count;
  const channels = problem.options.perToken ? 1 : width;
  const pairAlpha = alpha.subarray(p * count * channels, (p + 1) * count * channels);
  const gate = problem.smoothing ? smoothedOnHost(pairAlpha, problem.smoothing) : pairAlpha;
  const places = [{ hidden: problem.hidden, statistics: problem.statistics }, ...(problem.upper ?? [])];
  const information = new Float32Array(count * width);
  const tokens = new Float32Array(count);
  for (const n of problem.players?.[p] ?? Array.from({ length }, (_, i) => i)) {
    let total = 0;
    for (let d = 0; d < width; d++) {
      let nats = 0;
      for (const place of places) {
        const stats = place.statistics?.[p];
        const h = place.hidden.data[(p * count + n) * width + d];
        const at = stats && stats.mean.length > width ? n * width + d : d;
        nats += gateNats(gate[n * channels + (channels === 1 ? 0 : d)], stats ? (h - stats.mean[at]) / stats.deviation[at] : h);
      }
      information[n * width + d] = nats / places.length;
      total += nats / places.length;
    }
    tokens[n] = total;
  }
  return { information, tokens };
}

/** α of a λ averaged by S (see `compileGate`), for one pair: [N, C]. */
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
