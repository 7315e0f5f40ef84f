/**
 * Holds our reading of all of pydicom's own test files against what pydicom reads from them (golden.json of make_dicom.py); files that are kept in
 * the repository are tested there, the others are too large, or of people.
 *
 * usage: node --import tsx bench/peers/check_dicom.ts FOLDER      FOLDER: .../site-packages/pydicom/data/test_files
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { decodeImage } from '../../src/inputs/image/decode.ts';
import { compareWithPydicom, golden } from '../../src/inputs/image/dicom/testing/pydicom-golden.ts';
import { messageOf, NarrowsError } from '../../src/system/errors.ts';

const folder = process.argv[2];
if (!folder || !existsSync(folder)) throw new Error('Give the folder of pydicom’s test files.');

const counts = new Map<string, string[]>();
for (const [name, facts] of Object.entries(golden.pydicom)) {
  const path = join(folder, name);
  const outcome = await judge(path, facts).catch(error => `DIFFERENT: ${messageOf(error).split('\n')[0]}`);
  const kind = outcome.split(':')[0];
  counts.set(kind, [...(counts.get(kind) ?? []), name]);
  console.log(`${name.padEnd(44)} ${outcome.replaceAll(folder, '')}`);
}
for (const [kind, names] of counts) console.log(`${names.length} ${kind}`);
process.exitCode = counts.has('DIFFERENT') ? 1 : 0;

async function judge(path: string, facts: (typeof golden.pydicom)[string]): Promise<string> {
  if (!existsSync(path)) return 'not there';
  const refusal = await decodeImage(path, { frame: facts.frames > 1 ? 2 : undefined }).then(
    () => undefined,
    error => error as Error,
  );
  if (refusal && !(refusal instanceof NarrowsError)) throw refusal;
  if (refusal) return `refused by ${facts.refused ? 'both' : 'Narrows alone'}: ${refusal.message}`;
  if (facts.refused) return `refused by pydicom alone: ${facts.refused}`;
  await compareWithPydicom(path, facts);
  return 'equal';
}
