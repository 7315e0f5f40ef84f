/** @file Tokenizers by a directory on disk: Node's way into what the core reads from `ModelFiles`. */
import { diskFiles } from '../../node/disk-files.ts';
import { Tokenizer as FilesTokenizer } from './tokenizer.ts';
import { readTokenizerFiles } from './tokenizer-files.ts';

/** A tokenizer made from the files of a checkpoint; `instanceof` holds for every one, however it was opened. */
export class Tokenizer extends FilesTokenizer {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof FilesTokenizer;
  }

  /** `fromFiles` of a checkpoint's directory; throws as it does. */
  static fromDirectory(directory: string): Promise<FilesTokenizer> {
    return FilesTokenizer.fromFiles(diskFiles(directory));
  }
}

/** `readTokenizerFiles` of a directory; throws as it does. */
export const readTokenizerDirectory = (directory: string): ReturnType<typeof readTokenizerFiles> =>
  readTokenizerFiles(diskFiles(directory));
