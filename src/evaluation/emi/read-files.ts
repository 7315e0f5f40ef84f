/** @file Sets of EMI from files: LLaVA's questions, answers and references (JSONL, joined by id), and a folder of pictures. */
import { type BulkQuestion, readQuestions } from '../../generation/questions.ts';
import { jsonRecords } from '../../inputs/chat/json-records.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import { dirname, resolve } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { exactJson } from '../../system/exact-json.ts';
import type { EmiItem, EmiSet } from './sets.ts';

/** Where a set stands. */
export interface EmiFiles {
  readonly name: string;
  /** `{question_id, image, text}` a line. */
  readonly questions: string;
  /** `{question_id, text}` a line: the model's answers. */
  readonly answers: string;
  /** The same of references. */
  readonly references: string;
  /** Folder of the pictures; that of the question file by default. */
  readonly images?: string;
  readonly pictures?: ImageReadOptions;
}

interface Row {
  readonly text: string;
  readonly where: string;
}

const idOf = (value: unknown): string => exactJson(value);

/** Texts by id. @throws NarrowsError for a row without id or text, an id that comes twice, an empty file */
async function readTexts(file: string): Promise<Map<string, Row>> {
  const rows = new Map<string, Row>();
  for await (const { value, where } of jsonRecords(file)) {
    const record = value as Readonly<Record<string, unknown>> | null;
    const id = record?.question_id;
    const text = record?.text;
    if (typeof record !== 'object' || id === undefined || typeof text !== 'string')
      throw new NarrowsError(
        `${where}: an answer is {"question_id", "text"}; this row has no ${id === undefined ? 'question_id' : 'text'}.`,
      );
    const before = rows.get(idOf(id));
    if (before)
      throw new NarrowsError(`${where}: question_id ${idOf(id)} stands in ${before.where} already; ids must be unique to be joined by.`);
    rows.set(idOf(id), { text, where });
  }
  if (rows.size === 0) throw new NarrowsError(`${file} holds no answers.`);
  return rows;
}

/**
 * Reads a set. Questions without an answer or a reference, or without a picture, are left out, and answers to no question are not used; both
 * are counted in the set's warnings.
 * @throws NarrowsError naming file and line for rows that cannot be used, and where nothing is left
 */
export async function readEmiFiles({ name, questions: file, answers, references, images, pictures }: EmiFiles): Promise<EmiSet> {
  const questions = await readQuestions(file);
  const [said, right] = [await readTexts(answers), await readTexts(references)];
  const warnings: string[] = [];
  const seen = new Map<string, BulkQuestion>();
  const items: EmiItem[] = [];
  const lacking = { answer: 0, reference: 0, picture: 0 };
  for (const question of questions) {
    const key = idOf(question.questionId);
    const before = seen.get(key);
    if (before)
      throw new NarrowsError(
        `${question.source}: question_id ${key} stands in ${before.source} already; ids must be unique to be joined by.`,
      );
    seen.set(key, question);
    const [answer, reference] = [said.get(key)?.text, right.get(key)?.text];
    if (answer === undefined) lacking.answer++;
    else if (reference === undefined) lacking.reference++;
    else if (question.images.length === 0) lacking.picture++;
    else {
      const shown = question.images.map(image => ({
        id: image,
        read: () => decodeImage(resolve(images ?? dirname(file), image), pictures),
      }));
      items.push({ key, pictures: shown, question: question.prompt, answer, reference });
    }
  }
  for (const [what, count] of Object.entries(lacking))
    if (count) warnings.push(`${count} of ${questions.length} questions of ${name} have no ${what} and are left out.`);
  const idle = [...said.keys()].filter(key => !seen.has(key)).length;
  if (idle) warnings.push(`${idle} answers in ${answers} belong to no question of ${file} and are not used.`);
  if (items.length === 0)
    throw new NarrowsError(`No question of ${file} has a picture, an answer in ${answers} and a reference in ${references}.`);
  return { name, items, warnings };
}
