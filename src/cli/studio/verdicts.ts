/** @file Verdicts by hand: a line of JSON each, beside the list, on the disk before it counts. Of two on one row the later one holds. */

import { z } from 'zod';
import { AppendLog } from '../../node/append-log.ts';
import type { Held } from '../../studio/audit/rows.ts';
import { VERDICTS, type Verdict } from '../../studio/requests.ts';
import { parsePlain } from '../../system/json-depth.ts';

const line = z.object({
  /** Of the row (see `AuditRow.key`) and of the audit whose map was judged. */
  row: z.string(),
  audit: z.string(),
  verdict: z.enum(VERDICTS).nullable(),
  note: z.string().optional(),
});

/** What a line holds besides, so that the file says something without the studio. */
export interface Judged {
  readonly row: string;
  readonly audit: string;
  readonly image: string;
  readonly text: string;
  readonly model: string;
  readonly method: string;
  readonly verdict: Verdict | null;
  readonly note?: string;
}

const name = (audit: string, row: string): string => `${audit} ${row}`;

/** The verdicts of a list. */
export class Verdicts {
  private readonly held = new Map<string, Held>();
  private opened: Promise<void> | undefined;

  /** @param path the JSONL file; it is made with the first verdict */
  constructor(private readonly path: string) {}

  /** The verdict on a row of an audit. */
  async of(audit: string): Promise<(row: string) => Held> {
    this.opened ??= this.readAll();
    await this.opened;
    return row => this.held.get(name(audit, row)) ?? {};
  }

  private async readAll(): Promise<void> {
    const log = await AppendLog.open(this.path, true);
    if (!log) return;
    try {
      for await (const { text } of log.lines()) this.take(text);
    } finally {
      await log.close();
    }
  }

  /** A line that is none of ours says nothing; it stays where it is. */
  private take(text: string): void {
    let json: unknown;
    try {
      json = parsePlain(text);
    } catch {
      return;
    }
    const parsed = line.safeParse(json);
    if (parsed.success) this.hold(parsed.data);
  }

  private hold({ audit, row, verdict, note }: Pick<Judged, 'audit' | 'row' | 'verdict' | 'note'>): void {
    if (verdict === null && !note) this.held.delete(name(audit, row));
    else this.held.set(name(audit, row), { ...(verdict ? { verdict } : {}), ...(note ? { note } : {}) });
  }

  /** Keeps a verdict. @throws NarrowsError where the file cannot be written */
  async keep(judged: Judged): Promise<void> {
    await this.of(judged.audit);
    // Opened for each: other programs may read and sort the file meanwhile.
    const log = await AppendLog.open(this.path);
    try {
      await log.append(JSON.stringify({ at: new Date().toISOString(), ...judged }));
    } finally {
      await log.close();
    }
    this.hold(judged);
  }
}
