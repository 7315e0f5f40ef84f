/** @file Answers that exist, in the forms in which programs write them: JSON lines, tables, JSON, folders of MMMU. */
import { tableKind, tableRows } from '../../../inputs/tables/read-table.ts';
import { readText } from '../../../inputs/text-file.ts';
import { readdir, stat } from '../../../node/disk.ts';
import { join } from '../../../node/paths.ts';
import { NarrowsError } from '../../../system/errors.ts';
import { parseExact } from '../../../system/exact-json.ts';
import { readError } from '../../../system/read-error.ts';
import type { AnswerRecord } from '../../benchmarks/question.ts';
import { answerOf } from './answer-row.ts';

/** What programs call the file of a subject's answers. */
const OUTPUT = /^output.*\.jsonl?$/i;

async function fromTable(path: string): Promise<AnswerRecord[]> {
  const answers: AnswerRecord[] = [];
  for await (const { values, where } of tableRows(path)) answers.push(answerOf(values, where));
  return answers;
}

/** A JSON object of ids and answers (MMMU's `total_val_output.json`), or one that holds the records under a key. Undefined for anything else. */
async function fromObject(path: string): Promise<AnswerRecord[] | undefined> {
  const text = await readText(path);
  if (!text.trimStart().startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = parseExact(text);
  } catch {
    // JSON lines, or what the reader of records has a sentence for.
    return undefined;
  }
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length > 0 && entries.every(([, answer]) => typeof answer === 'string'))
    return entries.map(([id, answer]) => ({ id, text: answer as string, where: `${path}, key ${id}` }));
  return undefined;
}

async function fromFolder(path: string): Promise<AnswerRecord[]> {
  const answers: AnswerRecord[] = [];
  for (const entry of (await readdir(path, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) {
      for (const name of (await readdir(inner)).filter(one => OUTPUT.test(one)).sort())
        answers.push(...(await fromTable(join(inner, name))));
    } else if (/^answers.*\.jsonl$/i.test(entry.name) || OUTPUT.test(entry.name)) answers.push(...(await fromTable(inner)));
  }
  if (answers.length === 0)
    throw new NarrowsError(
      `${path} holds no answers: no SUBJECT/output.json, no answers.jsonl; give a file, or the folder that a program wrote.`,
    );
  return answers;
}

/**
 * Answers of a file or folder: LLaVA's JSON lines, MMStar's predictions, lmms-eval's samples, CSV, TSV or parquet with columns of id and answer,
 * a JSON object of ids and answers, MMMU's folders of `output.json`.
 * @throws NarrowsError naming file and row for what is no answer
 */
export async function readAnswers(path: string): Promise<AnswerRecord[]> {
  const info = await stat(path).catch((error: unknown) => {
    throw readError(path, error);
  });
  if (info.isDirectory()) return fromFolder(path);
  const kind = tableKind(path);
  const answers = (kind === 'json' ? await fromObject(path) : undefined) ?? (await fromTable(path));
  if (answers.length === 0) throw new NarrowsError(`${path} holds no answers.`);
  return answers;
}
