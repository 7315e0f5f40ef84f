/** @file A command as a subprocess, with its time and its memory as the kernel counts it. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Peaks in bytes. Resident = anonymous (heap, copies) + file (mapped weights, program text). */
export interface MemoryPeaks {
  readonly resident: number;
  readonly anonymous: number;
  readonly file: number;
}

/** What a command did. */
export interface CommandRun {
  readonly seconds: number;
  readonly startedAt: number;
  /** Linux only. */
  readonly memory?: MemoryPeaks;
}

const INTERVAL_MS = 10;

/** Runs node with `args` in `cwd`; memory is sampled where `sample` is set. @throws Error with its stderr when it fails */
export function runNode(args: readonly string[], cwd: string, sample = false): Promise<CommandRun> {
  const startedAt = Date.now();
  const from = performance.now();
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', piece => {
    errors += piece;
  });
  const peaks = { resident: 0, anonymous: 0, file: 0 };
  const timer = sample
    ? setInterval(() => {
        const now = readMemory(child.pid!);
        // VmHWM never falls, so the resident peak misses nothing between two samples.
        for (const key of ['resident', 'anonymous', 'file'] as const) peaks[key] = Math.max(peaks[key], now?.[key] ?? 0);
      }, INTERVAL_MS)
    : undefined;
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', code => {
      clearInterval(timer);
      const seconds = (performance.now() - from) / 1000;
      if (code !== 0) reject(new Error(`node ${args.join(' ')} ended with ${code}: ${errors.trim()}`));
      else resolve({ seconds, startedAt, memory: peaks.resident ? peaks : undefined });
    });
  });
}

function readMemory(pid: number): MemoryPeaks | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'utf8');
    const bytes = (key: string): number => 1024 * Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
    return { resident: bytes('VmHWM'), anonymous: bytes('RssAnon'), file: bytes('RssFile') };
  } catch {
    return undefined;
  }
}
