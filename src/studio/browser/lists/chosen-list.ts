/** @file A list that was chosen in the page: its pairs, what audits have of them as long as the tab is open, what a person said. */
import type { Attribution } from '../../../attribution/result.ts';
import { insideBox, type PlacedMap } from '../../../evaluation/compare/data/inside-box.ts';
import { rowOf } from '../../../report/attribution/index-row.ts';
import { sha256Hex } from '../../../system/sha256.ts';
import { auditName } from '../../audit/name.ts';
import { auditRow, type DonePair, type KeyedPair, keyed } from '../../audit/rows.ts';
import type { AuditDetail, AuditRow, PictureInfo, SourceInfo } from '../../facts.ts';
import { StudioError } from '../../protocol.ts';
import type { AuditRequest, VerdictRequest } from '../../requests.ts';
import type { ChosenPairs } from './chosen-files.ts';
import type { VerdictStore } from './verdict-store.ts';

/** What is kept of a pair that is done. */
interface Done extends DonePair {
  readonly map?: AuditDetail['map'];
  readonly words?: AuditDetail['words'];
}

/** An audit of the list. */
interface Audit {
  readonly request: AuditRequest;
  readonly done: Map<string, Done>;
  readonly failed: Map<string, string>;
}

/** What an audit keeps of a result. */
function doneOf(pair: KeyedPair['pair'], result: Attribution, size: PlacedMap['size']): Done {
  const { image, text, unit } = result;
  const map = image && { unit, grid: image.grid, view: image.view, patches: Array.from(image.patches) };
  const { share, warning } = insideBox(pair, () => map && { ...map, size });
  const row = rowOf(result);
  return {
    ...row,
    ...(share === undefined ? {} : { insideBox: share }),
    ...(warning === undefined ? {} : { warnings: [...(row.warnings ?? []), warning] }),
    ...(map ? { map } : {}),
    ...(text ? { words: text.words.map(({ text: word, value }) => ({ text: word, value })) } : {}),
  };
}

/** A list of the page. */
export class ChosenList {
  readonly info: SourceInfo;
  readonly pairs: readonly KeyedPair[];
  private readonly audits = new Map<string, Audit>();
  private shown: Audit | undefined;

  constructor(
    private readonly chosen: ChosenPairs,
    private readonly verdicts: VerdictStore,
  ) {
    const { name, pairs, warnings } = chosen;
    this.pairs = keyed(pairs, ({ image }) => image);
    const id = sha256Hex(JSON.stringify([name, this.pairs.map(each => [each.key, this.sizeOf(each)])])).slice(0, 16);
    const said = [...warnings, ...(verdicts.warning === undefined ? [] : [verdicts.warning])];
    this.info = { id, kind: 'pairs', name, count: pairs.length, ...(said.length > 0 ? { warnings: said } : {}) };
  }

  /** What the audit that is shown was asked for. */
  get request(): AuditRequest | undefined {
    return this.shown?.request;
  }

  /** Shows an audit; what was done of it before stands. @returns shows again what was shown before */
  show(request: AuditRequest): () => void {
    const before = this.shown;
    const name = auditName(request);
    this.shown = this.audits.get(name) ?? { request, done: new Map(), failed: new Map() };
    this.audits.set(name, this.shown);
    return () => {
      this.shown = before;
    };
  }

  /** Pairs that the audit that is shown has not done. */
  open(): readonly KeyedPair[] {
    return this.pairs.filter(({ key }) => !this.shown?.done.has(key));
  }

  /** How far it is. */
  counts(): { readonly done: number; readonly failed: number; readonly total: number } {
    return { done: this.shown?.done.size ?? 0, failed: this.shown?.failed.size ?? 0, total: this.pairs.length };
  }

  /** @param size of the picture, in pixels */
  keep({ key, pair }: KeyedPair, result: Attribution, size: PlacedMap['size']): void {
    this.shown?.done.set(key, doneOf(pair, result, size));
    this.shown?.failed.delete(key);
  }

  fail({ key }: KeyedPair, reason: string): void {
    this.shown?.failed.set(key, reason);
  }

  /** @throws NarrowsError where it is not among the chosen files */
  file({ pair }: KeyedPair): File {
    return this.chosen.find(pair.path);
  }

  rows(): AuditRow[] {
    return this.pairs.map(each => this.row(each));
  }

  /** @throws StudioError `missing` */
  one(key: string): KeyedPair {
    const found = this.pairs.find(each => each.key === key);
    if (!found) throw new StudioError('missing', 'The list has no such row (any more); open it again.');
    return found;
  }

  /** @throws StudioError as `one` */
  detail(key: string, picture: PictureInfo): AuditDetail {
    const { map, words } = this.shown?.done.get(key) ?? {};
    return { row: this.row(this.one(key)), picture, ...(map ? { map } : {}), ...(words ? { words } : {}) };
  }

  /** Keeps a verdict on the map that is shown. @throws StudioError as `one`, or where the browser does not keep it */
  judge({ row, verdict, note }: VerdictRequest): Promise<void> {
    return this.verdicts.keep(this.verdictKey(this.one(row)), { ...(verdict ? { verdict } : {}), ...(note ? { note } : {}) });
  }

  private row(each: KeyedPair): AuditRow {
    const { done, failed } = this.shown ?? {};
    return auditRow(each, done?.get(each.key), failed?.get(each.key), this.verdicts.of(this.verdictKey(each)));
  }

  private sizeOf(each: KeyedPair): number {
    try {
      return this.file(each).size;
    } catch {
      return -1;
    }
  }

  /** Lists of other folders may have pictures of the same names: their files differ in length. */
  private verdictKey(each: KeyedPair): string {
    return `${this.shown ? auditName(this.shown.request) : ''} ${each.key} ${this.sizeOf(each)}`;
  }
}
