/** @file Where and when a benchmark ran: CPU, load, versions, commit. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { nodeRuntime } from '../src/runtime/node.ts';
import { version } from '../src/system/version.ts';
import type { Peer } from './peer.ts';

/** The record that every result file begins with. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly threads: number;
  readonly memoryGB: number;
  readonly os: string;
  readonly node: string;
  readonly runtime: string;
  readonly narrows: string;
  /** With `+` where the working tree had changes. */
  readonly commit: string;
  /** Versions as the worker tells them. */
  readonly torch?: string;
  readonly loadBefore: number;
  loadAfter?: number;
  /** Nothing else was running when it began. */
  readonly clean: boolean;
}

/** Above this one-minute load average a measurement is not to be trusted. */
export const LOAD_LIMIT = 0.7;

/** One-minute load average. */
export const load = (): number => Math.round(loadavg()[0] * 100) / 100;

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { encoding: 'utf8', cwd: new URL('.', import.meta.url), stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

/** @param loadBefore as read before anything was started */
export async function describeMachine(threads: number, loadBefore: number, peer: Peer | undefined): Promise<Machine> {
  const { name, version: ortVersion } = nodeRuntime();
  const hello = peer && (await peer.ask({ cmd: 'hello' }));
  const commit = git('rev-parse', '--short', 'HEAD');
  return {
    cpu: cpuName(),
    cores: availableParallelism(),
    threads,
    memoryGB: Math.round(totalmem() / 1e9),
    os: `${process.platform} ${release()}`,
    node: process.version,
    runtime: `${name} ${ortVersion}`,
    narrows: version,
    commit: commit ? `${commit}${git('status', '--porcelain', '--untracked-files=no', 'src', 'bench') ? '+' : ''}` : 'unknown',
    ...(hello ? { torch: `${hello.torch} (Python ${hello.python}, ${hello.isa}, ${hello.threads} threads)` } : {}),
    loadBefore,
    clean: loadBefore <= LOAD_LIMIT,
  };
}

/** As the kernel names it, with family and model where the name alone says little (virtual machines). */
function cpuName(): string {
  const name = cpus()[0]?.model.trim() ?? 'unknown CPU';
  try {
    const text = readFileSync('/proc/cpuinfo', 'utf8');
    const field = (key: string): string | undefined => new RegExp(`^${key}\\s*: (\\d+)$`, 'm').exec(text)?.[1];
    const [family, model] = [field('cpu family'), field('model')];
    if (family && model) return `${name} (family ${family}, model ${model})`;
  } catch {
    // Not Linux: the name must do.
  }
  return name;
}

/** A name for files: `amd-epyc-2-cores`. */
export function machineSlug({ cpu, cores }: Machine): string {
  const slug = cpu
    .replace(/\(.*?\)/g, '')
    .replace(/[^a-z0-9]+/gi, '-')
    .replace(/^-+|-+$/g, '')
    .toLowerCase();
  return `${slug}-${cores}-cores`;
}
