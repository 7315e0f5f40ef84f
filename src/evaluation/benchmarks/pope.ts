/** @file POPE: is a thing in the picture? Random, popular and adversarial absent things, half of the answers yes. */
import type { DataPlace } from '../../inputs/tables/data-folder.ts';
import { furtherOf, idOf, optionalText, type TableRow, textOf } from '../../inputs/tables/table.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { Pictures } from './loading/picture.ts';
import { filesNamed, nameOf, nothingOf, openPlace, rowsOf, shardsFor } from './loading/place.ts';
import { SHORT_PROMPTS, withoutInstruction } from './loading/prompts.ts';
import { QuestionList } from './loading/question-list.ts';
import { checkSplit } from './loading/split.ts';
import { tsvImages } from './loading/tsv.ts';
import { yesNoOf } from './loading/yes-no.ts';
import type { QuestionSet } from './question.ts';

const SPLITS = ['random', 'popular', 'adversarial'] as const;
/** Where LLaVA's folders keep the pictures. */
const FOLDERS = ['val2014', 'coco/val2014', 'images/val2014'];
const COCO = /^coco_pope_(random|popular|adversarial)\.jsonl?$/i;

/** Picture and words of a question, by which labels are found: the typing error of the older lists is passed over. */
const nameOfQuestion = (split: string, image: string, text: string): string =>
  [split, image.replace(/\.\w+$/, ''), withoutInstruction(text).toLowerCase().replace('imange', 'image').replace(/\s+/g, ' ')].join('\0');

const splitIn = (file: string): string | undefined => SPLITS.find(split => new RegExp(`(^|[_/-])${split}\\b`, 'i').test(file));

interface Work {
  readonly place: DataPlace;
  readonly options: LoadOptions;
  readonly pictures: Pictures;
  readonly list: QuestionList;
}

/** One question; the key holds the split, since ids and questions repeat from one to the next. */
function add({ list, pictures, options }: Work, row: TableRow, split: string | undefined, answers: readonly string[]): void {
  if (options.split !== undefined && split !== options.split) return;
  const raw = textOf(row, 'text', 'question', 'query');
  const text = withoutInstruction(raw);
  if (/imange/.test(text))
    list.note('typo', row.where, n => `${n} questions say "imange": the older list of POPE (commit e3e3926) is spelled so`);
  const id = idOf(row, 'question_id', 'index', 'id');
  const source = optionalText(row, 'image_source', 'image_path');
  const image = row.values.image;
  const name = source ?? (typeof image === 'string' && image.length < 300 ? image : undefined);
  const picture = pictures.of(image, row, 'image', name);
  list.add({
    id,
    key: split === undefined ? String(id) : `${split}/${id}`,
    kind: 'yes-no',
    text,
    pictures: picture ? [picture] : [],
    answers,
    ...(split === undefined ? {} : { split, category: split }),
    facts: {
      ...furtherOf(row, ['text', 'question', 'query', 'image', 'question_id', 'answer', 'label', 'category']),
      ...(name ? { image: name } : {}),
    },
    where: row.where,
  });
}

/** LLaVA's question file with the labels of POPE's own files, joined by split, picture and words: never by position. */
async function llava(work: Work, questions: string, labels: readonly string[]): Promise<void> {
  const { list, options } = work;
  const known = new Map<string, string>();
  const counts = new Map<string, { labels: number; questions: number; unlabelled: number }>();
  const countOf = (split: string) => {
    const count = counts.get(split) ?? { labels: 0, questions: 0, unlabelled: 0 };
    counts.set(split, count);
    return count;
  };
  for (const file of labels) {
    const split = splitIn(file) ?? '';
    for await (const row of rowsOf([file], options.signal)) {
      const name = nameOfQuestion(split, textOf(row, 'image'), textOf(row, 'text', 'question'));
      const label = yesNoOf(row, 'label');
      if (known.has(name) && known.get(name) !== label)
        throw new NarrowsError(`${row.where}: the question has the label ${label} here and ${known.get(name)} above.`);
      known.set(name, label);
      countOf(split).labels++;
    }
  }
  for await (const row of rowsOf([questions], options.signal)) {
    if (list.full) break;
    const split = textOf(row, 'category');
    const label = known.get(nameOfQuestion(split, textOf(row, 'image'), textOf(row, 'text')));
    countOf(split).questions++;
    if (label === undefined) countOf(split).unlabelled++;
    add(work, row, split, label === undefined ? [] : [label]);
  }
  for (const [split, { labels: have, questions: asked, unlabelled }] of counts) {
    if (unlabelled > 0)
      list.warn(
        `${unlabelled} of the ${asked} questions of "${split}" have no label: questions and labels are of two versions of POPE (the random list was made anew after LLaVA copied it); they do not count.`,
      );
    else if (have !== asked && options.limit === undefined && asked > 0)
      list.warn(
        `"${split}" has ${asked} questions and ${have} labels: they are of two versions of POPE; labels were found by picture and words.`,
      );
  }
}

