/** @file Records of an audit while another process writes them: only what has grown is read, thumbnails and maps stay on the disk. */
import { open, stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { openLine } from '../../jobs/store.ts';
import { requireEnding } from '../../node/read-file.ts';
import { pairName } from '../../studio/audit/rows.ts';
import type { AuditRecord } from '../attribute/audit-record.ts';

/** A record without what is large, and where its line stands. */
export interface LightRecord extends Omit<AuditRecord, 'thumbnail' | 'patches' | 'words'> {
  readonly place: { readonly at: number; readonly bytes: number };
}

const PIECE = 1 << 22;
/** Records that are read in one go. */
const TOGETHER = 16;

/** The `cells.jsonl` of an audit. */
export class AuditCells {
  readonly records = new Map<string, LightRecord>();
  private at = 0;
  private refreshing: Promise<void> | undefined;

  /** @param inside what a list's own box holds of a record's map; asked once per record */
  constructor(
    private readonly path: string,
    private readonly inside: (record: AuditRecord) => { readonly share?: number; readonly warning?: string } = () => ({}),
  ) {}

  /** Reads what was written since; calls that come meanwhile wait for the same reading. */
  refresh(): Promise<void> {
    this.refreshing ??= this.read().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  private async read(): Promise<void> {
    const size = await stat(this.path).then(
      info => info.size,
      () => 0,
    );
    // Written anew: damaged lines were taken away.
    if (size < this.at) {
      this.at = 0;
      this.records.clear();
    }
    if (size === this.at) return;
    await requireEnding(this.path);
    await using file = await open(this.path);
    for (let taken = 0; ; ) {
      const piece = Buffer.alloc(Math.min(PIECE, size - this.at));
      const { bytesRead } = await file.read(piece, 0, piece.length, this.at);
      const end = piece.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
      if (end === 0) return;
      let start = 0;
      for (let stop = piece.indexOf(0x0a); stop >= 0 && stop < end; stop = piece.indexOf(0x0a, start)) {
        this.take(piece.toString('utf8', start, stop), { at: this.at + start, bytes: stop - start });
        start = stop + 1;
        // A long audit is read while others wait for answers.
        if (++taken % TOGETHER === 0) await setImmediate();
      }
      this.at += end;
    }
  }

  private take(line: string, place: LightRecord['place']): void {
    const record = recordOf(line);
    if (!record) return;
    const { thumbnail: _, patches: __, words: ___, ...light } = record;
    const { share, warning } = this.inside(record);
    this.records.set(pairName(record.image, record.caption), {
      ...light,
      place,
      ...(share === undefined ? {} : { insideBox: share }),
      ...(warning === undefined ? {} : { warnings: [...(record.warnings ?? []), warning] }),
    });
  }

  /** A whole record; undefined where the file was written anew since. */
  async whole({ place, image, caption }: LightRecord): Promise<AuditRecord | undefined> {
    await using file = await open(this.path);
    const line = Buffer.alloc(place.bytes);
    await file.read(line, 0, place.bytes, place.at);
    const record = recordOf(line.toString('utf8'));
    return record?.image === image && record.caption === caption ? record : undefined;
  }
}

/** The record of a line, where it is sound and has one. */
function recordOf(line: string): AuditRecord | undefined {
  const value = openLine(line) as { readonly result?: { readonly record?: AuditRecord } } | undefined;
  return value?.result?.record;
}
