/** @file The files of a checkpoint, wherever they stand: a directory (node/disk-files.ts), a server, a person's choice in a browser. */
import { NarrowsError } from './errors.ts';
import type { Hasher } from './sha256.ts';

/** Files of one checkpoint by their plain names. Every promise rejects with a `NarrowsError` that names the file. */
export interface ModelFiles {
  /** What messages call the place: the directory's path, the address. */
  readonly name: string;
  /** Names of all files. @throws NarrowsError where the place itself is not there */
  list(): Promise<readonly string[]>;
  /** Bytes of a file. @throws NarrowsError, with a cause of code ENOENT where it is missing (see `isMissing`) */
  size(file: string): Promise<number>;
  /** `length` bytes from `offset` on (by default the whole file), in memory of their own. @throws NarrowsError as `size`, or where the file is shorter */
  read(file: string, offset?: number, length?: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Where the runtime finds the bytes (on disk the real path: links resolved), of the place itself without a name. By default `fileIn`. */
  locate?(file?: string): Promise<string>;
  /** A text that changes whenever the file is written to or replaced; without it hashes are not remembered. */
  fingerprint?(file: string): Promise<string>;
  /** A SHA-256 that is faster than the one that runs anywhere. */
  createHash?(): Hasher;
}

/** How messages name a file. */
export const fileIn = (files: ModelFiles, file: string): string => `${files.name.replace(/\/+$/, '')}/${file}`;

/** The location of a file (see `ModelFiles.locate`). */
export const locate = async (files: ModelFiles, file?: string): Promise<string> =>
  files.locate ? files.locate(file) : file === undefined ? files.name : fileIn(files, file);

/** A file's text, UTF-8. @throws NarrowsError as `ModelFiles.read` */
export const readText = async (files: ModelFiles, file: string): Promise<string> =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(await files.read(file));

/** Whether a read failed because the file is not there. */
export const isMissing = (error: unknown): boolean =>
  error instanceof NarrowsError && (error.cause as { readonly code?: unknown } | undefined)?.code === 'ENOENT';
