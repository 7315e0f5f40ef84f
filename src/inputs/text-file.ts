/** @file Text files of data, whole or in pieces; how their bytes are read is in text-decoder.ts. */
import { readFile, readPieces, stat } from '../node/disk.ts';
import { NarrowsError } from '../system/errors.ts';
import { readError } from '../system/read-error.ts';
import { decodeText, FileDecoder } from './text-decoder.ts';

/** Looks before a file is read. @throws NarrowsError for what is missing or no file: reading a pipe that nobody writes would wait for ever, and no signal would end it */
export async function requireFile(file: string): Promise<void> {
  const info = await stat(file).catch(error => {
    throw readError(file, error);
  });
  if (info.isDirectory()) throw readError(file, { code: 'EISDIR' });
  if (!info.isFile())
    throw new NarrowsError(`Cannot read ${file}: it is ${info.isFIFO() ? 'a named pipe' : 'no file'}; save the text as a file.`);
}

/** A whole text file. @throws NarrowsError where it cannot be read, or as `decodeText` */
export async function readText(file: string): Promise<string> {
  await requireFile(file);
  return decodeText(
    await readFile(file).catch(error => {
      throw readError(file, error);
    }),
    file,
  );
}

/** A text file in pieces. @throws NarrowsError as `readText` */
export async function* textChunks(file: string, size = 2 ** 18): AsyncGenerator<string> {
  await requireFile(file);
  const decoder = new FileDecoder(file);
  try {
    let any = false;
    for await (const bytes of readPieces(file, { size })) {
      any = true;
      yield decoder.decode(bytes, false);
    }
    if (any) yield decoder.decode(new Uint8Array(), true);
  } catch (error) {
    throw readError(file, error);
  }
}
