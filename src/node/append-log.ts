/** @file A file of lines that only grows: whole lines whatever happens, on the disk before a call returns, read back by place. */
import { read, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { readError } from '../system/read-error.ts';
import { makeDirectory, writeError } from './files.ts';
import { requireEnding } from './read-file.ts';

/** Where a line stands, without its line end. */
export interface LinePlace {
  /** Bytes from the file's start. */
  readonly at: number;
  readonly bytes: number;
}

const PIECE = 1 << 20;
const NEWLINE = 0x0a;

interface Waiting {
  readonly line: Buffer;
  readonly done: (place: LinePlace) => void;
  readonly fail: (error: unknown) => void;
}

/** An open file of lines. Calls of `append` that come while one is being written go to the disk together. */
export class AppendLog {
  private queue: Waiting[] = [];
  private writing: Promise<void> | undefined;

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private end: number,
    /** Bytes behind the last line end when the file was opened: a line cut short, which was taken away unless the file is only read. */
    readonly torn: number,
  ) {}

  /**
   * Opens a file, or makes it with its directory.
   * @param readOnly opens what is there, though another process may be writing it
   * @returns undefined where `readOnly` finds no file. @throws NarrowsError where it cannot be read or written
   */
  static async open(path: string, readOnly?: false): Promise<AppendLog>;
  static async open(path: string, readOnly: boolean): Promise<AppendLog | undefined>;
  static async open(path: string, readOnly = false): Promise<AppendLog | undefined> {
    if (!readOnly)
      await makeDirectory(dirname(path)).catch(error => {
        throw writeError(path, error);
      });
    await requireEnding(path);
    const handle = await open(path, readOnly ? 'r' : 'a+').catch((error: NodeJS.ErrnoException) => {
      if (readOnly && ['ENOENT', 'ENOTDIR'].includes(error.code ?? '')) return undefined;
      throw readOnly ? readError(path, error) : writeError(path, error);
    });
    if (!handle) return undefined;
    try {
      const { size } = await handle.stat();
      const end = await lastLineEnd(handle, size);
      if (end < size && !readOnly) await handle.truncate(end);
      return new AppendLog(path, handle, end, size - end);
    } catch (error) {
      await handle.close();
      throw readError(path, error);
    }
  }

  /** All whole lines in their order. @throws NarrowsError where the file cannot be read */
  async *lines(): AsyncGenerator<LinePlace & { readonly text: string }> {
    let rest = Buffer.alloc(0);
    let at = 0;
    for (let from = 0; from < this.end; from += PIECE) {
      const piece = Buffer.alloc(Math.min(PIECE, this.end - from));
      await promisify(read)(this.handle.fd, piece, 0, piece.length, from).catch(error => {
        throw readError(this.path, error);
      });
      rest = rest.length ? Buffer.concat([rest, piece]) : piece;
      let start = 0;
      for (let stop = rest.indexOf(NEWLINE); stop >= 0; stop = rest.indexOf(NEWLINE, start)) {
        yield { at, bytes: stop - start, text: rest.toString('utf8', start, stop) };
        at += stop - start + 1;
        start = stop + 1;
      }
      rest = rest.subarray(start);
    }
  }

  /** The text of a line. @throws NarrowsError where it cannot be read */
  line({ at, bytes }: LinePlace): string {
    const buffer = Buffer.alloc(bytes);
    try {
      for (let done = 0; done < bytes; ) {
        const count = readSync(this.handle.fd, buffer, done, bytes - done, at + done);
        if (count === 0) throw new Error('the file has become shorter');
        done += count;
      }
    } catch (error) {
      throw readError(this.path, error);
    }
    return buffer.toString('utf8');
  }

  /** Appends a line (which holds no line end) and waits until it is on the disk. @throws NarrowsError where it cannot be written; earlier lines stay whole */
  append(text: string): Promise<LinePlace> {
    return new Promise((done, fail) => {
      this.queue.push({ line: Buffer.from(`${text}\n`), done, fail });
      this.writing ??= this.write().finally(() => {
        this.writing = undefined;
      });
    });
  }

  private async write(): Promise<void> {
    while (this.queue.length > 0) {
      const waiting = this.queue;
      this.queue = [];
      try {
        await this.handle.appendFile(Buffer.concat(waiting.map(w => w.line)));
        await this.handle.datasync();
      } catch (error) {
        // A part of it may stand there: it is taken away, so that what comes next does not begin in the middle of a line.
        await this.handle.truncate(this.end).catch(() => {});
        const reason = writeError(this.path, error);
        for (const { fail } of waiting) fail(reason);
        continue;
      }
      for (const { line, done } of waiting) {
        done({ at: this.end, bytes: line.length - 1 });
        this.end += line.length;
      }
    }
  }

  /** Waits for what is being written and closes the file. */
  async close(): Promise<void> {
    await this.writing;
    await this.handle.close();
  }
}

async function lastLineEnd(handle: FileHandle, size: number): Promise<number> {
  for (let stop = size; stop > 0; stop -= PIECE) {
    const from = Math.max(0, stop - PIECE);
    const piece = Buffer.alloc(stop - from);
    await handle.read(piece, 0, piece.length, from);
    const found = piece.lastIndexOf(NEWLINE);
    if (found >= 0) return from + found + 1;
  }
  return 0;
}
