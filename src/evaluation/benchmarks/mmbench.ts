/** @file MMBench: questions of 20 abilities with up to five options, also with the options turned round. */
import { furtherOf, integerOf, optionalText, type TableRow, textOf } from '../../inputs/tables/table.ts';
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { Pictures } from './loading/picture.ts';
import { filesNamed, nameOf, nothingOf, oneConfig, openPlace, rowsOf, shardsFor } from './loading/place.ts';
import { CHOICE_PROMPTS, letterOf } from './loading/prompts.ts';
import { QuestionList } from './loading/question-list.ts';
import { checkSplit } from './loading/split.ts';
import { lettersOf, tsvImages } from './loading/tsv.ts';
import type { QuestionSet } from './question.ts';

/** `plain`: each question once. `circular`: once for each turn of its options (CircularEval). */
const FORMS = ['plain', 'circular'] as const;
/** VLMEvalKit numbers the turns of question i as i + 1 000 000 · turn. */
const TURN = 1_000_000;

function add(list: QuestionList, pictures: Pictures, row: TableRow, circular: boolean): void {
  const index = integerOf(row, 'index');
  const options = lettersOf(row);
  const answer = optionalText(row, 'answer')?.trim();
  const hint = optionalText(row, 'hint');
  const picture = pictures.of(row.values.image, row, 'image', optionalText(row, 'image_path') ?? `image ${index % TURN}`);
  const right = answer === undefined ? -1 : answer.charCodeAt(0) - 65;
  const turns = circular && index < TURN ? options.length : 1;
  for (let turn = 0; turn < turns; turn++) {
    // Turned by one: the text of A goes to the last letter.
    const turned = options.map((_, i) => options[(i + turn) % options.length]);
    list.add({
      id: index + turn * TURN,
      kind: 'choice',
      text: textOf(row, 'question').trim(),
      pictures: picture ? [picture] : [],
      options: turned,
      answers: right < 0 ? [] : [letterOf((right - turn + options.length) % options.length)],
      category: textOf(row, 'category'),
      ...(hint === undefined || hint === 'nan' ? {} : { context: hint }),
      facts: {
        ...furtherOf(row, ['index', 'question', 'image', 'answer', 'category', 'hint', 'A', 'B', 'C', 'D', 'E']),
        circular: { of: index % TURN, turn: Math.floor(index / TURN) + turn },
      },
      cluster: picture?.id ?? String(index % TURN),
      where: row.where,
    });
  }
}

async function load(options: LoadOptions): Promise<QuestionSet> {
  checkSplit(mmbench, FORMS, options.split);
  const place = await openPlace(mmbench, options);
  const list = new QuestionList('MMBench', options);
  const pictures = new Pictures(place, options);
  const [tsv] = filesNamed(place, /\.tsv$/i);
  const found = tsv ? undefined : shardsFor(place, ['dev', 'test', 'validation']);
  const shards = found && oneConfig(found, /(^|\/)en$/, sentence => list.warn(sentence));
  if (!tsv && !shards) throw nothingOf(mmbench, place);
  const fill = tsvImages();
  const circular = options.split === 'circular';
  for await (const row of rowsOf(tsv ? [tsv] : (shards ?? []).flatMap(one => one.files), options.signal)) {
    if (list.full) break;
    add(list, pictures, tsv ? fill(row) : row, circular);
  }
  const set = list.finish(nameOf(place));
  const unlabelled = set.questions.filter(question => question.answers.length === 0).length;
  if (unlabelled === 0) return set;
  return {
    ...set,
    warnings: [...set.warnings, `${unlabelled} questions have no answer (those of the test split are not public); they do not count.`],
  };
}

/** MMBench. */
export const mmbench: Benchmark = {
  name: 'mmbench',
  title: 'MMBench',
  summary: 'Questions of 20 abilities with options; --split circular asks each once for every turn of its options (CircularEval)',
  kind: 'choice',
  licence: 'Apache-2.0 (the repository); the pictures come from many sources',
  source: "MMBench_DEV_EN.tsv as VLMEvalKit's list of sets links it; lmms-lab/MMBench on the Hugging Face hub",
  format: 'TSV of VLMEvalKit (index, question, hint, A to E, answer, category, image, l2-category, split); parquet with the same columns',
  size: 'about 3 000 questions (dev and test), in 4 to 20 abilities by level',
  citation: 'Liu et al., MMBench: Is Your Multi-modal Model an All-around Player?, ECCV 2024, arXiv 2307.06281',
  scorers: ['mmbench@circular', 'choice@strict'],
  prompts: CHOICE_PROMPTS,
  maxNewTokens: 16,
  load,
};
