/** What becomes of DICOM files on their way in: bytes, choices, refusals, and that nothing of a patient gets through. */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeImage, imageSize } from '../decode.ts';

const testdata = fileURLToPath(new URL('testdata/', import.meta.url));
const file = (name: string): string => join(testdata, name);
/** Words of the made-up patient in the files of make_dicom.py. */
const SECRETS = /zebedee|quillfeather|77012345|19511203|brambleshire|mossop|ACC5550199|1\.2\.826/i;

const refusal = async (name: string, options = {}): Promise<string> => {
  const error = await decodeImage(file(name), options).then(
    () => undefined,
    (e: Error) => e,
  );
  expect(error?.name).toBe('NarrowsError');
  expect(error!.message).not.toMatch(SECRETS);
  expect(error!.message).not.toContain('\n');
  return error!.message.replace(file(name), 'FILE');
};

describe('DICOM pictures', () => {
  it('are shown by the file’s first window, its second, its own units, or the values that are there', async () => {
    const first = await decodeImage(file('signed-12.dcm'));
    expect(first.reading).toMatchObject({
      window: { rule: 'file', low: -500, high: 499 },
      dicom: { view: { number: 1, of: 2, label: 'NORMAL' } },
    });
    const second = await decodeImage(file('signed-12.dcm'), { window: 'voi:2' });
    expect(second.reading).toMatchObject({ window: { rule: 'file', low: 400, high: 599 }, dicom: { view: { number: 2 } } });
    const given = await decodeImage(file('rescale.dcm'), { window: [0, 1000] });
    // The slope's first pixel: 100 stored is 100 · 0.5 − 100.25 = −50.25; the last 3900 is 1849.75.
    expect([given.data[0], given.data.at(-1)]).toEqual([0, 255]);
    const all = await decodeImage(file('mono2-12.dcm'));
    expect(all.reading).toMatchObject({ window: { rule: 'auto', low: 100, high: 3900 } });
    expect(Math.min(...all.data)).toBe(0);
    expect(Math.max(...all.data)).toBe(255);
    expect(await refusal('mono2-12.dcm', { window: 'voi:1' })).toContain('has no window or VOI table, so there is no voi:1');
  });

  it('turn MONOCHROME1 so that air is black, as a screen does', async () => {
    const one = await decodeImage(file('mono1-12.dcm'));
    const two = await decodeImage(file('mono2-12.dcm'), { window: [500.5, 3499.5] });
    for (let i = 0; i < one.data.length; i++) expect(Math.abs(255 - one.data[i] - two.data[i])).toBeLessThanOrEqual(1);
    expect(one.data[0]).toBeGreaterThan(one.data.at(-1)!);
  });

  it('keep rows and columns, colours, and say where pixels are no squares', async () => {
    const rgb = await decodeImage(file('rgb.dcm'));
    expect([rgb.width, rgb.height]).toEqual([40, 36]);
    expect(await imageSize(file('rgb.dcm'))).toEqual({ width: 40, height: 36 });
    expect([...rgb.data.slice(0, 3)]).toEqual([0, 255, 60]);
    expect((await decodeImage(file('rgb-planar.dcm'))).data).toEqual(rgb.data);
    const { reading } = await decodeImage(file('aspect.dcm'));
    expect(reading.warnings[0].message).toContain('1.50 times as high as wide');
  });

  it('ask which of several frames is meant', async () => {
    expect(await refusal('frames.dcm')).toBe('Image FILE is a DICOM file of 3 frames; say which one is meant with --frame N, from 1 to 3.');
    expect(await refusal('frames.dcm', { frame: 4 })).toContain('so there is no frame 4');
    const second = await decodeImage(file('frames.dcm'), { frame: 2 });
    expect(second.reading).toMatchObject({ pages: 3, dicom: { frame: 2 } });
    expect(second.data[0]).toBeGreaterThan(second.data.at(-1)!);
  });

  it('are refused in one sentence', async () => {
    expect(await refusal('no-pixels.dcm')).toContain('without pixels');
    expect(await refusal('unknown-syntax.dcm')).toContain('a transfer syntax that is not read (1.2.840.10008.1.2.9)');
    expect(await refusal('truncated.dcm')).toContain('damaged or cut short');
    expect(await refusal('header-cut.dcm')).toMatch(/without pixels|cut short/);
    expect(await refusal('bits-32.dcm')).toContain('32 bits per sample');
    expect(await refusal('palette.dcm')).toContain('PALETTE COLOR');
    expect(await refusal('pydicom/MR_truncated.dcm')).toContain('cut short');
    // JPEG of 12 bits: the 12-bit JPEG-LS file under the syntax and the marker of extended JPEG.
    const extended = Buffer.from(
      readFileSync(file('jpeg-ls.dcm'))
        .toString('latin1')
        .replace('1.2.840.10008.1.2.4.80', '1.2.840.10008.1.2.4.51')
        .replace('\xff\xd8\xff\xf7', '\xff\xd8\xff\xc1'),
      'latin1',
    );
    await expect(decodeImage(extended)).rejects.toThrow('JPEG of 12 bits per sample, of which 8 are read; export it uncompressed');
    const bytes = readFileSync(file('jpeg-ls.dcm'));
    for (const keep of [200, 500, 900, bytes.length - 100]) {
      const error = await decodeImage(bytes.subarray(0, keep)).then(
        () => undefined,
        (e: Error) => e,
      );
      expect(error?.name ?? 'NarrowsError').toBe('NarrowsError');
      expect(error?.message ?? '').not.toMatch(SECRETS);
    }
  });

  it('keep nothing of a patient: hash, size, window and modality alone', async () => {
    for (const name of readdirSync(testdata).filter(n => n.endsWith('.dcm'))) {
      const said: string[] = [];
      const say = (message: string): void => void said.push(message);
      const image = await decodeImage(file(name), { frame: name === 'frames.dcm' ? 1 : undefined, onNote: say, onWarning: say }).catch(
        (error: Error) => {
          say(`${error.message} ${error.stack} ${String(error.cause)}`);
          return undefined;
        },
      );
      expect(`${JSON.stringify(image?.reading)} ${said.join(' ')}`).not.toMatch(SECRETS);
      if (image) expect(image.reading.dicom).toMatchObject({ sop: expect.stringMatching(/^[0-9a-f]{16}$/), modality: 'DX' });
    }
  });

  it('give tags only where they are asked for, and warn of a path with the patient’s name', async () => {
    const { reading } = await decodeImage(file('mono2-12.dcm'), { keepTags: ['0018,0015', '00081030'] });
    expect(reading.dicom?.tags).toEqual({ '0018,0015': 'CHEST', '0008,1030': 'Chest of Zebedee' });
    await expect(decodeImage(file('mono2-12.dcm'), { keepTags: ['age'] })).rejects.toThrow('is no DICOM tag');
    const path = join(mkdtempSync(join(tmpdir(), 'dicom-')), 'QUILLFEATHER_1.dcm');
    writeFileSync(path, readFileSync(file('mono2-12.dcm')));
    const named = await decodeImage(path);
    expect(named.reading.warnings).toMatchObject([{ kind: 'privacy' }]);
    expect(JSON.stringify(named.reading)).not.toMatch(SECRETS);
  });
});
