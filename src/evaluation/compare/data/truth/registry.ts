/** @file The forms of truth that are read, and which of them a file has. */
import { readJson } from '../../../../checkpoints/disk.ts';
import { readText } from '../../../../inputs/text-file.ts';
import { parseTable } from '../../../../system/csv.ts';
import { NarrowsError } from '../../../../system/errors.ts';
import { chexlocalize } from './chexlocalize.ts';
import type { TruthForm } from './form.ts';
import { msCxr } from './ms-cxr.ts';
import { rsna } from './rsna.ts';
import { vindrCxr } from './vindr-cxr.ts';

/** All forms. */
export const TRUTH_FORMS: readonly TruthForm[] = [msCxr, vindrCxr, rsna, chexlocalize];

/** The form of a file, undefined where it is none of them. @throws NarrowsError for a file that cannot be read */
export async function detectForm(file: string): Promise<TruthForm | undefined> {
  const csv = /\.csv$/i.test(file);
  const columns = csv ? parseTable(await readText(file), file)[0]?.fields.map(name => name.trim().toLowerCase()) : undefined;
  const json = csv ? undefined : await readJson(file);
  return TRUTH_FORMS.find(form => form.fits({ columns, json }));
}

/** A form by its name, or by the file. @throws NarrowsError for a name that is none, or a file of no known form */
export async function truthForm(file: string, name?: string): Promise<TruthForm> {
  const names = TRUTH_FORMS.map(form => form.name).join(', ');
  if (name !== undefined) {
    const form = TRUTH_FORMS.find(each => each.name === name);
    if (!form) throw new NarrowsError(`There is no form of boxes "${name}"; there are ${names}.`, { kind: 'usage' });
    return form;
  }
  if (!/\.(csv|json)$/i.test(file))
    throw new NarrowsError(`${file} is neither .csv nor .json; boxes are read in the forms of ${names}.`, { kind: 'usage' });
  const form = await detectForm(file);
  if (!form) throw new NarrowsError(`${file} has none of the forms of boxes that are read (${names}).`);
  return form;
}
