/** @file LLaVA-Bench in its two forms: LLaVA's JSON lines (questions, context, reference) and lmms-lab's parquet. */
import type { DataPlace } from '../../../inputs/tables/data-folder.ts';
import { cellOf, furtherOf, idOf, optionalText, type TableRow, textOf } from '../../../inputs/tables/table.ts';
import { basename } from '../../../node/paths.ts';
import { NarrowsError } from '../../../system/errors.ts';
import type { LoadOptions } from '../benchmark.ts';
import type { QuestionSet } from '../question.ts';
import { Pictures } from './picture.ts';
import { filesNamed, nameOf, rowsOf, shardsFor } from './place.ts';
import { withoutInstruction } from './prompts.ts';
import { QuestionList } from './question-list.ts';

/** A box with its name; left, top, right, bottom as shares of the picture. */
export interface BoxedThing {
  readonly category: string;
  readonly bbox: readonly number[];
}

/** What a judge is given with question and answers. */
interface Context {
  readonly captions: readonly string[];
  readonly instances: readonly BoxedThing[];
}

/** How one of the sets names its files and columns. */
export interface LlavaBenchForm {
  readonly title: string;
  /** LLaVA's files. */
  readonly questions: RegExp;
  readonly context: RegExp;
  readonly reference: RegExp;
  /** Columns of the parquet for the reference answer. */
  readonly answer: readonly string[];
  readonly folders: readonly string[];
}

/** `000000441147` of `COCO_val2014_000000441147.jpg`: files of one set write either. */
const stem = (image: string): string =>
  basename(image)
    .replace(/\.\w+$/, '')
    .replace(/^COCO_(?:train|val|test)\d+_/, '');

const BOX = /^(.+): \[([^\]]+)\]$/;

/** Captions, an empty line, boxes, as lmms-lab keeps them in one text. */
function contextOf(text: string): Context {
  const [captions, boxes = ''] = text.split(/\n\s*\n/, 2);
  const instances = boxes.split('\n').flatMap(line => {
    const [, category, numbers] = BOX.exec(line.trim()) ?? [];
    return category === undefined ? [] : [{ category, bbox: numbers.split(',').map(Number) }];
  });
  return { captions: captions.split('\n').filter(line => line.trim() !== ''), instances };
}

function fromRow(row: TableRow): Context {
  const { captions, instances, caption } = row.values;
  if (typeof caption === 'string') return { captions: [caption], instances: [] };
  if (!Array.isArray(captions)) throw new NarrowsError(`${row.where}: the context has neither "captions" nor "caption".`);
  return { captions: captions.map(String), instances: Array.isArray(instances) ? (instances as BoxedThing[]) : [] };
}

async function fromFiles(
  form: LlavaBenchForm,
  list: QuestionList,
  pictures: Pictures,
  options: LoadOptions,
  place: DataPlace,
): Promise<boolean> {
  const [questions] = filesNamed(place, form.questions);
  if (!questions) return false;
  const [context] = filesNamed(place, form.context);
  const [reference] = filesNamed(place, form.reference);
  const contexts = new Map<string, Context>();
  const references = new Map<string, string>();
  if (context)
    for await (const row of rowsOf([context], options.signal)) contexts.set(stem(String(cellOf(row, 'image', 'id'))), fromRow(row));
  else list.warn(`${nameOf(place)} has no file of contexts (captions and boxes): a judge knows nothing of the picture.`);
  if (reference)
    for await (const row of rowsOf([reference], options.signal))
      references.set(String(idOf(row, 'question_id')), textOf(row, 'text', 'answer'));
  else list.warn(`${nameOf(place)} has no file of reference answers: a judge has nothing to compare with.`);
  for await (const row of rowsOf([questions], options.signal)) {
    if (list.full) break;
    const image = textOf(row, 'image');
    const id = idOf(row, 'question_id');
    const known = contexts.get(stem(image));
    const answer = references.get(String(id));
    if (context && !known) list.note('context', row.where, n => `${n} questions have no context in ${basename(context)}`);
    if (reference && answer === undefined)
      list.note('reference', row.where, n => `${n} questions have no reference answer in ${basename(reference)}`);
    const picture = pictures.file(image, row);
    list.add({
      id,
      kind: 'open',
      text: withoutInstruction(textOf(row, 'text')),
      pictures: [picture],
      answers: [],
      category: textOf(row, 'category'),
      facts: {
        ...furtherOf(row, ['question_id', 'image', 'text', 'category']),
        image,
        ...(known ?? { captions: [], instances: [] }),
        ...(answer === undefined ? {} : { reference: answer }),
      },
      where: row.where,
    });
  }
  return true;
}

/** Loads either form. @returns undefined where the place holds neither @throws NarrowsError naming file and row */
export async function loadLlavaBench(form: LlavaBenchForm, options: LoadOptions, place: DataPlace): Promise<QuestionSet | undefined> {
  const list = new QuestionList(form.title, options);
  const pictures = new Pictures(place, options, form.folders);
  const shards = shardsFor(place, ['train', 'test']);
  if (shards) {
    for (const { files } of shards)
      for await (const row of rowsOf(files, options.signal)) {
        if (list.full) break;
        const image = optionalText(row, 'image_id');
        const picture = pictures.of(row.values.image, row, 'image', image);
        const reference = optionalText(row, ...form.answer);
        list.add({
          id: idOf(row, 'question_id'),
          kind: 'open',
          text: withoutInstruction(textOf(row, 'question')),
          pictures: picture ? [picture] : [],
          answers: [],
          category: textOf(row, 'category'),
          facts: {
            ...furtherOf(row, ['question_id', 'question', 'image', 'category', 'caption', ...form.answer]),
            ...contextOf(optionalText(row, 'caption') ?? ''),
            ...(reference === undefined ? {} : { reference }),
          },
          where: row.where,
        });
      }
  } else if (!(await fromFiles(form, list, pictures, options, place))) return undefined;
  return list.finish(nameOf(place));
}
