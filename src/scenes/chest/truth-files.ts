/** @file Boxes and masks of phantom chests in the forms of public sets: MS-CXR, VinDr-CXR, RSNA, CheXlocalize. */
import { encodeRle } from '../rle.ts';
import type { ChestRecord } from './record.ts';
import { findingOf } from './registry.ts';

/** Files by name. */
export type TruthFiles = Readonly<Record<string, string>>;

const csv = (rows: readonly (readonly (string | number)[])[]): string => `${rows.map(row => row.join(',')).join('\n')}\n`;

/** One number of COCO's compressed run lengths: five bits per character, lowest first. */
function compress(value: number): string {
  let out = '';
  for (let rest = value, more = true; more; ) {
    const low = rest & 31;
    rest >>= 5;
    more = low & 16 ? rest !== -1 : rest !== 0;
    out += String.fromCharCode(48 + (more ? low | 32 : low));
  }
  return out;
}

/** Run lengths as the COCO API packs them; `rleCounts` reads them. */
export const packCounts = (counts: readonly number[]): string =>
  counts.map((count, i) => compress(i > 2 ? count - counts[i - 2] : count)).join('');

/** Name of a picture without folder and ending: how the sets call it. */
const idOf = ({ file_name }: ChestRecord): string => file_name.replace(/^.*\//, '').replace(/\.\w+$/, '');

/** The set's own category, else the finding's name: here MS-CXR stands for a form, which has a phrase per box. */
const categoryOf = (name: string): string => findingOf(name).labels.msCxr ?? name.replace(/^./, first => first.toUpperCase());

/** All files of a list of phantoms. @param masks per record and finding, [height × width] of 0 and 1 */
export function truthFiles(records: readonly ChestRecord[], masks: readonly (readonly Uint8Array[])[]): TruthFiles {
  const all = records.flatMap((record, r) =>
    record.findings.map((finding, f) => ({ record, finding, mask: masks[r][f], labels: findingOf(finding.name).labels })),
  );
  const categories = [...new Set(all.map(({ finding }) => categoryOf(finding.name)))].sort();
  const msCxr = {
    images: records.map((record, id) => ({ id, file_name: record.file_name, width: record.width, height: record.height })),
    annotations: all.map(({ record, finding }, id) => ({
      id,
      image_id: records.indexOf(record),
      category_id: categories.indexOf(categoryOf(finding.name)),
      bbox: finding.box,
      label_text: finding.phrase,
    })),
    categories: categories.map((name, id) => ({ id, name })),
  };
  const vindr = records.flatMap(record => {
    const boxes = all.filter(each => each.record === record && each.labels.vindr);
    if (boxes.length === 0) return [[idOf(record), 'R1', 'No finding', '', '', '', '']];
    return boxes.map(({ finding: { box }, labels }) => [
      idOf(record),
      'R1',
      labels.vindr!,
      box[0],
      box[1],
      box[0] + box[2],
      box[1] + box[3],
    ]);
  });
  const rsna = records.flatMap(record => {
    const boxes = all.filter(each => each.record === record && each.labels.rsna);
    return boxes.length === 0 ? [[idOf(record), '', '', '', '', 0]] : boxes.map(({ finding: { box } }) => [idOf(record), ...box, 1]);
  });
  const segmentations: Record<string, Record<string, { size: readonly number[]; counts: string }>> = {};
  for (const record of records) {
    const classes: Record<string, Uint8Array> = {};
    for (const { mask, labels } of all.filter(each => each.record === record && each.labels.chexlocalize)) {
      const union = classes[labels.chexlocalize!] ?? new Uint8Array(mask.length);
      classes[labels.chexlocalize!] = union;
      mask.forEach((v, i) => {
        if (v) union[i] = 1;
      });
    }
    segmentations[idOf(record)] = Object.fromEntries(
      Object.entries(classes).map(([name, mask]) => {
        const { size, counts } = encodeRle(mask, record.width, record.height, 1);
        return [name, { size, counts: packCounts(counts) }];
      }),
    );
  }
  return {
    'ms-cxr.json': `${JSON.stringify(msCxr)}\n`,
    'vindr-cxr.csv': csv([['image_id', 'rad_id', 'class_name', 'x_min', 'y_min', 'x_max', 'y_max'], ...vindr]),
    'rsna.csv': csv([['patientId', 'x', 'y', 'width', 'height', 'Target'], ...rsna]),
    'chexlocalize.json': `${JSON.stringify(segmentations)}\n`,
  };
}
