/** @file MMStar: questions that cannot be answered without the picture; four options. */
import { furtherOf, integerOf, optionalText, type TableRow, textOf } from '../../inputs/tables/table.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { Pictures } from './loading/picture.ts';
import { filesNamed, nameOf, nothingOf, openPlace, rowsOf, shardsFor } from './loading/place.ts';
import { INLINE_PROMPTS } from './loading/prompts.ts';
import { QuestionList } from './loading/question-list.ts';
import { lettersOf, tsvImages } from './loading/tsv.ts';
import type { AnswerRecord, QuestionSet } from './question.ts';

const INLINE = /^([\s\S]*?)\s*\n\s*Options: (A: [\s\S]*)$/;

/** Options that stand inside of the question: `…\nOptions: A: a bridge, B: a canyon`. @returns undefined where they stand in another way */
function inlineOptions(question: string): { readonly text: string; readonly options: string[] } | undefined {
  const [, text, line] = INLINE.exec(question.trim()) ?? [];
  if (line === undefined) return undefined;
  const options: string[] = [];
  let rest = line;
  for (let i = 0; rest !== ''; i++) {
    const [letter, next] = [String.fromCharCode(65 + i), String.fromCharCode(66 + i)];
    if (!rest.startsWith(`${letter}: `)) return undefined;
    const end = rest.indexOf(`, ${next}: `);
    options.push(rest.slice(3, end < 0 ? undefined : end).trim());
    rest = end < 0 ? '' : rest.slice(end + 2);
  }
  return options.length >= 2 ? { text, options } : undefined;
}

function add(list: QuestionList, pictures: Pictures, row: TableRow): void {
  const id = integerOf(row, 'index');
  const question = textOf(row, 'question');
  const columns = lettersOf(row);
  const inline = columns.length > 0 ? { text: question.trim(), options: columns } : inlineOptions(question);
  if (!inline)
    list.note(
      'inline',
      row.where,
      n => `${n} questions have their options in another form inside of the text; they stay there, also under a shift`,
    );
  const answer = optionalText(row, 'answer')?.trim();
  if (answer !== undefined && !/^[A-Z]$/.test(answer))
    throw new NarrowsError(`${row.where}: the answer should be a letter, but it is ${JSON.stringify(answer.slice(0, 40))}.`);
  const picture = pictures.of(
    row.values.image,
    row,
    'image',
    typeof row.values.image === 'string' ? (optionalText(row, 'image_path') ?? `image ${id}`) : `image ${id}`,
  );
  list.add({
    id,
    kind: 'choice',
    text: inline?.text ?? question.trim(),
    pictures: picture ? [picture] : [],
    ...(inline ? { options: inline.options } : {}),
    answers: answer === undefined ? [] : [answer],
    category: textOf(row, 'category'),
    facts: furtherOf(row, ['index', 'question', 'image', 'answer', 'category', 'prediction', 'A', 'B', 'C', 'D']),
    where: row.where,
  });
}

async function load(options: LoadOptions): Promise<QuestionSet> {
  const place = await openPlace(mmstar, options);
  const list = new QuestionList('MMStar', options);
  const pictures = new Pictures(place, options);
  const shards = shardsFor(place, ['val', 'mmstar', 'test']);
  const [tsv] = filesNamed(place, /mmstar.*\.tsv$/i);
  const [predictions] = filesNamed(place, /\.jsonl$/i);
  let answers: AnswerRecord[] | undefined;
  if (shards)
    for (const { files } of shards)
      for await (const row of rowsOf(files, options.signal)) {
        if (list.full) break;
        add(list, pictures, row);
      }
  else if (tsv) {
    const fill = tsvImages();
    for await (const row of rowsOf([tsv], options.signal)) {
      const filled = fill(row);
      if (!list.full) add(list, pictures, filled);
    }
  } else if (predictions) {
    answers = [];
    for await (const row of rowsOf([predictions], options.signal)) {
      if (list.full) break;
      if (row.values.index === undefined) throw nothingOf(mmstar, place);
      if (!options.answersOnly && row.values.image === undefined)
        throw new NarrowsError(
          `${row.where}: the file holds answers without pictures; give the parquet file of MMStar, or score answers with --answers.`,
        );
      add(list, pictures, row);
      if (typeof row.values.prediction === 'string')
        answers.push({ id: integerOf(row, 'index'), prompt: textOf(row, 'question'), text: row.values.prediction, where: row.where });
    }
  } else throw nothingOf(mmstar, place);
  return list.finish(nameOf(place), answers?.length ? answers : undefined);
}

/** MMStar. */
export const mmstar: Benchmark = {
  name: 'mmstar',
  title: 'MMStar',
  summary: 'Questions of six abilities that cannot be answered without looking at the picture, with four options',
  kind: 'choice',
  licence: 'unknown: the card of the set names none',
  source: 'Lin-Chen/MMStar on the Hugging Face hub',
  format:
    'parquet (index, question with its options, image, answer, category, l2_category); MMStar.tsv of VLMEvalKit; predictions as JSON lines (answers only)',
  size: '1 500 questions, 250 for each ability',
  citation: 'Chen et al., Are We on the Right Way for Evaluating Large Vision-Language Models?, NeurIPS 2024, arXiv 2403.20330',
  scorers: ['mmstar@official', 'mmstar@lmms-eval', 'mmstar@strict'],
  prompts: INLINE_PROMPTS,
  maxNewTokens: 16,
  load,
};
