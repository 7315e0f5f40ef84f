/** @file Questions of one's own: a table with a field map, of whichever kind its answers are. */

import { TABLE_ENDINGS } from '../../inputs/tables/read-table.ts';
import { cellOf, furtherOf, idOf, kindOf, type TableRow, textOf } from '../../inputs/tables/table.ts';
import { NarrowsError } from '../../system/errors.ts';
import { didYouMean } from '../../system/nearest-names.ts';
import { listedBoxes } from '../compare/data/boxes.ts';
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { Pictures } from './loading/picture.ts';
import { filesNamed, nameOf, nothingOf, openPlace, rowsOf, shardsFor } from './loading/place.ts';
import { GENERIC_PROMPTS, letterOf, withoutInstruction } from './loading/prompts.ts';
import { pythonList } from './loading/python-list.ts';
import { QuestionList } from './loading/question-list.ts';
import { lettersOf } from './loading/tsv.ts';
import type { AnswerKind, QuestionSet } from './question.ts';

/** What a field map may name, and the columns that are looked for without one. */
const FIELDS = {
  id: ['question_id', 'id', 'index'],
  question: ['question', 'text', 'prompt', 'instruction'],
  answer: ['answer', 'answers', 'label', 'reference', 'target', 'gold'],
  options: ['options', 'choices'],
  image: ['image', 'images', 'image_path', 'file_name'],
  category: ['category'],
  split: ['split'],
  context: ['context', 'hint'],
  kind: ['kind'],
} as const;
type Field = keyof typeof FIELDS;

/** Kinds by the names that a person gives them, and the scorer of each. */
const KINDS: Readonly<Record<string, { readonly kind: AnswerKind; readonly scorer?: string }>> = {
  'yes-no': { kind: 'yes-no', scorer: 'yes-no@strict' },
  choice: { kind: 'choice', scorer: 'choice@strict' },
  exact: { kind: 'short', scorer: 'exact@normalised' },
  short: { kind: 'short', scorer: 'exact@normalised' },
  contains: { kind: 'short', scorer: 'contains' },
  open: { kind: 'open' },
};

/** The field map as a lookup. A value `=choice` stands for the same text in every row. */
class FieldMap {
  constructor(private readonly given: Readonly<Record<string, string>>) {
    for (const name of Object.keys(given))
      if (!(name in FIELDS))
        throw new NarrowsError(
          `A field map has no field "${name}": ${didYouMean(name, Object.keys(FIELDS)) ?? `there are ${Object.keys(FIELDS).join(', ')}.`}`,
          { kind: 'usage' },
        );
  }

  columns(field: Field): readonly string[] {
    return this.given[field] === undefined ? FIELDS[field] : [this.given[field]];
  }

  /** @throws NarrowsError for a column that was named and is not there */
  value(row: TableRow, field: Field): unknown {
    const named = this.given[field];
    if (named?.startsWith('=')) return named.slice(1);
    if (named !== undefined && row.values[named] === undefined)
      throw new NarrowsError(
        `${row.where}: there is no column "${named}" for the field ${field}; its columns are ${Object.keys(row.values).slice(0, 12).join(', ')}.`,
      );
    return cellOf(row, ...this.columns(field));
  }

  used(): readonly string[] {
    return (Object.keys(FIELDS) as Field[]).flatMap(field => this.columns(field));
  }
}

/** A list of texts from a list, a list as Python or JSON prints it, or texts parted by `|`. */
function textsOf(value: unknown, row: TableRow, what: string): readonly string[] {
  if (value === undefined || value === null || value === '') return [];
  if (Array.isArray(value)) return value.map(String);
  if (typeof value === 'object') throw new NarrowsError(`${row.where}: ${what} should be text or a list, but it is ${kindOf(value)}.`);
  const text = String(value);
  return pythonList(text) ?? (what === 'options' ? text.split('|').map(one => one.trim()) : [text]);
}

/** The kind that was given, or the one that options and answer show. */
function kindOfRow(given: unknown, options: readonly string[], answers: readonly string[], row: TableRow): string {
  if (given !== undefined && given !== null && given !== '') {
    const name = String(given).toLowerCase();
    if (name in KINDS) return name;
    throw new NarrowsError(`${row.where}: the kind is "${String(given).slice(0, 40)}"; it may be ${Object.keys(KINDS).join(', ')}.`);
  }
  if (options.length > 0) return 'choice';
  if (answers.length === 0) return 'open';
  return answers.every(one => /^(yes|no)$/i.test(one.trim())) ? 'yes-no' : 'exact';
}

/** The letter of an answer: a letter, the text of an option, or its number from 0. @throws NarrowsError where it is none of them */
function letterAmong(answer: string, options: readonly string[], row: TableRow): string {
  const trimmed = answer.trim();
  const byText = options.findIndex(option => option.trim().toLowerCase() === trimmed.toLowerCase());
  if (byText >= 0) return letterOf(byText);
  if (/^[A-Za-z]$/.test(trimmed) && trimmed.toUpperCase() < letterOf(options.length)) return trimmed.toUpperCase();
  if (/^\d+$/.test(trimmed) && Number(trimmed) < options.length) return letterOf(Number(trimmed));
  throw new NarrowsError(
    `${row.where}: the answer "${trimmed.slice(0, 40)}" is neither the letter, the number from 0 nor the text of one of the ${options.length} options.`,
  );
}

