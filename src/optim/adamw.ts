/**
 * @file AdamW (Loshchilov & Hutter, arXiv 1711.05101) in place on host arrays, with the global-norm clip fused in. The order of
 * operations is PyTorch's (`torch.optim.AdamW`, `clip_grad_norm_`); arithmetic is double, rounded once to float32.
 */

import { NarrowsError } from '../system/errors.ts';

/** Settings of AdamW; defaults are PyTorch's. */
export interface AdamWOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Decay of the parameters that `decays` accepts. */
  readonly weightDecay?: number;
  /** Largest global gradient norm; gradients are scaled down to it. No clip by default. */
  readonly maxGradNorm?: number;
  /** Which parameters decay; by default those with two or more axes (no biases, norms, scalars), as the Hugging Face trainer does. */
  readonly decays?: (name: string, shape: readonly number[]) => boolean;
  /** Parameters with rates or decays of their own; the first group that matches a name holds. */
  readonly groups?: readonly ParameterGroup[];
}

/** Parameters that are treated alike. */
export interface ParameterGroup {
  /** Whether a parameter belongs to the group. */
  readonly matches: (name: string) => boolean;
  /** The learning rate of these parameters is the given one times this; 1 by default. */
  readonly factor?: number;
  /** The first `count` rows of each (a head of an attention's matrices, say) have it times this again. */
  readonly rows?: { readonly count: number; readonly factor: number };
  /** Instead of the optimiser's, for those of them that decay. */
  readonly weightDecay?: number;
}

/** What holds for one parameter. */
export interface ParameterSettings {
  /** Factors of the learning rate, each of the values `from` … `to`. */
  readonly rates: readonly { readonly from: number; readonly to: number; readonly factor: number }[];
  /** If it decays. */
  readonly weightDecay: number;
}

/** What the options' groups say of a parameter. */
export function settingsOf({ name, shape, data: { length } }: Parameter, { groups, weightDecay = 0.01 }: AdamWOptions): ParameterSettings {
  const group = groups?.find(({ matches }) => matches(name));
  const { factor = 1, rows = { count: 0, factor: 1 } } = group ?? {};
  const cut = Math.min(length, (rows.count * length) / (shape[0] ?? 1));
  const rates = [
    { from: 0, to: cut, factor: factor * rows.factor },
    { from: cut, to: length, factor },
  ].filter(({ from, to }) => to > from);
  return { rates, weightDecay: group?.weightDecay ?? weightDecay };
}

/** A parameter: `data` is updated in place. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** First and second moments per parameter name, and the number of steps taken. */
interface AdamWState {
  step: number;
  readonly first: Map<string, Float32Array>;
  readonly second: Map<string, Float32Array>;
}

/** Sum of squares. */
export function squares(values: Float32Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] * values[i];
  return total;
}

/** Euclidean norm over all gradients together: of each by itself first, so that it is the same where they lie on several machines. */
export function globalNorm(gradients: Iterable<Float32Array>): number {
  let total = 0;
  for (const g of gradients) total += squares(g);
  return Math.sqrt(total);
}

/** Factor that brings a gradient of norm `norm` down to `maxNorm` (clip_grad_norm_). */
export const clipFactor = (norm: number, maxNorm: number | undefined): number =>
  maxNorm === undefined ? 1 : Math.min(1, maxNorm / (norm + 1e-6));

/** The global norm of an update's gradients. @throws NarrowsError when it is not finite; `step` counts from 1 */
export function finiteNorm(gradients: ReadonlyMap<string, Float32Array>, step: number): number {
  return checkNorm(globalNorm(gradients.values()), step);
}

/** @returns the norm. @throws NarrowsError when it is not finite; `step` counts from 1 */
export function checkNorm(norm: number, step: number): number {
  if (Number.isFinite(norm)) return norm;
  throw new NarrowsError(`The gradient's norm is ${norm} at step ${step}; lower the learning rate or look for bad data.`);
}

/** What the trainer asks of an optimiser. `tensors` are its whole state, to be saved and given back to `load` for an exact resume. */
export interface Optimizer {
  readonly stepsTaken: number;
  /** @param norm of the gradients, where these are only a part of them; it must be finite */
  step(gradients: ReadonlyMap<string, Float32Array>, learningRate: number, norm?: number): Promise<number> | number;
  tensors(): Map<string, Float32Array>;
  load(stepsTaken: number, tensors: ReadonlyMap<string, Float32Array>): void;
  /** Frees compiled graphs, where it has any. */
  release?(): Promise<void>;
}

