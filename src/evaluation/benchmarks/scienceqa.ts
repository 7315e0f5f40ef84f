/** @file ScienceQA: school questions with options, half of them with a picture. */
import { parseJson } from '../../checkpoints/config.ts';
import type { DataPlace } from '../../inputs/tables/data-folder.ts';
import { furtherOf, integerOf, optionalText, type TableRow, textOf, textsOf } from '../../inputs/tables/table.ts';
import { readText } from '../../inputs/text-file.ts';
import { basename } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { Pictures } from './loading/picture.ts';
import { filesNamed, nameOf, nothingOf, openPlace, rowsOf, shardsFor } from './loading/place.ts';
import { HINT_PROMPTS, letterOf } from './loading/prompts.ts';
import { QuestionList } from './loading/question-list.ts';
import { checkSplit } from './loading/split.ts';
import type { QuestionSet } from './question.ts';

/** All questions, or those with a picture. */
const CONFIGS = ['full', 'image'] as const;
const FOLDERS = ['images/test', 'test', 'images'];

interface Work {
  readonly options: LoadOptions;
  readonly pictures: Pictures;
  readonly list: QuestionList;
}

function add({ options, pictures, list }: Work, row: TableRow, id: string | number, image: unknown): void {
  const picture = pictures.of(image, row, 'image', `question ${id}`);
  if (options.split === 'image' && !picture) return;
  const choices = textsOf(row, 'choices');
  const answer = integerOf(row, 'answer');
  if (answer < 0 || answer >= choices.length)
    throw new NarrowsError(`${row.where}: the answer is option ${answer} (from 0), but there are ${choices.length} options.`);
  const hint = optionalText(row, 'hint');
  list.add({
    id,
    kind: 'choice',
    text: textOf(row, 'question').trim(),
    pictures: picture ? [picture] : [],
    options: choices,
    answers: [letterOf(answer)],
    category: textOf(row, 'subject'),
    split: picture ? 'image' : 'text',
    ...(hint === undefined ? {} : { context: hint }),
    facts: furtherOf(row, ['question', 'choices', 'answer', 'hint', 'image']),
    cluster: `question ${id}`,
    where: row.where,
  });
}

/** The letter that LLaVA's file gives: `B`, or `The answer is B.` */
function llavaLetter(row: TableRow): string | undefined {
  const turns = row.values.conversations as readonly { readonly from?: unknown; readonly value?: unknown }[] | undefined;
  const said = Array.isArray(turns) ? turns.find(turn => turn.from === 'gpt')?.value : undefined;
  return typeof said === 'string' ? /^(?:The answer is )?([A-Z])\.?$/.exec(said.trim())?.[1] : undefined;
}

/** ScienceQA's problems, in the order of LLaVA's file or of the split. */
async function problems(work: Work, place: DataPlace, file: string): Promise<void> {
  const all = parseJson(await readText(file), file) as Readonly<Record<string, Record<string, unknown>>>;
  const [llava] = filesNamed(place, /^llava_test.*\.json$/i);
  const [splits] = filesNamed(place, /^pid_splits\.json$/i);
  const wanted: { id: string; where: string; letter?: string }[] = [];
  if (llava)
    for await (const row of rowsOf([llava], work.options.signal))
      wanted.push({ id: textOf(row, 'id'), where: row.where, letter: llavaLetter(row) });
  else {
    const test =
      splits === undefined ? undefined : (parseJson(await readText(splits), splits) as Readonly<Record<string, readonly string[]>>).test;
    for (const id of test ?? Object.keys(all).filter(one => all[one].split === 'test'))
      wanted.push({ id, where: `${file}, problem ${id}` });
  }
  for (const { id, where, letter } of wanted) {
    if (work.list.full) break;
    const values = all[id];
    if (values === undefined) throw new NarrowsError(`${where}: ${basename(file)} has no problem ${id}; are both files of one version?`);
    const row: TableRow = { values, where, file };
    const answer = letterOf(integerOf(row, 'answer'));
    if (letter !== undefined && letter !== answer)
      throw new NarrowsError(`${where}: the answer is ${letter} there and ${answer} in ${basename(file)}; are both files of one version?`);
    const image = optionalText(row, 'image');
    add(work, row, id, image === undefined ? undefined : `${id}/${image}`);
  }
}

async function load(options: LoadOptions): Promise<QuestionSet> {
  checkSplit(scienceqa, CONFIGS, options.split);
  const place = await openPlace(scienceqa, options);
  const work: Work = { options, list: new QuestionList('ScienceQA', options), pictures: new Pictures(place, options, FOLDERS) };
  const [file] = filesNamed(place, /^problems\.json$/i);
  const all = shardsFor(place, ['test', 'validation', 'train']);
  if (all) {
    // The hub keeps both configs side by side; the whole one holds the other.
    const named = (name: string) => all.filter(one => new RegExp(`${name}$`, 'i').test(one.config));
    const [image, full] = [named('img'), named('full')];
    const shards = full.length > 0 ? full : image.length > 0 ? image : all;
    if (options.split === 'full' && full.length === 0 && image.length > 0)
      work.list.warn(`${nameOf(place)} holds the config of questions with pictures only; these are all that is asked.`);
    let index = 0;
    for (const { files } of shards)
      for await (const row of rowsOf(files, options.signal)) {
        if (work.list.full) break;
        add(work, row, index++, row.values.image);
      }
  } else if (file) await problems(work, place, file);
  else throw nothingOf(scienceqa, place);
  return work.list.finish(nameOf(place));
}

/** ScienceQA. */
export const scienceqa: Benchmark = {
  name: 'scienceqa',
  title: 'ScienceQA',
  summary: 'School questions of three subjects with two to five options, half of them about a picture (--split image: only these)',
  kind: 'choice',
  licence: 'CC BY-NC-SA 4.0',
  source: 'lmms-lab/ScienceQA on the Hugging Face hub; or lupantech/ScienceQA on GitHub with llava_test_CQM-A.json of LLaVA',
  format:
    'parquet (image, question, choices, answer, hint, grade, subject, …); problems.json with llava_test_CQM-A.json or pid_splits.json',
  size: '4 241 test questions, 2 017 of them with a picture',
  citation:
    'Lu et al., Learn to Explain: Multimodal Reasoning via Thought Chains for Science Question Answering, NeurIPS 2022, arXiv 2209.09513',
  scorers: ['scienceqa@official', 'scienceqa@scienceqa', 'scienceqa@lmms-eval', 'scienceqa@strict'],
  prompts: HINT_PROMPTS,
  maxNewTokens: 16,
  load,
};
