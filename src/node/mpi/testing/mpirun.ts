/** @file Starts a script as several ranks on this machine; where Open MPI is missing, tests that need it are left out and say so. */
import { spawn, spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { started } from '../../../testing/compiled.ts';

const probe = spawnSync('mpirun', ['--version'], { encoding: 'utf8' });

/** Why ranks cannot be started here, or undefined. */
export const withoutMpi: string | undefined =
  probe.status === 0 && probe.stdout.includes('Open MPI') ? undefined : 'no mpirun of Open MPI here (Debian: openmpi-bin, libopenmpi-dev)';

/** `mpirun` of an Open MPI that lets ranks die while others go on; .ci/run fetches one. */
export const ulfm: string | undefined = process.env.NARROWS_TEST_ULFM;

/** Environment of ranks of that Open MPI. */
export const ulfmEnvironment = (): Record<string, string> => ({
  NARROWS_MPI: realpathSync(join(dirname(ulfm!), '../lib/libmpi.so.40')),
});

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
export const run = (command: string, args: readonly string[], cwd?: string): Promise<Ended> => begin(command, args, cwd).ended;

/** Whom `killRank` kills, and when. */
export interface Killing {
  /** Environment besides that of all ranks. */
  readonly more: Readonly<Record<string, string>>;
  readonly victim: number;
  /** A word of the ranks' command that no other process has. */
  readonly named: string;
  readonly when: () => Promise<boolean>;
}

/** Starts ranks, kills one of them, and waits for the end of the others. */
export async function killRank(launcher: string, args: readonly string[], { more, victim, named, when }: Killing): Promise<Ended> {
  const { ended } = begin(launcher, args, undefined, more);
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!over && !(await when())) await sleep(20);
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const read = async (file: string): Promise<string[]> => (await readFile(`/proc/${entry}/${file}`, 'utf8').catch(() => '')).split('\0');
    const isVictim = (await read('environ')).includes(`OMPI_COMM_WORLD_RANK=${victim}`);
    if (isVictim && (await read('cmdline')).includes(named)) process.kill(Number(entry), 'SIGKILL');
  }
  return ended;
}

function begin(command: string, args: readonly string[], cwd?: string, more?: Readonly<Record<string, string>>): { ended: Promise<Ended> } {
  const env = { ...process.env, ...RANK_ENVIRONMENT, ...more };
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', piece => {
    stdout += piece;
  });
  child.stderr.on('data', piece => {
    stderr += piece;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', code => resolve({ code, stdout, stderr }));
  });
  return { ended };
}
