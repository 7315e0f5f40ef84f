/** @file One row of answers, whichever program wrote it. */
import { NarrowsError } from '../../../system/errors.ts';
import type { AnswerRecord } from '../../benchmarks/question.ts';

type Row = Readonly<Record<string, unknown>>;

const IDS = ['question_id', 'questionId', 'qid', 'id', 'index', 'pid', 'data_id'];
/** `answer` stands last: where there is another column, it is the right answer that the row repeats. */
const TEXTS = [
  'prediction',
  'response',
  'text',
  'output',
  'pred',
  'model_answer',
  'model_output',
  'generated_text',
  'caption',
  'judgement',
  'answer',
];
const PROMPTS = ['prompt', 'question', 'input', 'query', 'instruction'];
const MODELS = ['model_id', 'model', 'model_name'];

const isId = (value: unknown): value is string | number | bigint =>
  (typeof value === 'string' && value !== '') || (typeof value === 'number' && Number.isFinite(value)) || typeof value === 'bigint';

const isRecord = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A text of a cell: lmms-eval writes answers as lists of lists; numbers and booleans are written out. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return Array.isArray(value) && value.length > 0 ? textOf(value[0]) : undefined;
}

const keyAmong = (row: Row, keys: readonly string[], good: (value: unknown) => boolean): string | undefined =>
  keys.find(key => good(row[key]));

/** The question's id in a sample of lmms-eval: in the document, else in what a metric noted, else the number of the document. */
function idOfSample(row: Row): unknown {
  const records = [row.doc, ...Object.values(row)].filter(isRecord);
  for (const record of records) {
    const key = keyAmong(record, IDS, isId);
    if (key) return record[key];
  }
  return row.doc_id;
}

/** lmms-eval's samples: `{doc_id, doc, input, resps, filtered_resps, target}`. */
function fromSample(row: Row, where: string): AnswerRecord {
  const id = idOfSample(row);
  const text = textOf(row.filtered_resps) ?? textOf(row.resps);
  if (!isId(id)) throw new NarrowsError(`${where}: the sample has neither an id in its document nor "doc_id".`);
  if (text === undefined) throw new NarrowsError(`${where}: the sample has no text in "filtered_resps" or "resps".`);
  const doc = isRecord(row.doc) ? row.doc : {};
  const prompt = [row.input, doc.question, doc.text].find(one => typeof one === 'string' && one !== '') as string | undefined;
  return { id, text, where, facts: { ...doc }, ...(prompt === undefined ? {} : { prompt }) };
}

/**
 * A row as an answer.
 * @param where such as `answers.jsonl, line 7` @throws NarrowsError naming the row for one without id or answer, with the keys that it has
 */
export function answerOf(row: Row, where: string): AnswerRecord {
  if (row.filtered_resps !== undefined || row.resps !== undefined) return fromSample(row, where);
  const idKey = keyAmong(row, IDS, isId);
  const keys = Object.keys(row).slice(0, 12).join(', ') || 'none';
  if (idKey === undefined) throw new NarrowsError(`${where}: the row has no id (${IDS.slice(0, 5).join(', ')}); its keys are ${keys}.`);
  const textKey = keyAmong(row, TEXTS, value => value !== undefined);
  if (textKey === undefined)
    throw new NarrowsError(`${where}: the row has no answer (${TEXTS.slice(0, 5).join(', ')} or answer); its keys are ${keys}.`);
  const text = row[textKey] === null ? '' : textOf(row[textKey]);
  if (text === undefined) throw new NarrowsError(`${where}: "${textKey}" should hold the answer as text.`);
  const promptKey = keyAmong(row, PROMPTS, value => typeof value === 'string' && value !== '');
  const modelKey = keyAmong(row, MODELS, value => typeof value === 'string' && value !== '');
  const used = new Set([idKey, textKey, promptKey, modelKey]);
  return {
    id: row[idKey] as AnswerRecord['id'],
    text,
    where,
    facts: Object.fromEntries(Object.entries(row).filter(([key]) => !used.has(key))),
    ...(promptKey ? { prompt: row[promptKey] as string } : {}),
    ...(modelKey ? { model: row[modelKey] as string } : {}),
  };
}
