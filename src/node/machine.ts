/** @file The machine and its clock: memory, names, waiting. */
import { availableParallelism, cpus, freemem } from 'node:os';

export { homedir, hostname } from 'node:os';
export { setTimeout } from 'node:timers/promises';

/** Bytes that this process may still take (limits of a container included, where Node tells them). */
export function freeMemory(): number {
  const { availableMemory } = process as { availableMemory?: () => number };
  return availableMemory?.call(process) || freemem();
}

/**
 * Cores for this process: all of the machine, or its share of them where several ranks run on it (mpirun says how many). A process that is
 * bound to some cores has those.
 */
export function ownCores(env: Readonly<Record<string, string | undefined>> = process.env): number {
  const [bound, all] = [availableParallelism(), cpus().length];
  const beside = Number(env.OMPI_COMM_WORLD_LOCAL_SIZE ?? env.SLURM_NTASKS_PER_NODE ?? 1) || 1;
  return bound < all ? bound : Math.max(1, Math.floor(all / beside));
}
