/** @file TextVQA: questions that need the text in a picture to be read; ten people's answers each. */
import { cellOf, furtherOf, idOf, kindOf, optionalText, type TableRow, textOf } from '../../inputs/tables/table.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { Pictures } from './loading/picture.ts';
import { filesNamed, nameOf, nothingOf, openPlace, rowsOf, shardsFor } from './loading/place.ts';
import { SHORT_PROMPTS } from './loading/prompts.ts';
import { QuestionList } from './loading/question-list.ts';
import type { QuestionSet } from './question.ts';

function answersOf(row: TableRow): readonly string[] {
  const value = cellOf(row, 'answers');
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some(one => typeof one !== 'string'))
    throw new NarrowsError(`${row.where}: column answers should hold a list of texts, but holds ${kindOf(value)}.`);
  return value;
}

async function load(options: LoadOptions): Promise<QuestionSet> {
  const place = await openPlace(textvqa, options);
  const list = new QuestionList('TextVQA', options);
  const pictures = new Pictures(place, options, ['train_images', 'train_val_images/train_images', 'test_images']);
  const shards = shardsFor(place, ['validation', 'val', 'test'], options.split);
  const files =
    shards?.flatMap(one => one.files) ??
    filesNamed(place, /textvqa.*\.json$/i)
      .filter(file => file.includes(options.split ?? 'val'))
      .slice(0, 1);
  if (files.length === 0) throw nothingOf(textvqa, place);
  for await (const row of rowsOf(files, options.signal)) {
    if (list.full) break;
    const image = textOf(row, 'image_id');
    const picture = pictures.of(row.values.image ?? `${image}.jpg`, row, 'image', image);
    const category = optionalText(row, 'set_name');
    list.add({
      id: idOf(row, 'question_id'),
      kind: 'short',
      text: textOf(row, 'question'),
      pictures: picture ? [picture] : [],
      answers: answersOf(row),
      ...(category === undefined ? {} : { split: category }),
      facts: furtherOf(row, ['question', 'question_id', 'answers', 'image', 'question_tokens']),
      where: row.where,
    });
  }
  return list.finish(nameOf(place));
}

/** TextVQA. */
export const textvqa: Benchmark = {
  name: 'textvqa',
  title: 'TextVQA',
  summary: 'Questions that need the text in a picture to be read; an answer counts by how many of ten people gave it',
  kind: 'short',
  licence: 'CC BY 4.0 (the questions); pictures of Open Images under their own licences',
  source: 'lmms-lab/textvqa on the Hugging Face hub; or TextVQA_0.5.1_val.json and train_images of the authors',
  format: 'parquet (image_id, question_id, question, image, answers, …); TextVQA_0.5.1_val.json with train_images/',
  size: 'validation 5 000 questions over 3 166 pictures',
  citation: 'Singh et al., Towards VQA Models That Can Read, CVPR 2019, arXiv 1904.08920',
  scorers: ['exact@vqa-soft', 'exact@normalised', 'contains'],
  prompts: SHORT_PROMPTS,
  maxNewTokens: 16,
  load,
};
