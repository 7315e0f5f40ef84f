/** @file A file of answers that grows row by row: whole lines whatever happens, mended when it is opened again. */

import { parseJson } from '../checkpoints/config.ts';
import { type FileHandle, open, requireEnding } from '../node/disk.ts';
import { makeDirectory, writeError, writeFileAtomic } from '../node/files.ts';
import { createHash } from '../node/hash.ts';
import { dirname } from '../node/paths.ts';
import { NarrowsError } from '../system/errors.ts';
import { exactJson, parseExact } from '../system/exact-json.ts';
import { readError } from '../system/read-error.ts';
import type { BulkQuestion, QuestionId } from './questions.ts';

/** A row, keys as in LLaVA's answer files; further keys of the question stand in it as well. */
export interface AnswerRow extends Readonly<Record<string, unknown>> {
  readonly question_id: QuestionId;
  readonly prompt: string;
  readonly text: string;
  readonly answer_id: string;
  readonly model_id: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** An id of 22 letters and digits that follows from what the answer is: the same run gives the same ids. */
export const answerId = (...parts: readonly unknown[]): string =>
  createHash('sha256').update(exactJson(parts)).digest('base64').replace(/[+/=]/g, '').slice(0, 22);

/** What tells a question from all others of a file: ids may repeat, and so may an id with its text. */
export type AnswerKey = Pick<BulkQuestion, 'questionId' | 'prompt' | 'repeat'>;
const keyText = ({ questionId, prompt, repeat = 1 }: AnswerKey): string => exactJson([questionId, prompt, repeat]);
const keyOf = ({ question_id: questionId, prompt, metadata }: AnswerRow): string =>
  keyText({ questionId, prompt, repeat: typeof metadata?.repeat === 'number' ? metadata.repeat : 1 });

/** What stands in a line. */
interface Line {
  readonly key: string;
  readonly text: string;
}

/** An open file of answers. */
export class AnswersFile {
  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    /** Rows by their keys. */
    private readonly lines: Map<string, string>,
    /** Bytes of a row cut short that were taken away when the file was opened. */
    readonly mended: number,
  ) {}

  /**
   * Opens or makes a file. What stands behind the last line end was cut short by whatever ended the earlier run, and is taken away.
   * @param check looks at each row there is; throws where it does not belong to this run
   * @throws NarrowsError naming file and line for a whole line that is no answer; where the file cannot be written
   */
  static async open(path: string, check: (row: AnswerRow, where: string) => void = () => {}): Promise<AnswersFile> {
    await makeDirectory(dirname(path)).catch(error => {
      throw writeError(path, error);
    });
    await requireEnding(path);
    const handle = await open(path, 'a+').catch(error => {
      throw writeError(path, error);
    });
    try {
      const content = await handle.readFile().catch(error => {
        throw readError(path, error);
      });
      const end = content.lastIndexOf(0x0a) + 1;
      const lines = new Map<string, string>();
      for (const [i, text] of content.subarray(0, end).toString('utf8').split('\n').entries()) {
        if (text.trim() === '') continue;
        const where = `${path}, line ${i + 1}`;
        const row = parseJson(text, where, parseExact) as AnswerRow | null;
        const id = typeof row === 'object' ? row?.question_id : undefined;
        if (typeof id !== 'string' && typeof id !== 'number' && typeof id !== 'bigint')
          throw new NarrowsError(`${where}: the row has no question_id, so it is no file of answers; choose another output.`);
        check(row as AnswerRow, where);
        lines.set(keyOf(row as AnswerRow), text);
      }
      if (end < content.length) await handle.truncate(end);
      return new AnswersFile(path, handle, lines, content.length - end);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Whether a question has its answer. */
  has(question: AnswerKey): boolean {
    return this.lines.has(keyText(question));
  }

  /** How many answers there are. */
  get size(): number {
    return this.lines.size;
  }

  /** Appends rows and waits until they are on the disk. @throws NarrowsError where they cannot be written; earlier rows stay whole */
  async append(rows: readonly AnswerRow[]): Promise<void> {
    const added: Line[] = rows.map(row => ({ key: keyOf(row), text: exactJson(row) }));
    try {
      await this.handle.appendFile(added.map(({ text }) => `${text}\n`).join(''));
      await this.handle.sync();
    } catch (error) {
      throw writeError(this.path, error);
    }
    for (const { key, text } of added) this.lines.set(key, text);
  }

  /** Puts the rows into an order, rows of other questions first, and closes. Nothing is written where they stand in it already. */
  async finish(order: Iterable<AnswerKey>): Promise<void> {
    await this.close();
    const wanted = [...order].map(keyText).filter(key => this.lines.has(key));
    const known = new Set(wanted);
    const keys = [...[...this.lines.keys()].filter(key => !known.has(key)), ...wanted];
    if ([...this.lines.keys()].every((key, i) => key === keys[i])) return;
    await writeFileAtomic(this.path, keys.map(key => `${this.lines.get(key)}\n`).join(''));
  }

  /** Closes the file as it is. */
  async close(): Promise<void> {
    await this.handle.close();
  }
}
