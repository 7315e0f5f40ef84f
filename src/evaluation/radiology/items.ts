/** @file What an audit goes over: findings with a place (boxes) of pictures with a report (pairs). */
import { captionedPictures, folderList, textsBeside } from '../../inputs/pairs/folder.ts';
import { isFolder, listPairs } from '../../inputs/pairs/list-pairs.ts';
import type { ListedPair } from '../../inputs/pairs/pair-rows.ts';
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
  /** A list of pictures with reports or findings, or a folder of pictures, which may have none. */
  readonly pairs: string;
  /** A folder inside of that one that is passed over. */
  readonly except?: string;
  readonly boxes: string;
  readonly form?: string;
  /** Only these classes. */
  readonly findings?: readonly string[];
  /** At most so many findings, at random. */
  readonly samples?: number;
  readonly seed: number;
}

/** Pictures with what is said of them: reports, lists of findings, or (a folder of pictures alone) nothing. */
async function reportsOf(
  file: string,
  except: string | undefined,
  warn: (message: string) => void,
): Promise<{ readonly pairs: readonly ListedPair[]; readonly bare: boolean }> {
  const bare = (await isFolder(file)) && !(await folderList(file)) && (await textsBeside(file)).length === 0;
  if (!bare) return { pairs: (await listPairs(file, { findings: true, onWarning: warn })).pairs, bare };
  warn(`${file} brings no reports, so the phrases of the boxes were not held against any.`);
  return { pairs: await captionedPictures(file, '', { except, onWarning: warn }), bare };
}

/** @throws NarrowsError where what is said of a picture does not hold what its box is of; no sentence quotes it */
function checkSaid(truth: TruthRecord, { findings, text, where }: ListedPair): void {
  const { label, phrase } = truth;
  if (findings) {
    const said = findings.some(one => [label, phrase ?? label].some(wanted => holds(one, wanted) || holds(wanted, one)));
    if (!said) throw new NarrowsError(`${truth.where}: the findings of ${where} do not hold ${label}; are they those of another picture?`);
  } else if (phrase !== undefined && !holds(text, phrase))
    throw new NarrowsError(
      `${truth.where}: the report of ${where} does not hold the phrase of the box; is it the report of another picture?`,
    );
}

/**
 * Joins reports and boxes. @throws NarrowsError for files that cannot be read, a box of a picture without a report, a phrase that its report does
 * not hold, or an unknown class; no sentence quotes a report
 */
export async function auditItems({
  pairs: pairsFile,
  except,
  boxes,
  form: formName,
  findings,
  samples,
  seed,
}: AuditListOptions): Promise<AuditList> {
  const warnings: string[] = [];
  const { pairs, bare } = await reportsOf(pairsFile, except, message => warnings.push(message));
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
    if (!bare) checkSaid(truth, pair);
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
