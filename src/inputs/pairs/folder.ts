/** @file A folder of pictures as a list of pairs: with a list in it, with texts beside the pictures, or with one caption for all. */
import { readdir, readFile } from '../../node/disk.ts';
import { readRange } from '../../node/files.ts';
import { basename, extname, join, resolve, sep } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { readError } from '../../system/read-error.ts';
import { isDicom } from '../image/dicom/dataset.ts';
import { findData } from '../tables/data-folder.ts';
import { FOLDER_LISTS, type ListedPair, PICTURE_NAME } from './pair-rows.ts';

/** The preamble of a DICOM file and its mark, and a byte more. */
const HEAD = 133;

/** Whether a name without a picture's ending is a DICOM file, as archives write them (`IM0001`). An archive's index is one without pixels. */
async function isFilm(path: string): Promise<boolean> {
  if (basename(path).toUpperCase() === 'DICOMDIR') return false;
  // Shorter files are none.
  return readRange(path, 0, HEAD).then(isDicom, () => false);
}

/** Pictures of a folder. */
export interface FolderPictures {
  /** Paths below the folder, in the order in which people count: 2 before 10. */
  readonly pictures: readonly string[];
  /** Other files. */
  readonly others: readonly string[];
}

/** Finds the pictures of a folder, those of its folders too. @param except folder that is passed over @throws NarrowsError where it cannot be read */
export async function folderPictures(folder: string, except?: string): Promise<FolderPictures> {
  const { files } = await findData(folder);
  const out = { pictures: [] as string[], others: [] as string[] };
  for (const file of files) {
    const path = resolve(folder, file);
    if (except !== undefined && path.startsWith(resolve(except) + sep)) continue;
    out[PICTURE_NAME.test(file) || (await isFilm(path)) ? 'pictures' : 'others'].push(file);
  }
  const { compare } = new Intl.Collator('en', { numeric: true });
  out.pictures.sort(compare);
  return out;
}

/** The list that a folder brings; undefined where there is none. @throws NarrowsError where it cannot be read */
export async function folderList(folder: string): Promise<string | undefined> {
  const names = new Set(
    await readdir(folder).catch((error: unknown) => {
      throw readError(folder, error);
    }),
  );
  const name = FOLDER_LISTS.find(each => names.has(each));
  return name === undefined ? undefined : join(folder, name);
}

/** Pictures of a folder whose captions stand beside them, `cat.png` and `cat.txt`; empty where there are none. */
export async function textsBeside(folder: string): Promise<ListedPair[]> {
  const names = (await readdir(folder)).sort();
  const there = new Set(names);
  const pairs: ListedPair[] = [];
  for (const name of names) {
    const words = `${name.slice(0, name.length - extname(name).length)}.txt`;
    if (!PICTURE_NAME.test(name) || !there.has(words)) continue;
    const path = join(folder, name);
    const text = (await readFile(join(folder, words), 'utf8')).trim();
    pairs.push({ image: path, path, text, line: pairs.length + 1, where: join(folder, words), further: {} });
  }
  return pairs;
}

/**
 * A pair of each picture of a folder with one caption.
 * @param except folder that is passed over, such as that of the results @param onWarning called with what is left out
 * @throws NarrowsError for a folder without pictures
 */
export async function captionedPictures(
  folder: string,
  text: string,
  { except, onWarning }: { readonly except?: string; readonly onWarning?: (message: string) => void } = {},
): Promise<ListedPair[]> {
  const { pictures, others } = await folderPictures(folder, except);
  if (pictures.length === 0) throw new NarrowsError(`${folder} holds no pictures; give the folder of the pictures or a list of them.`);
  if (others.length > 0)
    onWarning?.(
      `${others.length} ${others.length === 1 ? 'file' : 'files'} of ${folder} ${others.length === 1 ? 'is no picture and is' : 'are no pictures and are'} left out: ${others.slice(0, 3).join(', ')}${others.length > 3 ? ', …' : ''}.`,
    );
  return pictures.map((image, i) => {
    const path = join(folder, image);
    return { image, path, text, line: i + 1, where: path, further: {} };
  });
}
