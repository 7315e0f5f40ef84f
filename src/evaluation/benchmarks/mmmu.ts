/** @file MMMU: college questions of 30 subjects with up to seven pictures; options or a short answer. */

import { furtherOf, optionalText, type TableRow, textOf } from '../../inputs/tables/table.ts';
import { join } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { plainMarks } from './loading/marks.ts';
import { Pictures } from './loading/picture.ts';
import { filesNamed, nameOf, nothingOf, openPlace, rowsOf, shardsFor } from './loading/place.ts';
import { letterOf, SUBJECT_PROMPTS } from './loading/prompts.ts';
import { pythonList } from './loading/python-list.ts';
import { QuestionList } from './loading/question-list.ts';
import { checkSplit } from './loading/split.ts';
import { lettersOf, tsvImages } from './loading/tsv.ts';
import type { AnswerRecord, QuestionSet } from './question.ts';

const SPLITS = ['validation', 'dev', 'test'] as const;
const MOST_PICTURES = 7;
/** What stands in a row besides facts. */
const USED = [
  'id',
  'question',
  'options',
  'answer',
  'image',
  'A',
  'B',
  'C',
  'D',
  'E',
  'F',
  'G',
  'H',
  'I',
  ...Array.from({ length: MOST_PICTURES }, (_, i) => `image_${i + 1}`),
];

/** `Art_Theory` of `validation_Art_Theory_2`. */
const subjectOf = (id: string): string => /^(?:dev|validation|test)_(.+)_\d+$/.exec(id)?.[1] ?? 'unknown';
const splitOf = (id: string): string | undefined => SPLITS.find(split => id.startsWith(`${split}_`));

/** Accepted answers of an open question: a text, or a list as Python prints it. `?` and nothing stand where none is given. */
function openAnswers(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  if (typeof value !== 'string' || value === '' || value === '?') return [];
  return pythonList(value) ?? [value];
}

function add(list: QuestionList, row: TableRow, options: readonly string[], pictures: readonly unknown[], find: Pictures): void {
  const id = textOf(row, 'id');
  const isChoice = textOf(row, 'question_type') === 'multiple-choice';
  const { texts, order } = plainMarks([textOf(row, 'question'), ...options]);
  const found = pictures.map((cell, i) => find.of(cell, row, `image_${i + 1}`, `${id} image ${i + 1}`));
  const marked = order.map(number => {
    const picture = found[number - 1];
    if (!picture) throw new NarrowsError(`${row.where}: the text shows <image ${number}>, but column image_${number} is empty.`);
    return picture;
  });
  // A picture without a mark is shown first.
  const more = found.filter(picture => picture !== undefined).filter(picture => !marked.includes(picture));
  const front = order.length > 0 ? more.map(() => '<image>\n').join('') : '';
  const letter = isChoice ? optionalText(row, 'answer') : undefined;
  const given = letter !== undefined && letter !== '?';
  if (given && !(letter < letterOf(options.length) && /^[A-Z]$/.test(letter)))
    throw new NarrowsError(`${row.where}: the answer is "${letter}", but there are ${options.length} options.`);
  list.add({
    id,
    kind: isChoice ? 'choice' : 'short',
    text: `${front}${texts[0]}`,
    pictures: [...more, ...marked],
    ...(isChoice ? { options: texts.slice(1) } : {}),
    answers: isChoice ? (given ? [letter] : []) : openAnswers(row.values.answer),
    category: subjectOf(id),
    ...(splitOf(id) ? { split: splitOf(id) } : {}),
    facts: furtherOf(row, USED),
    cluster: id,
    where: row.where,
  });
}

