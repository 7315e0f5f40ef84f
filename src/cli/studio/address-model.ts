/** @file A model at an address: its files are fetched into a folder of this start, from which Node's runtime reads them; nothing of them stays. */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { makeDirectory, writeFileAtomic } from '../../node/files.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type FileOptions, openFiles } from '../../web/files/open-files.ts';

/** Whether a reference is an address. */
export const isAddress = (reference: string): boolean => /^https?:\/\//.test(reference);

/** Fetches the files. @param root folder of this start @throws NarrowsError for what is no model, or cannot be had */
export async function fetchModel(
  address: string,
  root: string,
  options: Pick<FileOptions, 'signal' | 'onProgress' | 'onWarning'>,
): Promise<{ readonly directory: string; readonly name: string }> {
  const files = await openFiles(address, { ...options, store: 'memory' });
  const directory = join(root, createHash('sha256').update(address).digest('hex').slice(0, 16), files.name);
  const names = await files.list();
  const odd = [files.name, ...names].find(name => basename(name) !== name || name.startsWith('.'));
  if (odd !== undefined) throw new NarrowsError(`The model at ${address} names a file "${odd}", which is no plain name; it is not opened.`);
  await makeDirectory(directory);
  for (const name of names) await writeFileAtomic(join(directory, name), await files.read(name));
  return { directory, name: files.name };
}
