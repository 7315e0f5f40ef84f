/** @file A file that grows by whole records, each handed to the operating system before the call returns: kill -9 loses none of them. */
import { closeSync, mkdirSync, openSync, requireEndingSync, writeSync } from '../../node/disk.ts';
import { writeError } from '../../node/files.ts';
import { dirname } from '../../node/paths.ts';

/** Appends to one file. Writing is synchronous: records are small, and their order is what counts. */
export class AppendFile {
  private fd: number | undefined;

  /** Opens `path` for appending, making its directory where needed. @throws NarrowsError when it cannot be opened. */
  constructor(readonly path: string) {
    requireEndingSync(path);
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.fd = openSync(path, 'a');
    } catch (error) {
      throw writeError(path, error);
    }
  }

  /** Appends bytes. @throws NarrowsError when the disk is full or the file was closed. */
  append(bytes: Uint8Array): void {
    try {
      if (this.fd === undefined) throw new Error('it is closed');
      for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at);
    } catch (error) {
      throw writeError(this.path, error);
    }
  }

  /** Closes the file; a second call does nothing. */
  close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
  }
}