/** The folders of outputs that MMMU's own evaluation reads: questions without words and pictures, with answers. */
async function outputs(list: QuestionList, files: readonly string[], options: LoadOptions): Promise<AnswerRecord[]> {
  if (!options.answersOnly)
    throw new NarrowsError(
      `${files[0]} and its like hold answers, not questions to be asked; give the parquet files of MMMU, or score answers with --answers.`,
    );
  const answers: AnswerRecord[] = [];
  for (const file of files)
    for await (const row of rowsOf([file], options.signal)) {
      if (list.full) break;
      const id = textOf(row, 'id');
      const texts = row.values.index2ans as Readonly<Record<string, string>> | undefined;
      const letters = row.values.all_choices as readonly string[] | undefined;
      const isChoice = textOf(row, 'question_type') === 'multiple-choice';
      if (isChoice && !(Array.isArray(letters) && texts)) throw new NarrowsError(`${row.where}: all_choices and index2ans are missing.`);
      list.add({
        id,
        kind: isChoice ? 'choice' : 'short',
        text: '',
        pictures: [],
        ...(isChoice ? { options: (letters as readonly string[]).map(letter => String(texts?.[letter])) } : {}),
        answers: isChoice ? [textOf(row, 'answer')] : openAnswers(row.values.answer),
        category: subjectOf(id),
        ...(splitOf(id) ? { split: splitOf(id) } : {}),
        facts: furtherOf(row, ['id', 'answer', 'response', 'all_choices', 'index2ans']),
        cluster: id,
        where: row.where,
      });
      if (typeof row.values.response === 'string') answers.push({ id, text: row.values.response, where: row.where });
    }
  list.warn('The files of outputs hold no words of the questions: whether answers belong to these very questions cannot be checked.');
  return answers;
}

async function load(options: LoadOptions): Promise<QuestionSet> {
  checkSplit(mmmu, SPLITS, options.split);
  const place = await openPlace(mmmu, options);
  const list = new QuestionList('MMMU', options);
  const pictures = new Pictures(place, options);
  const shards = shardsFor(place, SPLITS, place.files.some(path => path.includes(`${options.split}-`)) ? options.split : undefined);
  const [tsv] = filesNamed(place, /mmmu.*\.tsv$/i);
  const files = filesNamed(place, /^output\.json$/i);
  let answers: AnswerRecord[] | undefined;
  const wanted = (row: TableRow): boolean => options.split === undefined || splitOf(textOf(row, 'id')) === options.split;
  if (shards) {
    for (const { files: parquet } of shards)
      for await (const row of rowsOf(parquet, options.signal)) {
        if (list.full) break;
        if (!wanted(row)) continue;
        const text = textOf(row, 'options');
        const choices = pythonList(text);
        if (!choices)
          throw new NarrowsError(
            `${row.where}: column options should hold a list as Python prints it, but holds ${JSON.stringify(text.slice(0, 40))}.`,
          );
        const cells = Array.from({ length: MOST_PICTURES }, (_, i) => row.values[`image_${i + 1}`]);
        add(list, row, choices, cells, pictures);
      }
  } else if (tsv) {
    const fill = tsvImages();
    for await (const plain of rowsOf([tsv], options.signal)) {
      const row = fill(plain);
      if (list.full) break;
      if (wanted(row)) add(list, row, lettersOf(row), [row.values.image].flat(), pictures);
    }
  } else if (files.length > 0) answers = await outputs(list, files, options);
  else throw nothingOf(mmmu, place);
  return list.finish(place.file ?? join(nameOf(place)), answers);
}

/** MMMU. */
export const mmmu: Benchmark = {
  name: 'mmmu',
  title: 'MMMU',
  summary: 'College questions of 30 subjects about one to seven pictures, with options or a short answer (--split validation, dev, test)',
  kind: 'choice',
  licence: 'Apache-2.0',
  source: 'lmms-lab/MMMU or MMMU/MMMU on the Hugging Face hub',
  format:
    "parquet (id, question, options as a Python list, image_1 to image_7, answer, question_type, …); MMMU_DEV_VAL.tsv of VLMEvalKit; MMMU's folders of output.json (answers only)",
  size: 'validation 900, dev 150, test 10 500 questions (the answers of test are not public)',
  citation:
    'Yue et al., MMMU: A Massive Multi-discipline Multimodal Understanding and Reasoning Benchmark for Expert AGI, CVPR 2024, arXiv 2311.16502',
  scorers: ['mmmu@official', 'mmmu@lmms-eval', 'mmmu@lmms-eval-75571cf', 'mmmu@vlmevalkit', 'mmmu@strict'],
  prompts: SUBJECT_PROMPTS,
  maxNewTokens: 64,
  load,
};
