/** @file What a training run asks of the ranks it runs on; one process by itself is a team of one. */

import type { CompiledGraph } from '../../graph/index.ts';
import { pack, unpack } from '../../node/mpi/pack.ts';
import type { Ranks } from '../../node/mpi/ranks.ts';
import type { Parameter } from '../../optim/adamw.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Note } from '../batch-loader.ts';
import { FlatLayout } from './flat.ts';
import { leavesOf, TreeSum } from './leaves.ts';
import { addInPlace, reduceGradients } from './reduce.ts';

type Gradients = Map<string, Float32Array>;

/** How ranks compute one micro-batch together, of which each has some rows. */
export interface TogetherStep {
  /** Collective. @returns this rank's share of gradients and figures: the sums over ranks are those of the batch */
  run(weights: Feeds, step: number): Promise<{ readonly gradients: Gradients; readonly figures: Record<string, number> }>;
}

/** What the team needs of a task. */
export interface TeamTask {
  readonly parameters: readonly Parameter[];
  readonly graph: Pick<CompiledGraph, 'run'>;
  batch(step: number): Promise<Feeds>;
  describeBatch?(step: number): string;
  /** Where an update has one micro-batch: ranks share its rows. */
  readonly together?: TogetherStep;
}

/** Sentences about batches that ranks other than 0 drew, on their way to the person. */
export class NoteRelay {
  private readonly kept: [message: string, key?: string][] = [];
  private open = false;

  /** @param tell says a sentence to the person; called on rank 0 only */
  constructor(
    private readonly ranks: Ranks | undefined,
    private readonly tell: Note,
  ) {}

  /** Takes a sentence on any rank. Before the first step all ranks find the same, so that those of rank 0 are enough. */
  readonly note: Note = (message, key) => {
    if (!this.ranks || this.ranks.rank === 0) this.tell(message, key);
    else if (this.open) this.kept.push([message, key]);
  };

  /** What this rank found since the last call. */
  take(): [message: string, key?: string][] {
    this.open = true;
    return this.kept.splice(0);
  }

  /** What another rank found. */
  hear(notes: readonly [message: string, key?: string][]): void {
    for (const [message, key] of notes) this.tell(message, key);
  }
}

/** What a rank tells of its micro-batches: their figures, in order. */
interface Told {
  readonly figures: readonly Readonly<Record<string, number>>[];
  /** Parameters that none of them has a gradient for: a projector where no picture is. */
  readonly without: readonly string[];
  readonly notes: readonly [message: string, key?: string][];
}

/** Adds `b` to `a`; what one of them lacks is the other's. */
function addGradients(a: Gradients, b: Gradients): Gradients {
  for (const [name, values] of b) {
    const sum = a.get(name);
    if (sum) addInPlace(sum, values);
    else a.set(name, values);
  }
  return a;
}

/** The ranks of a training run. */
export class Team {
  readonly layout: FlatLayout;
  private readonly shared: Gradients | undefined;
  private readonly together: TogetherStep | undefined;

  /** @param count micro-batches of an update, over all ranks. @throws NarrowsError (usage) where there are fewer than ranks */
  constructor(
    private readonly task: TeamTask,
    readonly count: number,
    readonly ranks?: Ranks,
    private readonly relay?: NoteRelay,
  ) {
    this.together = ranks && count === 1 ? task.together : undefined;
    if (ranks && count < ranks.size && !this.together)
      throw new NarrowsError(
        `An update has ${count} micro-batch${count > 1 ? 'es' : ''} for ${ranks.size} processes: they share out the micro-batches of an update, so set "gradient_accumulation_steps" to a multiple of ${ranks.size} (and lower "per_device_train_batch_size" to keep the size of an update).`,
        { kind: 'usage' },
      );
    this.layout = new FlatLayout(task.parameters);
    this.shared = ranks && new Map(task.parameters.map(p => [p.name, new Float32Array(p.data.length)]));
  }

  /** Whether this process writes files and speaks. */
  get leads(): boolean {
    return (this.ranks?.rank ?? 0) === 0;
  }

  /** This rank's micro-batches of an update. */
  private get leaves(): { from: number; to: number } {
    return leavesOf(this.count, this.ranks?.rank ?? 0, this.ranks?.size ?? 1);
  }

  /** The micro-step that this rank computes after another one of its. */
  readonly next = (step: number): number => {
    const { from, to } = this.leaves;
    return (step % this.count) + 1 < to ? step + 1 : (Math.floor(step / this.count) + 1) * this.count + from;
  };

  /** Rank 0's value, on every rank. */
  async agree<T>(value: T): Promise<T> {
    if (!this.ranks) return value;
    const [told] = await this.ranks.allGather(this.leads ? pack(value) : new Uint8Array());
    return unpack(told) as T;
  }

