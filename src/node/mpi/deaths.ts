/**
 * @file Ranks that die while others go on: user-level failure mitigation (ULFM), which Open MPI 5 has with `mpirun --with-ft ulfm`. Without it
 * the launcher ends all ranks, and nothing here is ever seen. Functions and classes of errors: chapter "Fault tolerance" of the ULFM
 * specification.
 */
import { NarrowsError } from '../../system/errors.ts';
import { DEATHS, type MpiLibrary } from './library.ts';

const named = (ranks: readonly number[]): string =>
  ranks.length === 0 ? 'A rank' : ranks.length === 1 ? `Rank ${ranks[0]}` : `Ranks ${ranks.join(', ')}`;

/** Ranks died. What needs them fails with it; whoever can do without them goes on. */
export class RanksLost extends NarrowsError {
  constructor(readonly lost: readonly number[]) {
    super(
      `${named(lost)} died (killed, or the machine failed), and this work needs all ranks; the same command goes on from what is saved.`,
    );
  }
}

/** For `catch`, where the death of a rank is no matter. @throws any other error */
export function ignoreLost(error: unknown): void {
  if (!(error instanceof RanksLost)) throw error;
}

/** Keeps account of the ranks of a communicator that died. */
export class Deaths {
  private readonly dead = new Set<number>();
  private told = 0;

  constructor(
    private readonly mpi: MpiLibrary,
    private readonly world: unknown,
  ) {}

  /** Whether an error code says that a rank died. */
  isDeath(code: number): boolean {
    const errorClass = new Int32Array(1);
    this.mpi.call.Error_class(code, errorClass);
    return this.mpi.faults !== undefined && DEATHS.includes(errorClass[0]);
  }

  /** All that died, in the order in which it was learnt. Takes note of new ones, so that messages of the others can be received again. */
  look(): readonly number[] {
    const { call, faults } = this.mpi;
    if (!faults) return [];
    faults.Comm_failure_ack(this.world);
    const [dead, all] = [new BigUint64Array(1), new BigUint64Array(1)];
    faults.Comm_failure_get_acked(this.world, dead);
    call.Comm_group(this.world, all);
    const size = new Int32Array(1);
    call.Group_size(dead[0], size);
    const ranks = new Int32Array(size[0]);
    call.Group_translate_ranks(dead[0], size[0], Int32Array.from(ranks.keys()), all[0], ranks);
    for (const rank of ranks) this.dead.add(rank);
    call.Group_free(all);
    // The empty group is MPI's own.
    if (size[0] > 0) call.Group_free(dead);
    return [...this.dead];
  }

  /** Those that were found dead since the last call. */
  news(): readonly number[] {
    const fresh = [...this.dead].slice(this.told);
    this.told = this.dead.size;
    return fresh;
  }
}