async function load(options: LoadOptions): Promise<QuestionSet> {
  const fields = new FieldMap(options.fields ?? {});
  const place = await openPlace(generic, options);
  const list = new QuestionList('the table', options);
  const pictures = new Pictures(place, options);
  const named = filesNamed(place, new RegExp(`\\.(${TABLE_ENDINGS.filter(one => one !== 'parquet').join('|')})$`, 'i'));
  const files = shardsFor(place, ['test', 'validation', 'train'])?.flatMap(one => one.files) ?? named;
  if (files.length === 0) throw nothingOf(generic, place);
  if (files === named && named.length > 1)
    throw new NarrowsError(`${nameOf(place)} holds ${named.length} tables (${named.slice(0, 3).join(', ')}, …); give one of them.`);
  const kinds = new Set<string>();
  let index = 0;
  for await (const row of rowsOf(files, options.signal)) {
    if (list.full) break;
    const given = fields.value(row, 'options');
    const choices = given === undefined ? lettersOf(row) : textsOf(given, row, 'options');
    const answers = textsOf(fields.value(row, 'answer'), row, 'answer');
    const kind = kindOfRow(fields.value(row, 'kind'), choices, answers, row);
    kinds.add(kind);
    if (kind === 'choice' && choices.length < 2)
      throw new NarrowsError(`${row.where}: a choice needs at least two options; give them as a list, or in columns A, B, ….`);
    const bad = kind === 'yes-no' ? answers.find(one => !/^(yes|no)$/i.test(one.trim())) : undefined;
    if (bad !== undefined) throw new NarrowsError(`${row.where}: the answer to a question of kind yes-no is "${bad.slice(0, 40)}".`);
    const text = (name: Field): string | undefined => {
      const value = fields.value(row, name);
      return value === undefined || value === null || value === '' ? undefined : String(value);
    };
    const [context, category, split] = [text('context'), text('category'), text('split')];
    if (options.split !== undefined && split !== options.split) continue;
    const cell = fields.value(row, 'image');
    const found = (Array.isArray(cell) ? cell : [cell])
      .map(one => pictures.of(one, row, fields.columns('image')[0]))
      .filter(one => one !== undefined);
    const hasId = fields.columns('id').some(column => row.values[column] !== undefined);
    const further = furtherOf(row, [...fields.used(), ...'ABCDEFGHI']);
    const boxes = listedBoxes(further, row.where);
    list.add({
      id: hasId ? idOf(row, ...fields.columns('id')) : index,
      kind: KINDS[kind].kind,
      text: withoutInstruction(textOf(row, ...fields.columns('question'))),
      pictures: found,
      ...(kind === 'choice' ? { options: choices } : {}),
      answers:
        kind === 'choice'
          ? answers.map(one => letterAmong(one, choices, row))
          : kind === 'yes-no'
            ? answers.map(one => one.trim().toLowerCase())
            : kind === 'open'
              ? []
              : answers,
      ...(category === undefined ? {} : { category }),
      ...(split === undefined ? {} : { split }),
      ...(context === undefined ? {} : { context }),
      ...(boxes ? { boxes: async () => boxes } : {}),
      facts: {
        ...further,
        ...(kind === 'open' && answers.length > 0 ? { reference: answers[0] } : {}),
      },
      where: row.where,
    });
    index++;
  }
  const set = list.finish(nameOf(place));
  const [kind, ...more] = kinds;
  if (more.length === 0) return { ...set, ...(KINDS[kind].scorer ? { scorer: KINDS[kind].scorer } : {}) };
  return {
    ...set,
    warnings: [
      ...set.warnings,
      `The questions are of several kinds (${[kind, ...more].join(', ')}); one scorer marks them all, so score the kinds one by one (--split, or a file each).`,
    ],
  };
}

/** Questions of one's own. */
export const generic: Benchmark = {
  name: 'generic',
  title: 'generic',
  summary: 'Questions of your own: a table with columns for question, answer, options and picture; yes-no, choice, exact, contains or open',
  kind: 'short',
  licence: 'yours',
  source: 'a file of your own',
  format: `one table (${TABLE_ENDINGS.join(', ')}); columns by a field map over ${Object.keys(FIELDS).join(', ')} (question=q, answer=gold, kind==contains for the same text in every row); options as a list, texts parted by |, or columns A, B, …`,
  size: 'any',
  citation: 'none',
  scorers: ['exact@normalised', 'contains', 'yes-no@strict', 'choice@strict'],
  prompts: GENERIC_PROMPTS,
  maxNewTokens: 128,
  load,
};
