/** @file MME: yes or no about perception (10 categories) and cognition (4); two questions a picture. */
import type { DataPlace } from '../../inputs/tables/data-folder.ts';
import { furtherOf, optionalText, type TableRow, textOf } from '../../inputs/tables/table.ts';
import { readText } from '../../inputs/text-file.ts';
import { readdir, stat } from '../../node/disk.ts';
import { basename, join } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { readError } from '../../system/read-error.ts';
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { Pictures } from './loading/picture.ts';
import { filesNamed, nameOf, nothingOf, openPlace, rowsOf, shardsFor } from './loading/place.ts';
import { SHORT_PROMPTS, withoutInstruction } from './loading/prompts.ts';
import { QuestionList } from './loading/question-list.ts';
import { yesNoOf } from './loading/yes-no.ts';
import type { AnswerRecord, QuestionSet } from './question.ts';

const PERCEPTION = ['existence', 'count', 'position', 'color', 'posters', 'celebrity', 'scene', 'landmark', 'artwork', 'OCR'];
const COGNITION = ['commonsense_reasoning', 'numerical_calculation', 'text_translation', 'code_reasoning'];
/** The categories, perception first. */
const CATEGORIES = [...PERCEPTION, ...COGNITION];
const PAIR = 2;

const same = (text: string): string => withoutInstruction(text).toLowerCase().replace(/\s+/g, ' ');

/** Ids repeat (two questions a picture): the words are part of the key. */
function add(list: QuestionList, pictures: Pictures, row: TableRow, answers: readonly string[]): void {
  const id = textOf(row, 'question_id');
  const category = optionalText(row, 'category') ?? id.split('/')[0];
  if (!CATEGORIES.includes(category))
    list.note(category, row.where, n => `${n} rows are of the category "${category}", which MME does not have`);
  const text = withoutInstruction(textOf(row, 'text', 'question'));
  const picture = pictures.of(row.values.image ?? id, row, 'image', id);
  list.add({
    id,
    key: `${id}: ${text}`,
    kind: 'yes-no',
    text,
    pictures: picture ? [picture] : [],
    answers,
    category,
    split: PERCEPTION.includes(category) ? 'perception' : 'cognition',
    facts: furtherOf(row, ['question_id', 'text', 'question', 'image', 'category', 'answer', 'label']),
    cluster: id,
    where: row.where,
  });
}

async function llava(
  list: QuestionList,
  pictures: Pictures,
  options: LoadOptions,
  files: { questions: string; labels: string },
): Promise<void> {
  const labels = new Map<string, string>();
  for await (const row of rowsOf([files.labels], options.signal))
    labels.set(`${textOf(row, 'question_id')}\0${same(textOf(row, 'text', 'question'))}`, yesNoOf(row, 'label', 'answer'));
  for await (const row of rowsOf([files.questions], options.signal)) {
    if (list.full) break;
    const label = labels.get(`${textOf(row, 'question_id')}\0${same(textOf(row, 'text'))}`);
    if (label === undefined)
      list.note(
        'unlabelled',
        row.where,
        n => `${n} questions have no label in ${basename(files.labels)} (by id and words); they do not count`,
      );
    add(list, pictures, row, label === undefined ? [] : [label]);
  }
}

/** Lines of a text file of MME: picture, question, label, and the answer where there is one; without picture in the release's folders. */
async function textRows(file: string, category: string, image?: string): Promise<{ row: TableRow; answer?: string }[]> {
  const out: { row: TableRow; answer?: string }[] = [];
  for (const [i, line] of (await readText(file)).split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const cells = line.split('\t');
    const [name, question, label, ...answer] = image === undefined ? cells : [image, ...cells];
    const where = `${file}, line ${i + 1}`;
    if (question === undefined || label === undefined)
      throw new NarrowsError(
        `${where}: ${cells.length} fields, parted by tabs, where MME has ${image === undefined ? 'picture, question, label (and answer)' : 'question and label'}.`,
      );
    const values = { question_id: `${category}/${name}`, question, label, category };
    out.push({ row: { values, where, file }, ...(answer.length > 0 ? { answer: answer.join('\t') } : {}) });
  }
  return out;
}

