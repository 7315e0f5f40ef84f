/** @file The rows of a list on the disk: its pairs, what the audit has of them, and what a person said. */
import { join, relative } from 'node:path';
import { insideBox } from '../../evaluation/compare/data/inside-box.ts';
import type { ListedPair } from '../../inputs/pairs/pair-rows.ts';
import { auditName } from '../../studio/audit/name.ts';
import { auditRow, type KeyedPair, keyed, pairName } from '../../studio/audit/rows.ts';
import type { AuditRow } from '../../studio/facts.ts';
import { StudioError } from '../../studio/protocol.ts';
import { type AuditRecord, placedMap } from '../attribute/audit-record.ts';
import { AuditCells, type LightRecord } from './audit-cells.ts';
import { type AuditState, auditsFolder, verdictsPath } from './audit-folder.ts';
import { pairsOf, rootOf, type Source, stampOf } from './sources.ts';
import { Verdicts } from './verdicts.ts';

/** Pictures of a folder without a list are shown by their paths below it. */
const shownPath = ({ image, path }: ListedPair, root: string): string => (image === path ? relative(root, path) || image : image);

/** A list with its audit and its verdicts. */
export class AuditTable {
  readonly verdicts: Verdicts;
  private read: { readonly stamp: string; readonly pairs: Promise<readonly KeyedPair[]> } | undefined;
  private state: AuditState | undefined;
  private cells: AuditCells | undefined;

  constructor(readonly source: Source) {
    this.verdicts = new Verdicts(verdictsPath(source));
  }

  /** The audit that is shown. */
  get audit(): AuditState | undefined {
    return this.state;
  }

  /** Name of the audit that is shown; verdicts on no map stand under an empty one. */
  get auditName(): string {
    return this.state ? auditName(this.state.request) : '';
  }

  /** Shows an audit. */
  show(state: AuditState | undefined): void {
    const before = this.auditName;
    this.state = state;
    if (this.auditName !== before) this.cells = undefined;
  }

  /** The records of the audit that is shown, as they are now. */
  private async fresh(list: readonly KeyedPair[]): Promise<AuditCells | undefined> {
    if (!this.state) return undefined;
    if (!this.cells) {
      const listed = new Map(list.map(({ pair }) => [pairName(pair.image, pair.text), pair]));
      this.cells = new AuditCells(join(auditsFolder(this.source), this.auditName, 'cells.jsonl'), record => {
        const pair = listed.get(pairName(record.image, record.caption));
        return pair ? insideBox(pair, () => placedMap(record)) : {};
      });
    }
    await this.cells.refresh();
    return this.cells;
  }

  /** The list's pairs; read again when its file has changed. @throws NarrowsError for a list that cannot be read */
  async list(): Promise<readonly KeyedPair[]> {
    const stamp = await stampOf(this.source).catch(() => '');
    if (this.read?.stamp !== stamp) {
      this.read = { stamp, pairs: pairsOf(this.source).then(pairs => keyed(pairs, pair => shownPath(pair, rootOf(this.source)))) };
      // Boxes are the list's.
      this.cells = undefined;
    }
    const { pairs } = this.read;
    pairs.catch(() => {
      this.read = undefined;
    });
    return pairs;
  }

  /** All rows, in the order of the list. */
  async rows(): Promise<AuditRow[]> {
    const list = await this.list();
    const [held, cells] = await Promise.all([this.verdicts.of(this.auditName), this.fresh(list)]);
    const failures = new Map(this.state?.failures.map(({ image, text, reason }) => [pairName(image, text), reason]));
    return list.map(each => auditRow(each, recordOf(cells, each), failures.get(pairName(each.pair.image, each.pair.text)), held(each.key)));
  }

  /** A row with all that the audit has of it. @throws StudioError `missing` */
  async one(key: string): Promise<{ readonly keyed: KeyedPair; readonly row: AuditRow; readonly record?: AuditRecord }> {
    const list = await this.list();
    const found = list.find(each => each.key === key);
    if (!found) throw new StudioError('missing', 'The list has no such row (any more); reload it.');
    const [held, cells] = await Promise.all([this.verdicts.of(this.auditName), this.fresh(list)]);
    const light = recordOf(cells, found);
    const failure = this.state?.failures.find(({ image, text }) => image === found.pair.image && text === found.pair.text)?.reason;
    const record = light && (await cells!.whole(light));
    return { keyed: found, row: auditRow(found, light, failure, held(key)), ...(record ? { record } : {}) };
  }
}

/** What an audit has of a pair, without its thumbnail and its map. */
const recordOf = (cells: AuditCells | undefined, { pair }: KeyedPair): LightRecord | undefined =>
  cells?.records.get(pairName(pair.image, pair.text));
