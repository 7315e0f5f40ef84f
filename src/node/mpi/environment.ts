/** @file How a process learns that it was started as one of many: the variables that mpirun, srun and their like set. */

/** What a launcher says of this process. */
export interface Launched {
  /** In words, such as `mpirun`. */
  readonly launcher: string;
  readonly rank: number;
  /** Processes in all, where the launcher says it. */
  readonly size?: number;
}

/** Variables of launchers: Open MPI's mpirun, anything with PMIx (srun --mpi=pmix), and the older PMI. */
const LAUNCHERS = [
  { launcher: 'mpirun', rank: 'OMPI_COMM_WORLD_RANK', sizes: ['OMPI_COMM_WORLD_SIZE'] },
  { launcher: 'a launcher with PMIx', rank: 'PMIX_RANK', sizes: ['SLURM_STEP_NUM_TASKS', 'SLURM_NTASKS'] },
  { launcher: 'a launcher with PMI', rank: 'PMI_RANK', sizes: ['PMI_SIZE', 'SLURM_STEP_NUM_TASKS'] },
] as const;

const whole = (text: string | undefined): number | undefined => (text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined);

/** What the environment says, or undefined where this process stands alone. `srun` without `--mpi` starts processes that do not know each other. */
export function launchedBy(env: Readonly<Record<string, string | undefined>>): Launched | undefined {
  for (const { launcher, rank: name, sizes } of LAUNCHERS) {
    const rank = whole(env[name]);
    if (rank === undefined) continue;
    const size = sizes.map(key => whole(env[key])).find(value => value !== undefined);
    return { launcher, rank, ...(size === undefined ? {} : { size }) };
  }
  return undefined;
}
