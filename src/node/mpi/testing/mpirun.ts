/** @file Starts a script as several ranks on this machine; where Open MPI is missing, tests that need it are left out and say so. */
import { spawn, spawnSync } from 'node:child_process';
import { started } from '../../../testing/compiled.ts';

const probe = spawnSync('mpirun', ['--version'], { encoding: 'utf8' });

/** Why ranks cannot be started here, or undefined. */
export const withoutMpi: string | undefined =
  probe.status === 0 && probe.stdout.includes('Open MPI') ? undefined : 'no mpirun of Open MPI here (Debian: openmpi-bin, libopenmpi-dev)';

/** What an `mpirun` ended with. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Root may start ranks here, and more of them than there are cores; ranks that wait let others work. */
export const RANK_ENVIRONMENT = {
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  OMPI_MCA_mpi_yield_when_idle: '1',
  OMPI_MCA_rmaps_base_oversubscribe: '1',
  NARROWS_SPIN: '0',
  NO_COLOR: '1',
};

/** Words after `mpirun` that start `node script …args` as so many ranks. */
export const rankArguments = (ranks: number, script: string, args: readonly string[] = []): string[] => [
  '-n',
  String(ranks),
  '--oversubscribe',
  '--bind-to',
  'none',
  process.execPath,
  ...started(script),
  ...args,
];

/** Runs a script as several ranks to its end. @param cwd folder in which it works */
export const mpirun = (ranks: number, script: string, args: readonly string[] = [], cwd?: string): Promise<Ended> =>
  run('mpirun', rankArguments(ranks, script, args), cwd);

/** Runs a program to its end. @param cwd folder in which it works */
export function run(command: string, args: readonly string[], cwd?: string): Promise<Ended> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...RANK_ENVIRONMENT }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', piece => {
    stdout += piece;
  });
  child.stderr.on('data', piece => {
    stderr += piece;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', code => resolve({ code, stdout, stderr }));
  });
}
