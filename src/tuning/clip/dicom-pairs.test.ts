/** Training a CLIP on DICOM films: which frame, captions out of findings, what is refused, and that no sentence names the patient. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../inputs/image/decode.ts';
import { ImageProcessor } from '../../inputs/image/processor.ts';
import { nodeRuntime } from '../../runtime/node.ts';
import { clipTrainingSchema } from './arguments.ts';
import { PairReader } from './pair-batch.ts';
import { clipPairTask } from './pair-task.ts';
import { readTrainingPairs } from './pairs.ts';
import { pairSource } from './source.ts';
import { TINY } from './testdata/tiny.ts';

const testdata = fileURLToPath(new URL('../../inputs/image/dicom/testdata/', import.meta.url));
/** Words of the made-up patient in these files (make_dicom.py), and the beginning of their UIDs. */
const SECRETS = /zebedee|quillfeather|77012345|19511203|brambleshire|mossop|ACC5550199|1\.2\.826/i;
const folder = mkdtempSync(join(tmpdir(), 'narrows-films-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const list = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
beforeAll(() => {
  for (const name of ['frames', 'mono2-12', 'truncated', 'no-pixels', 'unknown-syntax'])
    copyFileSync(`${testdata}${name}.dcm`, join(folder, `${name}.dcm`));
  // Extended JPEG of 12 bits, as in read-dicom.test.ts.
  const wide = readFileSync(`${testdata}jpeg-ls.dcm`).toString('latin1').replace('1.2.840.10008.1.2.4.80', '1.2.840.10008.1.2.4.51');
  writeFileSync(join(folder, 'jpeg-12.dcm'), Buffer.from(wide.replace('\xff\xd8\xff\xf7', '\xff\xd8\xff\xc1'), 'latin1'));
});

const argumentsOf = (train_file: string, more = {}) =>
  clipTrainingSchema.parse({ ...TINY, train_file, per_device_train_batch_size: 2, output_dir: join(folder, 'none'), ...more });

describe('a batch', () => {
  it('holds the frame that was asked for, through the worker that reads ahead', { timeout: 120_000 }, async () => {
    const file = list('frames.csv', 'image,text\nframes.dcm,a slope\nframes.dcm,a dark slope\n');
    const runtime = nodeRuntime();
    const batches = [];
    for (const frame of [1, 2]) {
      const task = await clipPairTask(runtime, argumentsOf(file, { frame }));
      const { patches, kept } = await task.batch(0);
      await task.close();
      const film = await decodeImage(join(folder, 'frames.dcm'), { frame });
      const { preprocessor } = await pairSource(argumentsOf(file), ['a slope']);
      const { pixelValues } = ImageProcessor.fromConfig(preprocessor).process(film);
      // The last patch of 4 by 4: its channel 1, row 3, column 5.
      const [patch, size] = [24, 96];
      expect(Array.from(kept.data, Number)).toEqual([...Array(32).keys()].map(k => k % 16));
      expect(patches.data[15 * 3 * patch * patch + patch * patch + 3 * patch + 5]).toBe(
        pixelValues.data[size * size + (72 + 3) * size + 72 + 5],
      );
      batches.push(patches.data);
    }
    await runtime.release();
    expect(batches[0]).not.toEqual(batches[1]);
  });

  it('is refused in one sentence, with the line and without a word of the patient', async () => {
    const source = await pairSource(argumentsOf(list('any.csv', 'image,text\nmono2-12.dcm,a\n')), ['a']);
    const reader = new PairReader({ ...source, textConfig: source.config.text_config, imageSize: 96, patchSize: 24, maxLength: 24 });
    for (const [name, sentence] of [
      ['frames', /of 3 frames; say which one is meant with --frame N/],
      ['truncated', /damaged or cut short/],
      ['no-pixels', /without pixels/],
      ['unknown-syntax', /a transfer syntax that is not read/],
      ['jpeg-12', /JPEG of 12 bits per sample, of which 8 are read/],
    ] as const) {
      const error = await reader.pixels({ image: join(folder, `${name}.dcm`), text: 'a', place: 'films.csv, line 2' }).then(
        () => expect.fail(`${name} was read`),
        (e: Error) => e,
      );
      expect(error.name).toBe('NarrowsError');
      expect(error.message).toMatch(sentence);
      expect(error.message).toMatch(/^films\.csv, line 2: /);
      expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toMatch(SECRETS);
    }
  });
});

describe('a list of findings', () => {
  it('makes captions, which is said; a picture without findings is an error, or is left out', async () => {
    const file = list('findings.csv', 'image,findings\nmono2-12.dcm,"pleural effusion; nodule"\nmono2-12.dcm,\n');
    const [said, ignored]: string[][] = [[], []];
    const { pairs } = await readTrainingPairs(
      file,
      message => ignored.push(message),
      message => said.push(message),
    );
    expect(pairs.map(p => p.text)).toEqual(['pleural effusion, nodule']);
    expect(said).toEqual([`${file} has no column of captions, so the findings of a picture, with commas between them, are its caption.`]);
    expect(ignored).toEqual([`${file}, line 3 has no findings, which are the captions here.`]);
    await expect(readTrainingPairs(file)).rejects.toThrow('line 3 has no findings');
  });
});
