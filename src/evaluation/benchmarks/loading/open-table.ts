/** @file Sets that are one table of open questions with pictures. */
import type { DataPlace } from '../../../inputs/tables/data-folder.ts';
import { furtherOf, optionalText, type TableRow, textOf } from '../../../inputs/tables/table.ts';
import type { LoadOptions } from '../benchmark.ts';
import type { QuestionSet } from '../question.ts';
import { Pictures } from './picture.ts';
import { filesNamed, nameOf, oneConfig, rowsOf, shardsFor } from './place.ts';
import { QuestionList } from './question-list.ts';

/** Names of the columns. */
export interface OpenForm {
  readonly title: string;
  /** Splits, the usual one first. */
  readonly splits: readonly string[];
  readonly question: readonly string[];
  readonly reference: readonly string[];
  readonly category: readonly string[];
  /** The id; without it the row's number from 0. */
  readonly id: readonly string[];
  /** Folder of the usual config, where the hub has several. */
  readonly config?: RegExp;
}

/** Loads the parquet or JSON-lines files of a place. @returns undefined where it holds none @throws NarrowsError naming file and row */
export async function loadOpenTable(form: OpenForm, options: LoadOptions, place: DataPlace): Promise<QuestionSet | undefined> {
  const list = new QuestionList(form.title, options);
  const shards = shardsFor(place, form.splits, options.split);
  const files = shards
    ? oneConfig(shards, form.config ?? /^$/, sentence => list.warn(sentence)).flatMap(one => one.files)
    : filesNamed(place, /\.jsonl$/i).slice(0, 1);
  if (files.length === 0) return undefined;
  const pictures = new Pictures(place, options, ['images']);
  const used = [...form.question, ...form.reference, ...form.category, ...form.id, 'image'];
  let index = 0;
  const idOfRow = (row: TableRow): string | number => optionalText(row, ...form.id) ?? index;
  for await (const row of rowsOf(files, options.signal)) {
    if (list.full) break;
    const id = idOfRow(row);
    const reference = optionalText(row, ...form.reference);
    const category = optionalText(row, ...form.category);
    const picture = pictures.of(row.values.image, row, 'image', `image of ${id}`);
    list.add({
      id,
      kind: 'open',
      text: textOf(row, ...form.question).trim(),
      pictures: picture ? [picture] : [],
      answers: [],
      ...(category === undefined ? {} : { category }),
      facts: { ...furtherOf(row, used), ...(reference === undefined ? {} : { reference }) },
      where: row.where,
    });
    index++;
  }
  return list.finish(nameOf(place));
}
