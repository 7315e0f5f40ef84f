/** @file Questions to be answered in bulk: LLaVA's question files, or conversations whose last turn of the user is the question. */
import { jsonRecords } from '../inputs/chat/json-records.ts';
import { type ChatMessage, type Conversation, countMarks, IMAGE_MARK } from '../inputs/chat/messages.ts';
import { parseRecord } from '../inputs/chat/parse-record.ts';
import { messageOf, NarrowsError } from '../system/errors.ts';
import { exactJson } from '../system/exact-json.ts';

/** An id as its file writes it. */
export type QuestionId = string | number | bigint;

/** One question. */
export interface BulkQuestion extends Conversation {
  readonly questionId: QuestionId;
  /** Turns up to the question, `<image>` where each image stands. */
  readonly messages: readonly ChatMessage[];
  /** The question's own words, without `<image>`. */
  readonly prompt: string;
  /** The answer that a conversation file gives. */
  readonly reference?: string;
  /** 2 where the file holds the same id with the same text for the second time, 3 for the third. */
  readonly repeat?: number;
  /** Every other key of the record, such as `label` or `category`; they go on into the answer's row. */
  readonly further: Readonly<Record<string, unknown>>;
  /** Where it stands, such as `questions.jsonl, line 7`. */
  readonly source: string;
}

const isId = (value: unknown): value is QuestionId =>
  (typeof value === 'string' && value !== '') || (typeof value === 'number' && Number.isFinite(value)) || typeof value === 'bigint';

const plain = (text: string): string => text.replaceAll(IMAGE_MARK, '').trim();

const without = (record: Readonly<Record<string, unknown>>, used: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => !used.includes(key)));

/** `{question_id, image?, text}` of LLaVA (`model_vqa.py`: the image stands before the text). */
function fromQuestion(record: Readonly<Record<string, unknown>>, source: string): BulkQuestion {
  const { question_id: id, image, text = record.question } = record;
  if (!isId(id)) throw new NarrowsError(`${source}: question_id must be a text or a number, not ${exactJson(id)}.`);
  if (typeof text !== 'string' || plain(text) === '') throw new NarrowsError(`${source}: the record has no question; give it as "text".`);
  const given = image === undefined || image === null || image === '' ? [] : [image].flat();
  const front = countMarks(text) === 0 ? given.map(() => `${IMAGE_MARK}\n`).join('') : '';
  const record_ = { messages: [{ role: 'user', content: `${front}${text}` }], images: given };
  const further = without(record, ['question_id', 'image', record.text === undefined ? 'question' : 'text']);
  return { ...parseRecord(record_, source, { answer: false }), questionId: id, prompt: plain(text), source, further };
}

/** A conversation: its last turn of the user is asked; an answer behind it is the reference. */
function fromConversation(record: Readonly<Record<string, unknown>>, source: string): BulkQuestion {
  const conversation = parseRecord(record, source, { answer: false });
  const id = record.question_id ?? record.id;
  if (!isId(id)) throw new NarrowsError(`${source}: the record has no "id", by which its answer could be identified.`);
  const { messages } = conversation;
  const reference = messages.at(-1)?.role === 'assistant' ? messages.at(-1)?.content : undefined;
  const asked = reference === undefined ? messages : messages.slice(0, -1);
  return {
    ...conversation,
    messages: asked,
    questionId: id,
    prompt: plain(asked.at(-1)?.content ?? ''),
    source,
    further: without(record, [record.question_id === undefined ? 'id' : 'question_id', 'image', 'images', 'conversations', 'messages']),
    ...(reference === undefined ? {} : { reference }),
  };
}

/** A question from a record of either kind. @throws NarrowsError in one sentence that begins with `source` */
export function parseQuestion(value: unknown, source: string): BulkQuestion {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new NarrowsError(`${source}: this is not a JSON object.`);
  const record = value as Readonly<Record<string, unknown>>;
  if (record.conversations !== undefined || record.messages !== undefined) return fromConversation(record, source);
  if (record.question_id === undefined)
    throw new NarrowsError(
      `${source}: the record has neither "question_id" and "text" (a question) nor "conversations" or "messages"; its keys are ${Object.keys(record).slice(0, 6).join(', ') || 'none'}.`,
    );
  return fromQuestion(record, source);
}

/** How many reasons are named. */
const NAMED = 5;

/** One sentence for rows that are no questions: each reason once, with the rows that it holds for. */
function badRows(bad: readonly { readonly where: string; readonly reason: string }[]): NarrowsError {
  if (bad.length === 1) return new NarrowsError(`${bad[0].where}: ${bad[0].reason}.`);
  const reasons = new Map<string, string[]>();
  for (const { where, reason } of bad) reasons.set(reason, [...(reasons.get(reason) ?? []), where]);
  const said = [...reasons].slice(0, NAMED).map(([reason, places]) => {
    const rows = places.length > 1 ? ` (${places.length} rows, the first ${places[0]})` : ` (${places[0]})`;
    return `${reason}${rows}`;
  });
  const left = [...reasons.values()].slice(NAMED).reduce((sum, places) => sum + places.length, 0);
  return new NarrowsError(`${bad.length} rows cannot be used: ${said.join('; ')}${left ? ` (and ${left} more)` : ''}.`);
}

/**
 * All questions of a `.jsonl` or `.json` file. Ids may repeat, as in the files of MME and TextVQA: a question is known by its id and its text.
 * @throws NarrowsError naming file and line for text that is no JSON, for rows that are no questions (the first ones in full, all counted),
 *   and for a file without questions
 */
export async function readQuestions(file: string, signal?: AbortSignal): Promise<BulkQuestion[]> {
  const questions: BulkQuestion[] = [];
  const bad: { readonly where: string; readonly reason: string }[] = [];
  const seen = new Map<string, number>();
  for await (const { value, where } of jsonRecords(file)) {
    signal?.throwIfAborted();
    try {
      const question = parseQuestion(value, where);
      const key = exactJson([question.questionId, question.prompt]);
      const repeat = (seen.get(key) ?? 0) + 1;
      seen.set(key, repeat);
      questions.push(repeat > 1 ? { ...question, repeat } : question);
    } catch (error) {
      if (!(error instanceof NarrowsError)) throw error;
      const message = messageOf(error);
      const reason = message.startsWith(`${where}: `) ? message.slice(where.length + 2) : message;
      bad.push({ where, reason: reason.replace(/\.$/, '') });
    }
  }
  if (bad.length) throw badRows(bad);
  if (questions.length === 0) throw new NarrowsError(`${file} holds no questions.`);
  return questions;
}
