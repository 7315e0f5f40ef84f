/** @file A file of questions under a shift: its texts, or its pictures with a file that points to the new ones. */
import { createHash } from 'node:crypto';
import { basename, dirname, join, resolve } from 'node:path';
import { jsonRecords } from '../../inputs/chat/json-records.ts';
import { readFile, stat } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { shiftTextAsync } from '../../shifts/apply.ts';
import type { TextShiftOptions } from '../../shifts/shift.ts';
import { ANSWER_INSTRUCTIONS, IMAGE_PLACES } from '../../shifts/suites/apply-scenario.ts';
import { NarrowsError } from '../../system/errors.ts';
import { exactJson } from '../../system/exact-json.ts';
import { readError } from '../../system/read-error.ts';
import type { Context } from '../command.ts';
import { targetName } from './folder.ts';
import type { Format, PictureTask } from './pictures.ts';
import { changeWords, type NamedPicture, optionLists, picturesIn, rowOf, withPictures } from './rows.ts';

/** Turns of one row draw numbers that lie so far apart. */
const TURNS_APART = 2 ** 24;
/** Folder of the pictures in an output. */
const PICTURES = 'images';

/** A row with where it stands. */
export interface QuestionRow {
  readonly row: Readonly<Record<string, unknown>>;
  readonly where: string;
}

/** All rows, whether they are a list (or JSON lines), and a hash of the file. @throws NarrowsError for what is no JSON, or no row at all */
export async function readRows(file: string): Promise<{ rows: QuestionRow[]; list: boolean; sha256: string }> {
  const bytes = await readFile(file).catch(error => {
    throw readError(file, error);
  });
  const rows: QuestionRow[] = [];
  for await (const { value, where } of jsonRecords(file)) rows.push({ row: rowOf(value, where), where });
  if (rows.length === 0) throw new NarrowsError(`${file} holds no questions.`);
  const list = bytes
    .subarray(0, 64)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart()
    .startsWith('[');
  return { rows, list, sha256: createHash('sha256').update(bytes).digest('hex').slice(0, 16) };
}

/** Writes rows in the form that they were read in. */
export async function writeRows(path: string, rows: readonly unknown[], list: boolean): Promise<void> {
  const lines = rows.map((row, i) => Buffer.from(list ? `${i ? ',\n' : '[\n'}${exactJson(row)}` : `${exactJson(row)}\n`));
  await writeFileAtomic(path, list ? [...lines, Buffer.from('\n]\n')] : lines);
}

/** A text shift over all rows; pictures' marks, answer instructions and lists of options stay as they are. */
export async function shiftQuestions(
  context: Context,
  rows: readonly QuestionRow[],
  shift: { readonly name: string; readonly severity: number },
  { protect = [], ...options }: TextShiftOptions & { readonly seed: number },
): Promise<{ rows: unknown[]; changed: number }> {
  const out: unknown[] = [];
  let changed = 0;
  const progress = context.progress({ label: 'Shifting', unit: 'questions', total: rows.length });
  try {
    for (const [sample, { row, where }] of rows.entries()) {
      context.signal.throwIfAborted();
      const id = row.question_id ?? row.id;
      const shifted = await changeWords(row, where, (text, turn) =>
        shiftTextAsync(shift.name, text, shift.severity, {
          ...options,
          ...(id === undefined ? {} : { id: String(id) }),
          protect: [...IMAGE_PLACES, ...ANSWER_INSTRUCTIONS, ...optionLists(text), ...protect],
          sample: sample + turn * TURNS_APART,
        }),
      );
      if (exactJson(shifted) !== exactJson(row)) changed++;
      out.push(shifted);
      progress.update(sample + 1);
    }
    progress.done();
  } catch (error) {
    progress.fail();
    throw error;
  }
  return { rows: out, changed };
}

/** A path below the output's folder of pictures for any path as written. */
function placeFor(path: string, format: Format): string {
  const parts = path.split(/[\\/]+/).filter(part => part !== '' && part !== '.' && !/^[A-Za-z]:$/.test(part));
  const inside = parts.includes('..') ? parts.slice(parts.lastIndexOf('..') + 1) : parts;
  return `${PICTURES}/${targetName(inside.join('/') || 'picture', format)}`;
}

/** Pictures of all rows, each once, in the order of their first rows, and rows that point to the shifted ones. */
export interface PicturePlan {
  readonly tasks: readonly PictureTask[];
  readonly rows: readonly unknown[];
}

/**
 * Which pictures are to be shifted. Paths start at `folder`; rows without pictures stay as they are.
 * @throws NarrowsError where no row names a picture, for ones that are not there (all counted), and for two that would share a name
 */
export async function planPictures(
  file: string,
  rows: readonly QuestionRow[],
  folder = dirname(file),
  format: Format = 'png',
): Promise<PicturePlan> {
  const tasks = new Map<string, PictureTask>();
  const takers = new Map<string, string>();
  const missing: { where: string; path: string }[] = [];
  const place = async ({ path }: NamedPicture, where: string): Promise<string> => {
    const source = resolve(folder, path);
    const known = tasks.get(source);
    if (known) return known.target;
    if (
      !(await stat(source).then(
        found => found.isFile(),
        () => false,
      ))
    )
      missing.push({ where, path: source });
    const target = placeFor(path, format);
    const other = takers.get(target.toLowerCase());
    if (other !== undefined)
      throw new NarrowsError(`${where}: ${source} and ${other} would both be written as ${target}; rename one of them.`);
    takers.set(target.toLowerCase(), source);
    tasks.set(source, { source, target, sample: tasks.size });
    return target;
  };
  const out: unknown[] = [];
  for (const { row, where } of rows) {
    const pictures = picturesIn(row, where);
    const paths: string[] = [];
    for (const picture of pictures) paths.push(await place(picture, where));
    out.push(withPictures(row, pictures, paths));
  }
  if (tasks.size === 0) throw new NarrowsError(`${file} names no pictures ("image" or "images"), so there is nothing to shift.`);
  if (missing.length > 0)
    throw new NarrowsError(
      `${missing[0].where}: there is no picture ${missing[0].path}${missing.length > 1 ? `, and ${missing.length - 1} more are missing` : ''}; name their folder with --image-folder.`,
    );
  return { tasks: [...tasks.values()], rows: out };
}

/** Where the questions go: under their file's name. */
export const questionsIn = (output: string, file: string): string => join(output, basename(file));
