/** @file Scores what a run answered: answers by the keys of their questions, every scenario by every scorer that is asked for. */
import type { AnswerRow } from '../../generation/answers-file.ts';
import { readFile } from '../../node/disk.ts';
import { NarrowsError } from '../../system/errors.ts';
import { parseExact } from '../../system/exact-json.ts';
import { answersPath } from './folder.ts';

/**
 * Answers of a scenario by their questions' keys; none where the file is not there yet. A last line that was cut short is passed over: a run
 * may still be writing it.
 * @throws NarrowsError naming file and line for a row that is no answer of a run
 */
export async function readAnswers(output: string, benchmark: string, scenario: string): Promise<Map<string, string>> {
  const path = answersPath(output, benchmark, scenario);
  const text = await readFile(path, 'utf8').catch(error => {
    if ((error as { code?: string }).code === 'ENOENT') return '';
    throw error;
  });
  const answers = new Map<string, string>();
  for (const [i, line] of text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .entries()) {
    if (line === '') continue;
    let row: AnswerRow | undefined;
    try {
      row = parseExact(line) as AnswerRow;
    } catch {
      row = undefined;
    }
    const key = row?.metadata?.key;
    if (typeof key !== 'string' || typeof row?.text !== 'string')
      throw new NarrowsError(`${path}, line ${i + 1} is no answer of a run; delete the line and run again.`);
    answers.set(key, row.text);
  }
  return answers;
}
