/**
 * @file An optimiser whose state is spread over the ranks (ZeRO-1: Rajbhandari et al., arXiv 1910.02054, section 5.1): each moves the
 * parameters of its range and hands them to the others. A range is of whole parameters, since Muon turns whole matrices.
 */

import { pack, unpack } from '../../node/mpi/pack.ts';
import type { Ranks } from '../../node/mpi/ranks.ts';
import { checkNorm, type Optimizer, type Parameter, squares } from '../../optim/adamw.ts';
import { FlatLayout } from './flat.ts';

/** Makes an optimiser of parameters. */
export type MakeOptimizer = (parameters: readonly Parameter[]) => Optimizer;

/** Numbers that a rank hands out at a time. */
const BUCKET = 1 << 20;

/** Which parameters each rank moves: rank r those from `[r]` to `[r + 1]`, cut where the share of each is nearest to even. */
export function shardsOf({ starts, length }: FlatLayout, size: number): number[] {
  const nearest = (wanted: number): number =>
    starts.reduce((best, start, i) => (Math.abs(start - wanted) < Math.abs(starts[best] - wanted) ? i : best), 0);
  const cuts = Array.from({ length: size + 1 }, (_, r) => nearest((r * length) / size));
  return cuts.map((cut, r) => (r === size ? starts.length - 1 : cut));
}

/** One rank's part of a spread optimiser. All its functions but `load` are collective. */
export class ShardedOptimizer {
  /** Numbers of the row of all parameters (`FlatLayout`) that each rank moves. */
  readonly bounds: readonly number[];
  private readonly mine: readonly Parameter[];
  private readonly own: Optimizer;
  private readonly layout: FlatLayout;

  constructor(
    private readonly ranks: Ranks,
    private readonly parameters: readonly Parameter[],
    private readonly make: MakeOptimizer,
  ) {
    this.layout = new FlatLayout(parameters);
    const shards = shardsOf(this.layout, ranks.size);
    this.bounds = shards.map(i => this.layout.starts[i]);
    this.mine = parameters.slice(shards[ranks.rank], shards[ranks.rank + 1]);
    this.own = make(this.mine);
  }

  get stepsTaken(): number {
    return this.own.stepsTaken;
  }

  /** One update of all parameters. @param gradients those of this rank's range count @returns the norm over all. @throws NarrowsError where it is not finite, on every rank */
  async step(gradients: ReadonlyMap<string, Float32Array>, learningRate: number): Promise<number> {
    const sums = Float64Array.from(this.mine, ({ name }) => squares(gradients.get(name) ?? new Float32Array()));
    const all = await this.ranks.allGather(new Uint8Array(sums.buffer));
    let total = 0;
    for (const part of all) for (const sum of new Float64Array(part.slice().buffer)) total += sum;
    const norm = checkNorm(Math.sqrt(total), this.stepsTaken + 1);
    await this.own.step(gradients, learningRate, norm);
    await this.spread();
    return norm;
  }

  /** Gives every rank the parameters that the others moved. */
  private async spread(): Promise<void> {
    const { bounds, ranks } = this;
    const arrays = new Map(this.parameters.map(p => [p.name, p.data]));
    const longest = Math.max(...bounds.slice(1).map((to, r) => to - bounds[r]));
    const start = (r: number, at: number): number => Math.min(bounds[r] + at, bounds[r + 1]);
    for (let at = 0; at < longest; at += BUCKET) {
      const [from, to] = [start(ranks.rank, at), start(ranks.rank, at + BUCKET)];
      const part = new Float32Array(to - from);
      this.layout.read(arrays, from, part);
      const all = await ranks.allGather(new Uint8Array(part.buffer));
      for (const [r, bytes] of all.entries())
        if (r !== ranks.rank)
          this.layout.write(arrays, start(r, at), new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4));
    }
  }

  /** The whole state, by the names and in the order of one that is not spread; on rank 0, empty on the others. */
  async collect(): Promise<{ readonly stepsTaken: number; tensors(): Map<string, Float32Array> }> {
    const { rank, size } = this.ranks;
    const { stepsTaken } = this;
    if (rank > 0) {
      // One tensor a message: the whole state of a rank may be more than MPI counts.
      const tensors = [...this.own.tensors()];
      await this.ranks.send(0, pack(tensors.length));
      for (const tensor of tensors) await this.ranks.send(0, pack(tensor));
      return { stepsTaken, tensors: () => new Map() };
    }
    const found = this.own.tensors();
    const left: number[] = Array.from({ length: size }, (_, r) => (r === 0 ? 0 : -1));
    while (left.some(count => count !== 0)) {
      const { from, bytes } = await this.ranks.receive();
      const message = unpack(bytes) as number | [string, Float32Array];
      if (typeof message === 'number') left[from] = message;
      else {
        found.set(...message);
        left[from]--;
      }
    }
    const whole = this.make(this.parameters);
    const order = [...whole.tensors().keys()];
    await whole.release?.();
    return { stepsTaken, tensors: () => new Map(order.map(name => [name, found.get(name)!])) };
  }

  /** Takes this rank's part of a whole state. @throws RangeError when a tensor is missing or of another size */
  load(stepsTaken: number, tensors: ReadonlyMap<string, Float32Array>): void {
    this.own.load(stepsTaken, tensors);
  }

  async release(): Promise<void> {
    await this.own.release?.();
  }
}
