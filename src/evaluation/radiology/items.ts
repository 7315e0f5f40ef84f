/** @file What an audit goes over: findings with a place (boxes) of pictures with a report (pairs). */
import { readPairs } from '../../inputs/pairs/read-pairs.ts';
import { NarrowsError } from '../../system/errors.ts';
import { didYouMean } from '../../system/nearest-names.ts';
import { RandomStream } from '../../tensor/random.ts';
import type { TruthRecord } from '../compare/data/truth/form.ts';
import { truthForm } from '../compare/data/truth/registry.ts';
import { denied, holds, mirrored } from './phrases.ts';

/** One finding of one picture. */
export interface AuditItem {
  readonly id: string;
  /** The picture as the list of pairs names it, and its path. */
  readonly image: string;
  readonly path: string;
  readonly label: string;
  readonly phrase: string;
  readonly denied?: string;
  readonly mirrored?: string;
  /** The phrase of another picture that has no such finding: what a map would show that heeds no words. */
  readonly shuffled?: string;
  readonly truth: TruthRecord;
}

/** What an audit is made on. */
export interface AuditList {
  readonly items: readonly AuditItem[];
  readonly form: string;
  readonly warnings: readonly string[];
}

/** Names of pictures are compared without folder and ending. */
const stem = (path: string): string => path.replace(/^.*[/\\]/, '').replace(/\.(dcm|dicom|png|jpe?g|tiff?|bmp|webp)$/i, '');

/** Options of `auditItems`. */
export interface AuditListOptions {
  readonly pairs: string;
  readonly boxes: string;
  readonly form?: string;
  /** Only these classes. */
  readonly findings?: readonly string[];
  /** At most so many findings, at random. */
  readonly samples?: number;
  readonly seed: number;
}

/**
 * Joins reports and boxes. @throws NarrowsError for files that cannot be read, a box of a picture without a report, a phrase that its report does
 * not hold, or an unknown class; no sentence quotes a report
 */
export async function auditItems({
  pairs: pairsFile,
  boxes,
  form: formName,
  findings,
  samples,
  seed,
}: AuditListOptions): Promise<AuditList> {
  const warnings: string[] = [];
  const pairs = await readPairs(pairsFile, { onWarning: message => warnings.push(message) });
  const form = await truthForm(boxes, formName);
  const { records } = await form.read(boxes);
  const labels = [...new Set(records.map(record => record.label))];
  for (const name of findings ?? []) {
    if (labels.some(label => label.toLowerCase() === name.toLowerCase())) continue;
    const near = didYouMean(name, labels);
    throw new NarrowsError(`${boxes} has no finding "${name}"; ${near ?? `it has ${labels.slice(0, 12).join(', ')}.`}`, { kind: 'usage' });
  }
  const reports = new Map<string, (typeof pairs)[number]>();
  for (const pair of pairs) {
    const twice = reports.get(stem(pair.image));
    if (twice)
      throw new NarrowsError(
        `${pair.where}: the picture ${stem(pair.image)} has a report already (line ${twice.line}); an audit needs one each.`,
      );
    reports.set(stem(pair.image), pair);
  }
  const wanted = records.filter(({ label }) => !findings || findings.some(name => name.toLowerCase() === label.toLowerCase()));
  const joined = wanted.map((truth): AuditItem => {
    const pair = reports.get(stem(truth.image));
    if (!pair) throw new NarrowsError(`${truth.where}: ${pairsFile} has no report of the picture ${truth.image}.`);
    if (truth.phrase !== undefined && !holds(pair.text, truth.phrase))
      throw new NarrowsError(
        `${truth.where}: the report of ${pair.where} does not hold the phrase of the box; is it the report of another picture?`,
      );
    const phrase = truth.phrase ?? truth.label.toLowerCase();
    const other = { denied: denied(phrase, truth.label), mirrored: mirrored(phrase) };
    return { id: `${stem(truth.image)}/${phrase}`, image: pair.image, path: pair.path, label: truth.label, phrase, ...other, truth };
  });
  if (joined.length === 0) throw new NarrowsError(`${boxes} has no finding with a place.`);
  const reader = new RandomStream(seed, 'audit.order').reader(0, 0);
  const chosen = samples !== undefined && samples < joined.length ? reader.shuffle(joined).slice(0, samples) : joined;
  const here = new Map<string, Set<string>>();
  for (const { image, label } of joined) here.set(image, (here.get(image) ?? new Set()).add(label));
  const items = chosen.map((item, i): AuditItem => {
    const others = joined.filter(other => other.image !== item.image && !here.get(item.image)!.has(other.label));
    return others.length === 0 ? item : { ...item, shuffled: new RandomStream(seed, 'audit.shuffle').reader(0, i).pick(others).phrase };
  });
  if (items.some(item => item.shuffled === undefined))
    warnings.push('All pictures show the same findings, so some phrases have no other to be shuffled with.');
  return { items, form: form.title, warnings };
}
