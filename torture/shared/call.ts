/** @file Fresh processes of the command line, from the sources or (with `--built`) as built, with limits. */
import { type ChildProcess, spawn } from 'node:child_process';
import { started } from '../../src/testing/compiled.ts';
import { repository } from '../../test/support.ts';
import { type Limits, Watch } from './limits.ts';

let built = false;
/** Uses `dist/` from now on: starts in half the time, and shows what was last built. */
export function useBuilt(): void {
  built = true;
}

let launcher: readonly string[] = [];
/** Starts every call through another program from now on, such as `mpirun -n 2`. */
export function useLauncher(words: readonly string[]): void {
  launcher = words;
}

/** Arguments of Node for `narrows ...args`. */
export const nodeArguments = (args: readonly string[]): string[] =>
  built ? [`${repository}dist/cli/main.js`, ...args] : [...started(`${repository}src/cli/main.ts`), ...args];

/** How a process ended. */
export interface Finished {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly broken?: 'hang' | 'memory';
  readonly seconds: number;
}

/** How a process is started. */
export interface StartOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly limits?: Limits;
  /** Arguments of Node before the program, such as `--require file`. */
  readonly node?: readonly string[];
  /** Called with the running process. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs `narrows ...args`, without network, colours and foreign caches. */
export function narrows(args: readonly string[], { cwd, env = {}, limits, node = [], onStart }: StartOptions): Promise<Finished> {
  const began = performance.now();
  const [program, ...rest] = [...launcher, process.execPath, ...node, ...nodeArguments(args)];
  const child = spawn(program, rest, {
    cwd,
    env: { ...process.env, NO_COLOR: '1', NARROWS_SPIN: '0', HF_HUB_OFFLINE: '1', HF_HOME: `${cwd}/.hf`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  let broken: 'hang' | 'memory' | undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const watch =
    limits &&
    new Watch(child.pid!, limits, kind => {
      broken = kind;
      child.kill('SIGKILL');
    });
  onStart?.(child);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      watch?.stop();
      resolve({ code, signal, stdout, stderr, broken, seconds: (performance.now() - began) / 1000 });
    });
  });
}
