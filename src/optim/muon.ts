/**
 * @file Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): a hidden matrix moves along its momentum with the singular values
 * brought near 1 by Newton–Schulz steps, batched over equal shapes in one graph. AdamW moves everything else.
 */
import { add, type CompiledGraph, compile, input, matmul, mul, type Value } from '../graph/index.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { floats } from '../tensor/tensor.ts';
import { AdamW, type AdamWOptions, clipFactor, finiteNorm, loadState, type Optimizer, type Parameter, settingsOf } from './adamw.ts';

/** Settings of Muon; those of AdamW hold for the other parameters, weight decay and clip for all. */
export interface MuonOptions extends AdamWOptions {
  /** Decay of the gradients' moving average (Nesterov's form). Default 0.95. */
  readonly momentum?: number;
  /** Which parameters it moves; by default the matrices inside of encoder layers. Each must have two axes. */
  readonly hidden?: (name: string, shape: readonly number[]) => boolean;
}

/** Coefficients of the quintic iteration (Jordan et al. 2024): steep at 0, so five steps do; singular values end in about 0.7 to 1.2. */
const [A, B, C] = [3.4445, -4.775, 2.0315];
const STEPS = 5;

/** X ← a·X + (b·G + c·G²)·X with G = X·Xᵀ, five times; tall matrices from the other side. @param x [n, rows, columns] of norm at most 1 */
export function newtonSchulz(x: Value): Value {
  const [, rows, columns] = x.shape as [number, number, number];
  for (let i = 0; i < STEPS; i++) {
    const gram = rows > columns ? matmul(x, x, { transA: true }) : matmul(x, x, { transB: true });
    const even = add(mul(gram, B), matmul(gram, gram, { alpha: C }));
    x = add(mul(x, A), rows > columns ? matmul(x, even) : matmul(even, x));
  }
  return x;
}

/** Matrices of one shape, and room for their directions [n, rows, columns]. */
interface Group {
  readonly parameters: Parameter[];
  readonly shape: readonly [number, number, number];
  readonly directions: Float32Array;
}

/** Weights of the encoder blocks of any Hugging Face tower. */
const inLayers = (name: string, shape: readonly number[]): boolean => shape.length === 2 && /\blayers\.\d+\..*\.weight$/.test(name);

/**
 * Muon for the hidden matrices, AdamW for the rest. The matrices' rate is the given one times 0.2·√max(rows, columns), which makes the
 * update as large as AdamW's (Liu et al., arXiv 2502.16982, section 2.2), so that one learning rate serves both.
 */
export class Muon implements Optimizer {
  private readonly momentum = new Map<string, Float32Array>();
  private readonly groups: Group[] = [];
  private readonly rest: AdamW;
  private graph: CompiledGraph | undefined;
  private steps = 0;

  constructor(
    private readonly runtime: Runtime,
    parameters: readonly Parameter[],
    private readonly options: MuonOptions = {},
  ) {
    const hidden = options.hidden ?? inLayers;
    const shapes = new Map<string, Parameter[]>();
    for (const p of parameters.filter(p => hidden(p.name, p.shape))) {
      this.momentum.set(p.name, new Float32Array(p.data.length));
      const key = p.shape.join();
      shapes.set(key, [...(shapes.get(key) ?? []), p]);
    }
    for (const list of shapes.values()) {
      const [rows, columns] = list[0].shape;
      this.groups.push({
        parameters: list,
        shape: [list.length, rows, columns],
        directions: new Float32Array(list.length * rows * columns),
      });
    }
    this.rest = new AdamW(
      parameters.filter(p => !hidden(p.name, p.shape)),
      options,
    );
  }

  get stepsTaken(): number {
    return this.steps;
  }

  /**
   * One update of every parameter; all need a gradient.
   * @param norm of all gradients, where these are only a part of them
   * @returns the gradients' global norm before the clip. @throws NarrowsError (nothing is changed) when it is not finite
   */
  async step(
    gradients: ReadonlyMap<string, Float32Array>,
    learningRate: number,
    norm = finiteNorm(gradients, this.steps + 1),
  ): Promise<number> {
    const scale = clipFactor(norm, this.options.maxGradNorm);
    if (this.groups.length) this.graph ??= await this.compile();
    this.steps++;
    for (const group of this.groups) this.aim(group, gradients, scale);
    const feeds = Object.fromEntries(this.groups.map(({ shape, directions }, i) => [`x${i}`, floats(shape, directions)]));
    const results = this.graph ? await this.graph.run(feeds) : {};
    for (const [i, group] of this.groups.entries()) this.move(group, results[`y${i}`].data as Float32Array, learningRate);
    this.rest.update(gradients, learningRate, scale);
    return norm;
  }

  /** One graph for all shapes: a session has threads of its own, which wait busily for a while. */
  private compile(): Promise<CompiledGraph> {
    const outputs = Object.fromEntries(this.groups.map(({ shape }, i) => [`y${i}`, newtonSchulz(input(`x${i}`, shape))]));
    return compile(this.runtime, outputs, { prepack: false });
  }

  /** Takes the gradients into the averages and writes the directions, each of norm 1. */
  private aim(group: Group, gradients: ReadonlyMap<string, Float32Array>, scale: number): void {
    const { momentum: keep = 0.95 } = this.options;
    const [, rows, columns] = group.shape;
    const size = rows * columns;
    for (const [k, { name }] of group.parameters.entries()) {
      const gradient = gradients.get(name)!;
      const average = this.momentum.get(name)!;
      const direction = group.directions.subarray(k * size, (k + 1) * size);
      let total = 0;
      for (let i = 0; i < size; i++) {
        const g = gradient[i] * scale;
        average[i] += (g - average[i]) * (1 - keep);
        direction[i] = g + (average[i] - g) * keep;
        total += direction[i] * direction[i];
      }
      const shrink = 1 / Math.max(1e-7, Math.sqrt(total));
      for (let i = 0; i < size; i++) direction[i] *= shrink;
    }
  }

  private move(group: Group, update: Float32Array, learningRate: number): void {
    const [, rows, columns] = group.shape;
    const size = rows * columns;
    for (const [k, parameter] of group.parameters.entries()) {
      const { data } = parameter;
      const { rates, weightDecay } = settingsOf(parameter, this.options);
      for (const { from, to, factor } of rates) {
        const rate = learningRate * factor * 0.2 * Math.sqrt(Math.max(rows, columns));
        const stay = 1 - learningRate * factor * weightDecay;
        for (let i = from; i < to; i++) data[i] = data[i] * stay - rate * update[k * size + i];
      }
    }
  }

  /** The averages by `momentum.NAME`, and AdamW's state (live arrays). */
  tensors(): Map<string, Float32Array> {
    const out = this.rest.tensors();
    for (const [name, data] of this.momentum) out.set(`momentum.${name}`, data);
    return out;
  }

  /** Takes up a saved state. @throws RangeError when a tensor is missing or of another size. */
  load(stepsTaken: number, tensors: ReadonlyMap<string, Float32Array>): void {
    loadState(this.tensors(), tensors);
    this.rest.load(stepsTaken, tensors);
    this.steps = stepsTaken;
  }

  async release(): Promise<void> {
    await this.graph?.release();
    this.graph = undefined;
  }
}