async function fromTsv(work: Work, file: string): Promise<void> {
  const image = tsvImages();
  for await (const row of rowsOf([file], work.options.signal)) {
    const filled = image(row);
    // VLMEvalKit lists a question once that stands in several splits.
    for (const split of textOf(row, 'category')
      .split(',')
      .map(one => one.trim()))
      add(work, filled, split, [yesNoOf(row, 'answer')]);
  }
}

async function load(options: LoadOptions): Promise<QuestionSet> {
  checkSplit(pope, SPLITS, options.split);
  const place = await openPlace(pope, options);
  const list = new QuestionList('POPE', options);
  const work: Work = { place, options, list, pictures: new Pictures(place, options, FOLDERS) };
  const labels = filesNamed(place, COCO);
  const [questions] = filesNamed(place, /^(llava_)?pope.*\.jsonl$/i);
  const [tsv] = filesNamed(place, /pope.*\.tsv$/i);
  const parquet = place.files.some(path => path.endsWith('.parquet')) ? shardsFor(place, ['test', ...SPLITS]) : undefined;
  if (parquet) {
    // The hub's set holds all rows as `test`, and once more by split.
    const shards = parquet.some(one => one.split === 'test')
      ? parquet.filter(one => one.split === 'test').slice(0, 1)
      : shardsBySplit(place, parquet);
    for (const { files } of shards)
      for await (const row of rowsOf(files, options.signal)) {
        if (list.full) break;
        add(work, row, optionalText(row, 'category'), [yesNoOf(row, 'answer', 'label')]);
      }
  } else if (questions && labels.length > 0) await llava(work, questions, labels);
  else if (labels.length > 0) {
    for (const file of labels)
      for await (const row of rowsOf([file], options.signal)) add(work, row, splitIn(file), [yesNoOf(row, 'label')]);
  } else if (tsv) await fromTsv(work, tsv);
  else if (questions)
    throw new NarrowsError(
      `${questions} has questions, but their labels (coco_pope_random.json, …) are not below ${place.folder}; put them there.`,
    );
  else throw nothingOf(pope, place);
  return list.finish(nameOf(place));
}

/** Where there is no `test`: the files of all three splits. */
const shardsBySplit = (place: DataPlace, first: readonly { readonly split: string; readonly files: readonly string[] }[]) =>
  place.file !== undefined
    ? first
    : SPLITS.flatMap(split => {
        try {
          return shardsFor(place, [split]) ?? [];
        } catch {
          return [];
        }
      });

/** POPE. */
export const pope: Benchmark = {
  name: 'pope',
  title: 'POPE',
  summary: 'Asks of things whether they are in the picture; half of them are not',
  kind: 'yes-no',
  licence: "MIT (POPE's question lists); pictures of COCO val2014 under their own licences",
  source: 'lmms-lab/POPE on the Hugging Face hub; or AoiDragon/POPE on GitHub with the pictures of COCO val2014',
  format:
    'parquet (id, question_id, question, answer, image_source, image, category); llava_pope_test.jsonl with coco_pope_{random,popular,adversarial}.json; these three without it; POPE.tsv of VLMEvalKit',
  size: '9 000 questions over 500 pictures, 3 000 each of random, popular and adversarial',
  citation: 'Li et al., Evaluating Object Hallucination in Large Vision-Language Models, EMNLP 2023, arXiv 2305.10355',
  scorers: ['pope@official', 'pope@lmms-eval', 'pope@vlmevalkit', 'pope@strict'],
  prompts: SHORT_PROMPTS,
  maxNewTokens: 16,
  load,
};
