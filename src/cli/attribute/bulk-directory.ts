/** @file Where many maps go. */
import { isFolder } from '../../inputs/pairs/list-pairs.ts';
import { NarrowsError } from '../../system/errors.ts';

/**
 * The directory of a bulk call.
 * @param file the list, or the folder of pictures @param contents what comes into the directory
 * @throws NarrowsError (usage) where no directory or several are named
 */
export async function bulkDirectory(file: string, outputs: readonly string[] | undefined, contents: string): Promise<string> {
  if (outputs?.length === 1) return outputs[0];
  // Whoever gave a folder in a picture's place may not have meant many pictures.
  const subject = (await isFolder(file)) ? `${file} is a directory, whose pictures get a map each: that` : '--pairs';
  throw new NarrowsError(`${subject} needs one --output, the directory of the ${contents}.`, { kind: 'usage' });
}
