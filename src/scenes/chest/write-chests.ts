/** @file Writes phantom chests to a directory: pictures (PNG or DICOM), reports, and the truth in the forms of public sets. */
import { access } from '../../node/disk.ts';
import { writeFileAtomic } from '../../node/files.ts';
import { lockOutput } from '../../node/output-lock.ts';
import { join } from '../../node/paths.ts';
import { sharp } from '../../node/sharp.ts';
import { NarrowsError } from '../../system/errors.ts';
import { RandomStream } from '../../tensor/random.ts';
import { claimDirectory } from '../dataset.ts';
import { CHEST_DEFAULTS, type Chest, type ChestOptions, chestBytes, drawChest } from './chest.ts';
import { dicomFile } from './dicom-file.ts';
import { CHEST_SCHEMA_VERSION, type ChestRecord, chestRecord } from './record.ts';
import { reportSentences } from './report.ts';
import { truthFiles } from './truth-files.ts';

/** Options of `writeChests`, besides those of a chest. */
export interface WriteChestsOptions extends ChestOptions {
  readonly count: number;
  readonly seed?: number;
  readonly outputDirectory: string;
  /** DICOM files of 12 bits in place of PNG. */
  readonly dicom?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Writes `images/NNNNNN.png` (or `.dcm`), `reports.csv` (image, text, findings), `chests.jsonl`, `dataset.json`, and the truth as `ms-cxr.json`, `vindr-cxr.csv`, `rsna.csv`
 * and `chexlocalize.json`. Run again with the same settings it keeps the pictures that are there, and a larger `count` extends the set.
 * @returns the number of pictures drawn now @throws NarrowsError for settings that cannot be met or a directory of other ones; the signal's reason when aborted
 */
export async function writeChests(options: WriteChestsOptions): Promise<{ directory: string; count: number; drawn: number }> {
  const { count, seed = 0, outputDirectory, dicom = false, signal } = options;
  const { width, height, minFindings, maxFindings } = {
    ...CHEST_DEFAULTS,
    ...Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)),
  };
  const { findings } = options;
  if (!Number.isSafeInteger(count) || count < 1)
    throw new NarrowsError(`The number of chests must be a positive integer, got ${count}.`, { kind: 'usage' });
  const chests = new RandomStream(seed, 'chests');
  const reports = new RandomStream(seed, 'chest reports');
  const draw = (sample: number): Chest => drawChest({ width, height, minFindings, maxFindings, findings }, chests.reader(0, sample));
  draw(0);
  await using _ = await lockOutput(outputDirectory, 'directory', { folders: ['images'] });
  await claimDirectory(outputDirectory, {
    schemaVersion: CHEST_SCHEMA_VERSION,
    kind: 'chest',
    seed,
    width,
    height,
    minFindings,
    maxFindings,
    findings,
    dicom,
  });
  const records: ChestRecord[] = [];
  const masks: Uint8Array[][] = [];
  let drawn = 0;
  for (let sample = 0; sample < count; sample++) {
    signal?.throwIfAborted();
    const chest = draw(sample);
    const file_name = `images/${String(sample).padStart(6, '0')}.${dicom ? 'dcm' : 'png'}`;
    const path = join(outputDirectory, file_name);
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (!there) {
      await writeFileAtomic(
        path,
        dicom ? dicomFile(chest.values, width, height, BigInt(seed) * 10_000_000n + BigInt(sample + 2)) : await png(chest),
      );
      drawn++;
    }
    records.push(chestRecord(chest, reportSentences(chest.findings, reports.reader(0, sample)), { file_name, seed, sample }));
    masks.push(chest.findings.map(f => f.mask));
    options.onProgress?.(sample + 1, count);
  }
  const rows = records.map(r => `${r.file_name},"${r.report}","${r.findings.map(f => f.name).join('; ')}"`);
  const files = {
    'chests.jsonl': records.map(record => `${JSON.stringify(record)}\n`).join(''),
    'reports.csv': `image,text,findings\n${rows.join('\n')}\n`,
    ...truthFiles(records, masks),
  };
  for (const [name, content] of Object.entries(files)) await writeFileAtomic(join(outputDirectory, name), content);
  return { directory: outputDirectory, count, drawn };
}

const png = (chest: Chest): Promise<Uint8Array> =>
  sharp(chestBytes(chest), { raw: { width: chest.width, height: chest.height, channels: 1 } })
    .png()
    .toBuffer();
