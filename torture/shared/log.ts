/** @file The log of a run: a JSON line per finished case. The same command goes on behind the last whole line. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';

/** A finished case. */
export interface Entry {
  readonly index: number;
}

/** The lines of a log, and a place for more. */
export class CaseLog<T extends Entry> {
  readonly entries: T[] = [];

  /** Reads what is there; a line that was cut short is cut off. */
  constructor(readonly path: string) {
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path)) return;
    const text = readFileSync(path, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
    for (const line of whole.split('\n')) if (line) this.entries.push(JSON.parse(line) as T);
  }

  /** The first case that is not there. */
  get next(): number {
    return this.entries.reduce((last, { index }) => Math.max(last, index + 1), 0);
  }

  add(entry: T): void {
    this.entries.push(entry);
    appendFileSync(this.path, `${JSON.stringify(entry)}\n`);
  }
}