  /** Whether any rank says yes. */
  async any(flag: boolean): Promise<boolean> {
    if (!this.ranks) return flag;
    return (await this.ranks.allGather(Uint8Array.of(Number(flag)))).some(([said]) => said === 1);
  }

  /** Gives all ranks the parameters of rank 0. */
  async share(): Promise<void> {
    for (const { data } of this.task.parameters) await this.ranks?.broadcast(data);
  }

  /**
   * The mean gradient and the mean figures of an update, the same bits on any number of ranks. @param weights of the graph
   * @param bounds where each rank keeps the gradients of its own range only: see `Reduction`
   * @throws NarrowsError, on every rank, naming a batch whose loss is not finite
   */
  async gradients(
    weights: Feeds,
    update: number,
    bounds?: readonly number[],
  ): Promise<{ gradients: Gradients; scalars: Record<string, number> }> {
    const { mine, parts } = await (this.together ? this.ownShare(this.together, weights, update) : this.ownBatches(weights, update));
    const told = await this.tell(mine, parts);
    this.checkLosses(told, update);
    const scalars: Record<string, number> = {};
    for (const one of told.flatMap(({ figures }) => figures))
      for (const [name, value] of Object.entries(one)) scalars[name] = (scalars[name] ?? 0) + value / (this.together ? 1 : this.count);
    if (this.ranks) return { gradients: await this.reduce(this.ranks, parts, told, bounds), scalars };
    const [gradients] = parts;
    if (this.count > 1) for (const values of gradients.values()) for (let i = 0; i < values.length; i++) values[i] *= 1 / this.count;
    return { gradients, scalars };
  }

  /** This rank's micro-batches: their figures, and sums of their gradients. */
  private async ownBatches(weights: Feeds, update: number): Promise<{ mine: Record<string, number>[]; parts: Gradients[] }> {
    const { graph } = this.task;
    const sum = new TreeSum<Gradients>(this.count, addGradients);
    const mine: Record<string, number>[] = [];
    for (let leaf = this.leaves.from; leaf < this.leaves.to; leaf++) {
      const results = await graph.run({ ...weights, ...(await this.task.batch(update * this.count + leaf)) });
      const found: Record<string, number> = {};
      const gradients: Gradients = new Map();
      for (const [name, { data }] of Object.entries(results))
        if (name.startsWith('grad.')) gradients.set(name.slice(5), data as Float32Array);
        else found[name] = Number(data[0]);
      mine.push(found);
      if (!Number.isFinite(found.loss) && this.task.describeBatch) break;
      sum.take({ from: leaf, to: leaf + 1 }, gradients);
    }
    return { mine, parts: sum.parts.map(({ value }) => value) };
  }

  /** This rank's share of the update's one batch. */
  private async ownShare(
    together: TogetherStep,
    weights: Feeds,
    update: number,
  ): Promise<{ mine: Record<string, number>[]; parts: Gradients[] }> {
    const { gradients, figures } = await together.run(weights, update);
    return { mine: [figures], parts: [gradients] };
  }

  private async reduce(ranks: Ranks, parts: readonly Gradients[], told: readonly Told[], bounds?: readonly number[]): Promise<Gradients> {
    const even = Array.from({ length: ranks.size + 1 }, (_, r) => Math.floor((r * this.layout.length) / ranks.size));
    const cut = { bounds: bounds ?? even, everywhere: bounds === undefined };
    const leaves = this.together ? { count: ranks.size, scale: 1 } : { count: this.count, scale: 1 / this.count };
    await reduceGradients(parts, this.shared!, { ranks, layout: this.layout, ...leaves, ...cut });
    const none = new Set(told[0].without.filter(name => told.every(({ without }) => without.includes(name))));
    return new Map([...this.shared!].filter(([name]) => !none.has(name)));
  }

  /** What every rank found, by rank. */
  private async tell(figures: Record<string, number>[], parts: readonly Gradients[]): Promise<Told[]> {
    const names = this.task.parameters.map(p => p.name);
    const without = names.filter(name => parts.every(part => !part.has(name)));
    const told: Told = { figures, without, notes: this.relay?.take() ?? [] };
    if (!this.ranks) return [told];
    const all = (await this.ranks.allGather(pack(told))).map(bytes => unpack(bytes) as Told);
    if (this.leads) for (const { notes } of all) this.relay?.hear(notes);
    return all;
  }

  private checkLosses(told: readonly Told[], update: number): void {
    const { describeBatch } = this.task;
    if (!describeBatch) return;
    for (const [rank, { figures }] of told.entries())
      for (const [i, { loss }] of figures.entries())
        if (!Number.isFinite(loss)) {
          const micro = update * this.count + leavesOf(this.count, rank, told.length).from + i;
          throw new NarrowsError(
            `The loss is ${loss} at step ${update + 1}, on ${describeBatch(micro)}; the last checkpoint is unharmed, so lower the learning rate or mend these samples and start again.`,
          );
        }
  }
}
