/** @file What `--pairs` may name: a list, or a folder of pictures. */
import { stat } from '../../node/disk.ts';
import { NarrowsError } from '../../system/errors.ts';
import { captionedPictures, folderList, textsBeside } from './folder.ts';
import { FOLDER_LISTS, type ListedPair, type ReadPairsOptions } from './pair-rows.ts';
import { readPairs } from './read-pairs.ts';

/** Whether a path is that of a folder. */
export const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    info => info.isDirectory(),
    () => false,
  );

/** How a list or a folder is read. */
export interface ListPairsOptions extends ReadPairsOptions {
  /** Of a folder: the caption of every picture. Without it the folder brings a list, or texts beside its pictures. */
  readonly text?: string;
  /** Of a folder: one inside of it that is passed over. */
  readonly except?: string;
}

/** Pairs, and what they were read from. */
export interface PairList {
  readonly pairs: readonly ListedPair[];
  /** The list, or the folder: sentences about its lines (of a folder, its pictures) begin with it. */
  readonly file: string;
}

/** @throws NarrowsError as `readPairs`, for a folder that says no captions, and for a caption besides those of a list */
export async function listPairs(path: string, options: ListPairsOptions = {}): Promise<PairList> {
  const { text, except, onWarning } = options;
  if (!(await isFolder(path))) {
    if (text !== undefined)
      throw new NarrowsError(`${path} brings its own captions; leave the caption out, or give a folder of pictures.`, { kind: 'usage' });
    return { pairs: await readPairs(path, options), file: path };
  }
  if (text !== undefined) return { pairs: await captionedPictures(path, text, { except, onWarning }), file: path };
  const list = await folderList(path);
  if (list !== undefined) return { pairs: await readPairs(list, options), file: list };
  const pairs = await textsBeside(path);
  if (pairs.length > 0) return { pairs, file: path };
  throw new NarrowsError(
    `${path} holds no list of pairs (${FOLDER_LISTS.join(', ')}) and no captions beside its pictures (cat.png with cat.txt); add one of them, or give one caption for all.`,
    { kind: 'usage' },
  );
}
