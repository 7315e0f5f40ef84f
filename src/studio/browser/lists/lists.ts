/** @file The lists of the page: opened from chosen files, audited, judged, taken away. */
import { auditLines, LINES_TYPE } from '../../audit/export.ts';
import { pageOf } from '../../audit/rows.ts';
import type { AuditDetail, RowsPage, SourceInfo } from '../../facts.ts';
import { type ChosenFile, StudioError, type StudioEvent } from '../../protocol.ts';
import type { AuditRequest, RowsQuery, VerdictRequest } from '../../requests.ts';
import { type AuditParts, auditList } from './audit-list.ts';
import { chosenPairs } from './chosen-files.ts';
import { ChosenList } from './chosen-list.ts';
import { openVerdicts, type VerdictStore } from './verdict-store.ts';

/** Longest side of a small picture, in pixels. */
const SMALL = 160;

/** Lists by their ids. */
export class Lists {
  private readonly lists = new Map<string, ChosenList>();
  private verdicts: Promise<VerdictStore> | undefined;

  constructor(private readonly parts: AuditParts) {}

  sources(): readonly SourceInfo[] {
    return [...this.lists.values()].map(({ info }) => info);
  }

  /** @throws NarrowsError for files without pairs */
  async open(files: readonly ChosenFile[]): Promise<SourceInfo> {
    this.verdicts ??= openVerdicts();
    const list = new ChosenList(await chosenPairs(files), await this.verdicts);
    // The same files again: what was computed stays.
    const known = this.lists.get(list.info.id) ?? list;
    this.lists.set(known.info.id, known);
    return known.info;
  }

  /** @throws StudioError as `auditList` */
  audit(request: AuditRequest, signal: AbortSignal): AsyncIterable<StudioEvent> {
    return auditList(this.find(request.source), request, this.parts, signal);
  }

  rows(query: RowsQuery): RowsPage {
    return pageOf(this.find(query.source).rows(), query);
  }

  /** @throws NarrowsError for a picture that is missing or none */
  async detail(source: string, key: string): Promise<AuditDetail> {
    const list = this.find(source);
    const each = list.one(key);
    return list.detail(key, await this.parts.pictures.add(list.file(each), each.image));
  }

  /** @throws NarrowsError as `detail` */
  async thumbnail(source: string, key: string): Promise<Blob> {
    const list = this.find(source);
    const each = list.one(key);
    const { id } = await this.parts.pictures.add(list.file(each), each.image);
    return this.parts.pictures.asFile(id, SMALL);
  }

  judge(request: VerdictRequest): Promise<void> {
    return this.find(request.source).judge(request);
  }

  lines(source: string): Blob {
    const list = this.find(source);
    return new Blob([auditLines(list.rows(), list.request)], { type: LINES_TYPE });
  }

  /** @throws StudioError `missing` */
  private find(source: string): ChosenList {
    const found = this.lists.get(source);
    if (!found) throw new StudioError('missing', 'This page does not have the list any more; choose it again.');
    return found;
  }
}
