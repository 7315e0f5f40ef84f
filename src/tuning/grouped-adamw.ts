/** @file AdamW with learning rates of their own for groups of parameters, under one clip of the gradient. */
import { AdamW, type AdamWOptions, clipFactor, finiteNorm, loadState, type Optimizer, type Parameter } from '../optim/adamw.ts';

/** Parameters that share a learning rate. */
export interface ParameterGroup {
  readonly parameters: readonly Parameter[];
  /** The group's learning rate is the given one times this. */
  readonly factor: number;
}

/** AdamW over groups; its state has the form of a single AdamW's. */
export class GroupedAdamW implements Optimizer {
  private readonly groups: readonly { readonly adamw: AdamW; readonly factor: number }[];
  private steps = 0;

  constructor(
    groups: readonly ParameterGroup[],
    private readonly options: AdamWOptions = {},
  ) {
    this.groups = groups.map(({ parameters, factor }) => ({ adamw: new AdamW(parameters, options), factor }));
  }

  get stepsTaken(): number {
    return this.steps;
  }

  /** One update. @returns the norm of all gradients before the clip. @throws NarrowsError (nothing is changed) when it is not finite */
  step(gradients: ReadonlyMap<string, Float32Array>, learningRate: number): number {
    const norm = finiteNorm(gradients, this.steps + 1);
    const scale = clipFactor(norm, this.options.maxGradNorm);
    for (const { adamw, factor } of this.groups) adamw.update(gradients, learningRate * factor, scale);
    this.steps++;
    return norm;
  }

  tensors(): Map<string, Float32Array> {
    return new Map(this.groups.flatMap(({ adamw }) => [...adamw.tensors()]));
  }

  load(stepsTaken: number, tensors: ReadonlyMap<string, Float32Array>): void {
    loadState(this.tensors(), tensors);
    for (const { adamw } of this.groups) adamw.load(stepsTaken, tensors);
    this.steps = stepsTaken;
  }
}