/** The released folders: `existence/0001.txt` next to or below `images`; or the evaluation tool's files, `existence.txt`. */
async function texts(list: QuestionList, pictures: Pictures, place: DataPlace): Promise<AnswerRecord[] | undefined> {
  const answers: AnswerRecord[] = [];
  for (const category of CATEGORIES) {
    const [tool] = filesNamed(place, new RegExp(`^${category}\\.txt$`));
    const rows = tool ? await textRows(tool, category) : [];
    if (!tool)
      for (const path of place.files.filter(one => one.split('/').includes(category) && one.endsWith('.txt'))) {
        const stem = basename(path).replace(/\.txt$/, '');
        const image = place.files.find(
          one => one.split('/').includes(category) && basename(one).replace(/\.\w+$/, '') === stem && !one.endsWith('.txt'),
        );
        rows.push(...(await textRows(join(place.folder, path), category, image ? basename(image) : `${stem}.jpg`)));
      }
    for (const { row, answer } of rows) {
      add(list, pictures, row, [yesNoOf(row, 'label')]);
      if (answer !== undefined) answers.push(answerOf(row, answer));
    }
  }
  return answers.length > 0 ? answers : undefined;
}

const answerOf = (row: TableRow, text: string): AnswerRecord => ({
  id: textOf(row, 'question_id'),
  prompt: textOf(row, 'question'),
  text,
  facts: { label: row.values.label },
  where: row.where,
});

/** The evaluation tool's files: a folder of `existence.txt` and so on, or one of them. */
async function readAnswers(path: string): Promise<readonly AnswerRecord[] | undefined> {
  const info = await stat(path).catch((error: unknown) => {
    throw readError(path, error);
  });
  const files = info.isDirectory()
    ? (await readdir(path)).filter(name => CATEGORIES.includes(name.replace(/\.txt$/, ''))).map(name => join(path, name))
    : [path];
  if (files.length === 0 || !files.every(file => file.endsWith('.txt'))) return undefined;
  const out: AnswerRecord[] = [];
  for (const file of files.sort()) {
    const category = basename(file).replace(/\.txt$/, '');
    if (!CATEGORIES.includes(category)) return undefined;
    for (const { row, answer = '' } of await textRows(file, category)) out.push(answerOf(row, answer));
  }
  return out;
}

async function load(options: LoadOptions): Promise<QuestionSet> {
  const place = await openPlace(mme, options);
  const list = new QuestionList('MME', options);
  const pictures = new Pictures(place, options, ['MME_Benchmark_release_version', 'MME_Benchmark']);
  const [questions] = filesNamed(place, /mme.*\.jsonl$/i);
  const [labels] = filesNamed(place, /^labels?\.jsonl$/i);
  const shards = shardsFor(place, ['test']);
  let answers: AnswerRecord[] | undefined;
  if (shards)
    for (const { files } of shards)
      for await (const row of rowsOf(files, options.signal)) {
        if (list.full) break;
        add(list, pictures, row, [yesNoOf(row, 'answer')]);
      }
  else if (questions && labels) await llava(list, pictures, options, { questions, labels });
  else {
    answers = await texts(list, pictures, place);
    if (list.length === 0 && questions)
      throw new NarrowsError(
        `${questions} has questions, but no labels are below ${place.folder}: put labels.jsonl or MME's folders there.`,
      );
  }
  if (list.length === 0 && !shards) throw nothingOf(mme, place);
  const pairs = new Map<string, number>();
  const set = list.finish(nameOf(place), answers);
  for (const { id } of set.questions) pairs.set(String(id), (pairs.get(String(id)) ?? 0) + 1);
  const odd = [...pairs.values()].filter(count => count !== PAIR).length;
  if (odd === 0 || options.limit !== undefined) return set;
  return { ...set, warnings: [...set.warnings, `${odd} pictures have not two questions: MME's accuracy+ is defined for pairs.`] };
}

/** MME. */
export const mme: Benchmark = {
  name: 'mme',
  title: 'MME',
  summary: 'Asks yes or no about perception (10 categories) and cognition (4), twice for each picture, so that a guess does not pay',
  kind: 'yes-no',
  licence: 'unknown: its repository names none; the authors ask for academic use only',
  source: 'lmms-lab/MME on the Hugging Face hub; or MME_Benchmark_release_version by its authors',
  format:
    "parquet (question_id, image, question, answer, category); llava_mme.jsonl with labels.jsonl; the released folders of text files; the evaluation tool's text files",
  size: '2 374 questions, two for each of 1 187 pictures, in 14 categories',
  citation: 'Fu et al., MME: A Comprehensive Evaluation Benchmark for Multimodal Large Language Models, arXiv 2306.13394',
  scorers: ['mme@official', 'mme@lmms-eval', 'mme@vlmevalkit', 'mme@accuracy'],
  prompts: SHORT_PROMPTS,
  maxNewTokens: 16,
  load,
  readAnswers,
};
