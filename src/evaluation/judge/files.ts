/** @file Comparisons from files: questions, answers, references and contexts in LLaVA's forms. */

import type { QuestionId } from '../../generation/questions.ts';
import { type JsonRecord, jsonRecords } from '../../inputs/chat/json-records.ts';
import { isAbsolute, join } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { exactJson } from '../../system/exact-json.ts';
import { contextOf, type PictureContext } from './context.ts';
import { contextRecords } from './context-file.ts';
import type { JudgedAnswer, JudgeItem } from './item.ts';
import { idKey } from './score.ts';

/** Files of one comparison of answers with references. */
export interface JudgeFiles {
  /** `{question_id, image, text, category}`. */
  readonly questions: string;
  /** `{question_id, text, answer_id}`, of the model. */
  readonly answers: string;
  /** The same, of the reference. */
  readonly references: string;
  /** `{image, captions, instances}` or `{image, caption}`. */
  readonly context?: string;
}

/** Comparisons, and what was passed over. */
export interface JudgeItems {
  readonly items: readonly JudgeItem[];
  /** `image` of each item, by its key. */
  readonly images: ReadonlyMap<string, string>;
  /** What a scorer that knows the truth makes of each answer, by `idKey`, where the set has one. */
  readonly byRule?: { readonly scorer: string; readonly marks: ReadonlyMap<string, number> };
  /** The name that the answers give their model. */
  readonly model?: string;
  readonly warnings: readonly string[];
}

interface Row {
  readonly id: QuestionId;
  readonly record: Readonly<Record<string, unknown>>;
  readonly where: string;
}

const isId = (value: unknown): value is QuestionId => ['string', 'number', 'bigint'].includes(typeof value);

function rowOf({ value, where }: JsonRecord): Row {
  const record = value as Record<string, unknown>;
  if (typeof record !== 'object' || record === null || !isId(record.question_id))
    throw new NarrowsError(`${where}: the record has no question_id.`);
  return { id: record.question_id, record, where };
}

/** Rows by question; the first of several counts, which is said. */
async function rowsById(path: string, warnings: string[]): Promise<Map<string, Row>> {
  const rows = new Map<string, Row>();
  let doubles = 0;
  for await (const record of jsonRecords(path)) {
    const row = rowOf(record);
    const key = idKey(row.id);
    if (rows.has(key)) doubles++;
    else rows.set(key, row);
  }
  if (rows.size === 0) throw new NarrowsError(`${path} is empty.`);
  if (doubles > 0)
    warnings.push(`${path} has ${doubles} ${doubles === 1 ? 'record' : 'records'} whose question_id came before; the first counts.`);
  return rows;
}

function textOf({ record, where }: Row, what: string): string {
  const { text } = record;
  if (typeof text !== 'string') throw new NarrowsError(`${where}: the ${what} has no "text".`);
  return text;
}

function answerOf(row: Row, what: string): JudgedAnswer {
  const { answer_id: given } = row.record;
  return { id: isId(given) ? given : row.id, text: textOf(row, what) };
}

/** A picture's name without folders and without COCO's prefix: contexts and questions write it both ways. */
const pictureName = (image: string): string => image.slice(image.lastIndexOf('/') + 1).replace(/^COCO_\w+?_(?=\d)/, '');

async function contextsByPicture(path: string): Promise<Map<string, PictureContext>> {
  const contexts = new Map<string, PictureContext>();
  for await (const { value, where } of contextRecords(path)) {
    const record = value as Readonly<Record<string, unknown>>;
    const context = contextOf(record);
    if (typeof record.image !== 'string' || !context)
      throw new NarrowsError(`${where}: a context needs "image", and "captions" with "instances" or "caption".`);
    contexts.set(pictureName(record.image), context);
  }
  return contexts;
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** Says which questions are left out. */
function sayMissing(keys: readonly string[], what: string, warnings: string[]): void {
  if (keys.length === 0) return;
  const named = keys.slice(0, 5).join(', ');
  warnings.push(`${count(keys.length, 'question')} without ${what} left out: ${named}${keys.length > 5 ? ', …' : ''}.`);
}

/**
 * Joins the files by question_id, never by position.
 * @throws NarrowsError naming file and line for a record that cannot be used; for files that have no question in common
 */
export async function readJudgeItems({ questions, answers, references, context }: JudgeFiles): Promise<JudgeItems> {
  const warnings: string[] = [];
  const [asked, answered, given] = await Promise.all([questions, answers, references].map(path => rowsById(path, warnings)));
  const contexts = context === undefined ? undefined : await contextsByPicture(context);
  const images = new Map<string, string>();
  const items: JudgeItem[] = [];
  const lost: Record<'an answer' | 'a reference' | 'a context', string[]> = { 'an answer': [], 'a reference': [], 'a context': [] };
  for (const [key, row] of asked) {
    const [answer, reference] = [answered.get(key), given.get(key)];
    const { image, category } = row.record;
    const picture = typeof image === 'string' ? image : undefined;
    const described = picture === undefined ? undefined : contexts?.get(pictureName(picture));
    if (!answer || !reference) {
      lost[answer ? 'a reference' : 'an answer'].push(key);
      continue;
    }
    if (contexts && !described) {
      lost['a context'].push(key);
      continue;
    }
    checkPrompt(row, answer);
    const name = typeof category === 'string' ? category : 'all';
    if (picture !== undefined) images.set(key, picture);
    items.push({
      ...{ id: row.id, key, text: textOf(row, 'question'), category: name, cluster: picture ?? key },
      // LLaVA's script for captions without boxes looks its rules up under another name.
      rule: described?.form === 'caption' && !name.startsWith('llava_bench') ? `llava_bench_${name}` : name,
      ...(described ? { context: described.text } : {}),
      ...{ reference: answerOf(reference, 'reference'), answer: answerOf(answer, 'answer') },
    });
  }
  for (const [what, keys] of Object.entries(lost)) sayMissing(keys, what, warnings);
  const strangers = [...answered.keys()].filter(key => !asked.has(key)).length;
  if (strangers > 0) warnings.push(`${count(strangers, 'answer')} of ${answers} belong to no question of ${questions}.`);
  if (items.length === 0) throw new NarrowsError(`${questions}, ${answers} and ${references} have no question_id in common.`);
  const model = answered.values().next().value?.record.model_id;
  return { items, images, ...(typeof model === 'string' ? { model } : {}), warnings };
}

const plain = (text: string): string => text.replaceAll('<image>', '').replace(/\s+/g, ' ').trim().toLowerCase();

/** Answers to another version of the questions are not judged. @throws NarrowsError that quotes both */
function checkPrompt(question: Row, answer: Row): void {
  const { prompt } = answer.record;
  const text = textOf(question, 'question');
  if (typeof prompt !== 'string' || plain(prompt).includes(plain(text)) || plain(text).includes(plain(prompt))) return;
  throw new NarrowsError(
    `${answer.where}: this answers ${exactJson(prompt)}, but question ${exactJson(question.id)} is ${exactJson(text)}; these are answers to other questions.`,
  );
}

/** The picture of each question of a file, by `idKey`. @throws NarrowsError naming file and line */
export async function questionPictures(path: string): Promise<Map<string, string>> {
  const rows = await rowsById(path, []);
  return new Map([...rows].flatMap(([key, { record }]) => (typeof record.image === 'string' ? [[key, record.image] as const] : [])));
}

/** Path of a picture. */
export const picturePath = (folder: string, image: string): string => (isAbsolute(image) ? image : join(folder, image));