/** Copies a saved state into live arrays. @throws RangeError (nothing is changed) when a tensor is missing or of another size */
export function loadState(live: ReadonlyMap<string, Float32Array>, saved: ReadonlyMap<string, Float32Array>): void {
  for (const [name, data] of live)
    if (saved.get(name)?.length !== data.length) throw new RangeError(`The optimiser state lacks "${name}" with ${data.length} values.`);
  for (const [name, data] of live) data.set(saved.get(name)!);
}

/**
 * AdamW over named parameters.
 * @example
 * const weight = { name: 'w', shape: [1], data: Float32Array.of(1) };
 * const optimizer = new AdamW([weight], { weightDecay: 0 });
 * for (let step = 0; step < 100; step++) optimizer.step(new Map([['w', Float32Array.of(2 * weight.data[0])]]), 0.05); // the slope of w²
 * console.log(weight.data[0]); // near 0
 */
export class AdamW implements Optimizer {
  private readonly state: AdamWState = { step: 0, first: new Map(), second: new Map() };
  private readonly settings = new Map<string, ParameterSettings>();

  constructor(
    private readonly parameters: readonly Parameter[],
    private readonly options: AdamWOptions = {},
  ) {
    const decays = options.decays ?? ((_, shape) => shape.length >= 2);
    for (const p of parameters) {
      const { rates, weightDecay } = settingsOf(p, options);
      this.settings.set(p.name, { rates, weightDecay: decays(p.name, p.shape) ? weightDecay : 0 });
      this.state.first.set(p.name, new Float32Array(p.data.length));
      this.state.second.set(p.name, new Float32Array(p.data.length));
    }
  }

  /**
   * One update of every parameter.
   * @param gradients by parameter name; a missing one leaves its parameter unchanged
   * @param norm of all gradients, where these are only a part of them
   * @returns the gradients' global norm before the clip. @throws NarrowsError (nothing is changed) when it is not finite
   */
  step(gradients: ReadonlyMap<string, Float32Array>, learningRate: number, norm = finiteNorm(gradients, this.state.step + 1)): number {
    this.update(gradients, learningRate, clipFactor(norm, this.options.maxGradNorm));
    return norm;
  }

  /** One update with gradients times `scale`, without a look at their norm. */
  update(gradients: ReadonlyMap<string, Float32Array>, learningRate: number, scale: number): void {
    const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = this.options;
    const t = ++this.state.step;
    const correction = Math.sqrt(1 - beta2 ** t);
    for (const { name, data } of this.parameters) {
      const gradient = gradients.get(name);
      if (!gradient) continue;
      const m = this.state.first.get(name)!;
      const v = this.state.second.get(name)!;
      const { rates, weightDecay } = this.settings.get(name)!;
      for (const { from, to, factor } of rates) {
        const rate = learningRate * factor;
        const stepSize = rate / (1 - beta1 ** t);
        const keep = 1 - rate * weightDecay;
        for (let i = from; i < to; i++) {
          const g = gradient[i] * scale;
          m[i] += (g - m[i]) * (1 - beta1);
          v[i] = v[i] * beta2 + g * g * (1 - beta2);
          data[i] = data[i] * keep - (stepSize * m[i]) / (Math.sqrt(v[i]) / correction + epsilon);
        }
      }
    }
  }

  get stepsTaken(): number {
    return this.state.step;
  }

  /** The moments, by `first.NAME` and `second.NAME` (live arrays). */
  tensors(): Map<string, Float32Array> {
    const out = new Map<string, Float32Array>();
    for (const [name, data] of this.state.first) out.set(`first.${name}`, data);
    for (const [name, data] of this.state.second) out.set(`second.${name}`, data);
    return out;
  }

  /** Takes up a saved state. @throws RangeError when a tensor is missing or of another size. */
  load(stepsTaken: number, tensors: ReadonlyMap<string, Float32Array>): void {
    loadState(this.tensors(), tensors);
    this.state.step = stepsTaken;
  }
}
