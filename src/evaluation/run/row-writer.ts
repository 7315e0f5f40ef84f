/** @file Puts rows into a file of answers as they come: what comes while the disk is busy goes with the next write. */
import type { AnswerRow, AnswersFile } from '../../generation/answers-file.ts';

/** A queue in front of a file of answers. */
export class RowWriter {
  private pending: AnswerRow[] = [];
  private writing: Promise<void> | undefined;
  private failed: { readonly error: unknown } | undefined;

  constructor(private readonly file: Pick<AnswersFile, 'append'>) {}

  /** Takes a row. */
  add(row: AnswerRow): void {
    this.pending.push(row);
    this.writing ??= this.write();
  }

  private async write(): Promise<void> {
    try {
      while (this.pending.length > 0) {
        const rows = this.pending;
        this.pending = [];
        await this.file.append(rows);
      }
    } catch (error) {
      this.failed ??= { error };
    } finally {
      this.writing = undefined;
    }
  }

  /** Waits until all rows are on the disk. @throws what a write threw */
  async settle(): Promise<void> {
    while (this.writing) await this.writing;
    if (this.failed) throw this.failed.error;
  }
}
