/**
 * @file Weight files are mapped: one that becomes shorter while it is in use ends the process with a bus error, and nothing in it can answer
 * that. Two guards: their lengths are checked before each run, and a shell of a few hundred kilobytes, which outlives the process, says so
 * where a run was under way.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { NarrowsError } from '../system/errors.ts';

/** A weight file, and up to which byte a graph reads it. */
export interface WeightFile {
  readonly file: string;
  readonly bytes: number;
}

let guard: ChildProcess | undefined;
const sentence = (file: string): string => `${file} was cut short while its weights were in use; copy the file again and start anew`;

/** @throws NarrowsError for a file that is shorter than what is read of it; one that was removed is still mapped whole */
export function checkWeightFiles(files: readonly WeightFile[]): void {
  for (const { file, bytes } of files) {
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    if (size === undefined || size >= bytes) continue;
    // It is said here; the shell need not say it again.
    guard?.stdin?.write('said\n');
    throw new NarrowsError(`${sentence(file)} (${size} of at least ${bytes} bytes are left).`);
  }
}

/** Reads "BYTES FILE" lines until the process that writes them is gone, then looks at each file. */
const SCRIPT = `
while read -r bytes file; do [ "$bytes" = said ] && exit 0; set -- "$@" "$bytes" "$file"; done
while [ $# -gt 1 ]; do
  if [ -f "$2" ]; then size=$(wc -c < "$2"); if [ "$size" -lt "$1" ]; then printf 'narrows: %s was cut short while its weights were in use; copy the file again and start anew.\\n' "$2" >&2; exit 1; fi; fi
  shift 2
done`;

let enabled = false;
const known = new Map<string, number>();

/** Lets the shell be started with the first weights: for a command line, whose process belongs to itself. */
export function guardWeights(): void {
  enabled = process.platform !== 'win32';
}

/** Names the files of a graph to the shell, where there is one. */
export function noteWeightFiles(files: readonly WeightFile[]): void {
  if (!enabled) return;
  for (const { file, bytes } of files) {
    if (/\n/.test(file) || (known.get(file) ?? 0) >= bytes) continue;
    known.set(file, bytes);
    if (!guard) {
      guard = spawn('/bin/sh', ['-c', SCRIPT, 'narrows-weights'], { stdio: ['pipe', 'ignore', 'inherit'] });
      // Without a shell there is the other guard.
      guard.on('error', () => {});
      guard.stdin?.on('error', () => {});
      guard.unref();
      (guard.stdin as unknown as { unref?(): void }).unref?.();
    }
    guard.stdin?.write(`${bytes} ${file}\n`);
  }
}
