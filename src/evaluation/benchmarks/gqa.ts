/** @file GQA: questions made from scene graphs; one word or phrase is right. */
import { parseJson } from '../../checkpoints/config.ts';
import type { DataPlace } from '../../inputs/tables/data-folder.ts';
import { parquetShards } from '../../inputs/tables/data-folder.ts';
import { furtherOf, idOf, optionalText, type TableRow, textOf } from '../../inputs/tables/table.ts';
import { readText } from '../../inputs/text-file.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { Pictures } from './loading/picture.ts';
import { filesNamed, nameOf, nothingOf, openPlace, rowsOf } from './loading/place.ts';
import { SHORT_PROMPTS } from './loading/prompts.ts';
import { QuestionList } from './loading/question-list.ts';
import type { QuestionSet } from './question.ts';

/** The split that is tested on by default, as LLaVA does. */
const USUAL = 'testdev_balanced';

function add(list: QuestionList, pictures: Pictures, row: TableRow, id: string | number | bigint, cell: unknown): void {
  const image = textOf(row, 'imageId');
  const picture = pictures.of(cell ?? `${image}.jpg`, row, 'imageId', image);
  const types = row.values.types as { readonly structural?: unknown } | undefined;
  const answer = optionalText(row, 'answer');
  list.add({
    id,
    kind: 'short',
    text: textOf(row, 'question'),
    pictures: picture ? [picture] : [],
    answers: answer === undefined ? [] : [answer],
    ...(typeof types?.structural === 'string' ? { category: types.structural } : {}),
    facts: furtherOf(row, ['id', 'question', 'answer', 'image']),
    where: row.where,
  });
}

/** lmms-lab keeps questions and pictures in two configs: `testdev_balanced_instructions` and `testdev_balanced_images`. */
async function fromParquet(list: QuestionList, pictures: Pictures, place: DataPlace, options: LoadOptions): Promise<boolean> {
  const all = parquetShards(place);
  if (all.length === 0) return false;
  const wanted = options.split ?? USUAL;
  const config = (kind: string) => all.find(one => one.config.endsWith(`${wanted}_${kind}`));
  const questions = config('instructions') ?? (all.length === 1 ? all[0] : undefined);
  if (!questions)
    throw new NarrowsError(
      `${nameOf(place)} has no folder ${wanted}_instructions; its folders are ${[...new Set(all.map(one => one.config))].join(', ')}; choose one by --split.`,
    );
  const images = config('images');
  const cells = new Map<string, unknown>();
  if (images) for await (const row of rowsOf(images.files, options.signal)) cells.set(textOf(row, 'id'), row.values.image);
  for await (const row of rowsOf(questions.files, options.signal)) {
    if (list.full) break;
    const cell = cells.get(textOf(row, 'imageId')) ?? row.values.image;
    if (images && cell === undefined)
      throw new NarrowsError(`${row.where}: the picture ${textOf(row, 'imageId')} is not among those of ${wanted}_images.`);
    add(list, pictures, row, idOf(row, 'id'), cell);
  }
  return true;
}

async function load(options: LoadOptions): Promise<QuestionSet> {
  const place = await openPlace(gqa, options);
  const list = new QuestionList('GQA', options);
  const pictures = new Pictures(place, options, ['images', 'data/images']);
  if (!(await fromParquet(list, pictures, place, options))) {
    const files = filesNamed(place, /_questions\.json$/i);
    const file = files.find(one => one.includes(options.split ?? USUAL)) ?? (place.file !== undefined ? files[0] : undefined);
    if (!file) throw nothingOf(gqa, place);
    const questions = parseJson(await readText(file), file) as Readonly<Record<string, Record<string, unknown>>>;
    for (const [id, values] of Object.entries(questions)) {
      if (list.full) break;
      options.signal?.throwIfAborted();
      add(list, pictures, { values, where: `${file}, question ${id}`, file }, id, undefined);
    }
  }
  return list.finish(nameOf(place));
}

/** GQA. */
export const gqa: Benchmark = {
  name: 'gqa',
  title: 'GQA',
  summary: 'Questions made from scene graphs about real pictures, answered by a word or phrase',
  kind: 'short',
  licence: "CC BY 4.0 as the authors' site says; pictures of Visual Genome under their own licences",
  source: 'lmms-lab/GQA on the Hugging Face hub; or testdev_balanced_questions.json and the images of the authors',
  format:
    'parquet in the folders testdev_balanced_instructions (id, imageId, question, answer, types, …) and testdev_balanced_images (id, image); testdev_balanced_questions.json with images/',
  size: 'testdev-balanced 12 578 questions over 398 pictures',
  citation:
    'Hudson and Manning, GQA: A New Dataset for Real-World Visual Reasoning and Compositional Question Answering, CVPR 2019, arXiv 1902.09506',
  scorers: ['exact@normalised', 'contains'],
  prompts: SHORT_PROMPTS,
  maxNewTokens: 16,
  load,
};
