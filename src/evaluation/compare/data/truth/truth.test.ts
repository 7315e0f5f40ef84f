/** Boxes and masks of public sets: phantom chests written in each form and read back, and what is refused. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ChestRecord } from '../../../../scenes/chest/record.ts';
import { writeChests } from '../../../../scenes/chest/write-chests.ts';
import { openSource } from '../open.ts';
import type { DataSpec } from '../sample.ts';
import { PictureFinder } from './find-picture.ts';
import { detectForm, TRUTH_FORMS, truthForm } from './registry.ts';

const folder = mkdtempSync(join(tmpdir(), 'truth-'));
let chests: ChestRecord[];
const spec = (file: string, more = {}): DataSpec => ({
  kind: 'truth',
  file: join(folder, file),
  template: '{}',
  modalities: ['image'],
  seed: 0,
  ...more,
});
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

beforeAll(async () => {
  await writeChests({ count: 30, seed: 5, outputDirectory: folder, width: 64, height: 48 });
  chests = readFileSync(join(folder, 'chests.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as ChestRecord);
}, 60_000);

describe('forms of truth', () => {
  it('are known by the file', async () => {
    for (const [file, form] of [
      ['ms-cxr.json', 'ms-cxr'],
      ['vindr-cxr.csv', 'vindr-cxr'],
      ['rsna.csv', 'rsna'],
      ['chexlocalize.json', 'chexlocalize'],
    ])
      expect((await detectForm(join(folder, file)))?.name).toBe(form);
    expect(await detectForm(join(folder, 'reports.csv'))).toBeUndefined();
    expect(TRUTH_FORMS).toHaveLength(4);
  });

  it('MS-CXR: a record per phrase, in the picture’s pixels', async () => {
    const { records } = await (await truthForm(join(folder, 'ms-cxr.json'))).read(join(folder, 'ms-cxr.json'));
    const all = chests.flatMap(chest =>
      chest.findings.map(f => ({ image: chest.file_name, phrase: f.phrase, boxes: [f.box], size: { width: 64, height: 48 } })),
    );
    expect(records.map(({ image, phrase, boxes, size }) => ({ image, phrase, boxes, size }))).toEqual(all);
  });

  it('pictures beside a file that is named without a folder', async () => {
    writeFileSync(join(folder, 'beside.png'), readFileSync(join(folder, 'images/000000.png')));
    const file = write('beside.csv', 'image_id,rad_id,class_name,x_min,y_min,x_max,y_max\nbeside,R1,Cardiomegaly,1,1,9,9\n');
    const path = relative(process.cwd(), file);
    expect((await (await openSource({ ...spec(''), file: path } as DataSpec)).read(0)).pair.imageName).toBe('beside');
    const finder = new PictureFinder('.');
    await expect(finder.find('package', 'x')).rejects.toThrow('there is no picture package');
    // The folder that tests run in holds README.md, which is no picture, and is found by its whole name.
    expect(await finder.find('README.md', 'x')).toBe('README.md');
  });

  it('several boxes of a phrase are one truth, of another phrase another', async () => {
    const file = write(
      'several.csv',
      'dicom_id,category_name,label_text,x,y,w,h,image_width,image_height\n000001,Pneumonia,patchy opacities,1,2,3,4,64,48\n000001,Pneumonia,patchy opacities,30,20,5,6,64,48\n000001,Pneumonia,opacity,1,2,3,4,64,48\n',
    );
    const source = await openSource(spec('several.csv'));
    expect(source.names).toHaveLength(2);
    const samples = await Promise.all([0, 1].map(i => source.read(i)));
    const both = samples.find(s => s.pair.text === 'patchy opacities')!;
    expect(both.truth!.data.reduce((a, b) => a + b, 0)).toBe(12 + 30);
    expect(both.truth!.data[20 * 64 + 30]).toBe(1);
    expect(both.truth!.data[19 * 64 + 30]).toBe(0);
    expect(both.further).toEqual({ category: 'Pneumonia' });
    expect(file).toContain('several');
  });

  it('VinDr-CXR: corners become boxes; RSNA: boxes of opacities; both name pictures that show nothing', async () => {
    const vindr = await (await truthForm(join(folder, 'vindr-cxr.csv'))).read(join(folder, 'vindr-cxr.csv'));
    const effusion = chests.flatMap(c =>
      c.findings.filter(f => f.name === 'pleural effusion').map(f => [c.file_name.slice(7, 13), f.box] as const),
    );
    expect(vindr.records.filter(r => r.label === 'Pleural effusion').flatMap(r => r.boxes.map(b => [r.image, b]))).toEqual(effusion);
    expect(effusion.length).toBeGreaterThan(0);
    const rsna = await (await truthForm(join(folder, 'rsna.csv'))).read(join(folder, 'rsna.csv'));
    const opacity = chests.flatMap(c =>
      c.findings.filter(f => f.name === 'lung opacity').map(f => [c.file_name.slice(7, 13), f.box] as const),
    );
    expect(rsna.records.flatMap(r => r.boxes.map(b => [r.image, b]))).toEqual(opacity);
    expect(rsna.none).toContain(chests.find(c => !c.findings.some(f => f.name === 'lung opacity'))!.file_name.slice(7, 13));
  });

  it('CheXlocalize: masks of as many pixels as were painted, and pictures found by their id', async () => {
    const source = await openSource(spec('chexlocalize.json'));
    const samples = await Promise.all(source.names.map((_, i) => source.read(i)));
    for (const chest of chests)
      for (const finding of chest.findings.filter(f => f.name === 'cardiomegaly')) {
        const sample = samples.find(s => s.id === `${chest.file_name.slice(7, 13)}/Cardiomegaly`)!;
        expect(sample.truth!.data.reduce((a, b) => a + b, 0)).toBe(finding.area);
        expect(sample.pair.text).toBe('cardiomegaly');
      }
  });

  it('are refused in one sentence', async () => {
    const head = 'image_id,rad_id,class_name,x_min,y_min,x_max,y_max\n';
    write('beyond.csv', `${head}000001,R1,Cardiomegaly,10,10,90,40\n`);
    write('upside.csv', `${head}000001,R1,Cardiomegaly,20,10,10,40\n`);
    write('empty-box.csv', `${head}000001,R1,Cardiomegaly,,,,\n`);
    write('words.csv', `${head}000001,R1,Cardiomegaly,a,1,2,3\n`);
    write('gone.csv', `${head}999999,R1,Cardiomegaly,1,1,2,3\n`);
    write('rle.json', JSON.stringify({ '000001': { Edema: { size: [48, 64], counts: [5, 5] } } }));
    write('odd.json', JSON.stringify([{ a: 1 }]));
    const read = async (file: string): Promise<string> => {
      try {
        await openSource(spec(file));
      } catch (error) {
        expect((error as Error).name).toBe('NarrowsError');
        return (error as Error).message.replaceAll(`${folder}/`, '');
      }
      return 'read';
    };
    expect(await read('beyond.csv')).toContain(
      'beyond.csv, line 2: the box [10, 10, 80, 30] (left, top, width, height) reaches out of the picture of 64 x 48',
    );
    expect(await read('upside.csv')).toContain('upside.csv, line 2: a box needs a width and a height above 0');
    expect(await read('empty-box.csv')).toContain('needs a box');
    expect(await read('words.csv')).toBe('words.csv, line 2: x_min is no number.');
    expect(await read('gone.csv')).toContain('gone.csv, line 2: there is no picture 999999');
    expect(await read('rle.json')).toContain('rle.json, 000001 / Edema: the run lengths add up to 10 pixels');
    write('cut.csv', `${head}cut,R1,Cardiomegaly,1,1,2,3\n000001,R1,Cardiomegaly,1,1,2,3\n`);
    writeFileSync(join(folder, 'cut.dcm'), readFileSync(new URL('../../../../inputs/image/dicom/testdata/truncated.dcm', import.meta.url)));
    expect(await read('cut.csv')).toMatch(/^cut\.csv, line 2: Image cut\.dcm is a DICOM file that is damaged or cut short/);
    expect(await read('odd.json')).toContain('none of the forms of boxes');
    await expect(openSource(spec('vindr-cxr.csv', { modalities: ['image', 'text'] }))).rejects.toThrow('give --modality image');
  });
});
