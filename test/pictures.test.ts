/** @file Pictures that are easily read wrongly: films of more than 8 bits, turned photos, one colour. What is said reaches every way in. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attributionFromJson } from '../src/report/attribution/json.ts';
import { parseCsv } from '../src/system/csv.ts';
import { narrows, repository, scratch, writePicture, writeTinyModel } from './support.ts';

const cwd = scratch();
const at = (...parts: string[]): string => join(cwd, ...parts);
const call = (...args: string[]) => narrows(args, { cwd });
const attribute = (image: string, ...args: string[]) =>
  call('attribute', image, 'a dog and a cat', '--model', 'model', '--method', 'grad-cam', ...args);
const testdata = join(repository, 'src/inputs/image/testdata');

beforeAll(async () => {
  await writeTinyModel(at('model'));
  await writePicture(at('disc.png'));
  copyFileSync(join(testdata, 'formats/film-12.png'), at('film.png'));
  copyFileSync(join(testdata, 'formats/film-12.tif'), at('film.tif'));
  copyFileSync(join(testdata, 'exif6.jpg'), at('phone.jpg'));
  await sharp({ create: { width: 40, height: 30, channels: 3, background: '#777777' } })
    .png()
    .toFile(at('plain.png'));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('one pair', () => {
  it('a film is scaled by its values, which the terminal, the report and JSON say; the command of the report gives the same', async () => {
    const { code, stdout, stderr } = await attribute('film.png', '--output', 'film.json', '--output', 'film.html');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Picture: 16 bits a sample: 500 became black and 2888 white');
    const result = attributionFromJson(readFileSync(at('film.json'), 'utf8'));
    const window = { rule: 'auto', low: 500, high: 2888 };
    expect(result.provenance.image.reading).toEqual({ format: 'png', bits: 16, window, clipped: 0 });
    expect(result.warnings).toBeUndefined();
    expect(readFileSync(at('film.html'), 'utf8')).toContain('500 became black and 2888 white');
    const given = await attribute('film.tif', '--window', '300,1500', '--json');
    const read = attributionFromJson(given.stdout);
    expect(read.provenance.image.reading).toMatchObject({ format: 'tiff', window: { rule: 'given', low: 300, high: 1500 } });
    expect(read.image?.patches).not.toEqual(result.image?.patches);
  });

  it("Pillow's rule on a film: warned about on stderr, in JSON, in the report and in the picture", async () => {
    const outputs = ['json', 'html', 'svg'].flatMap(kind => ['--output', `white.${kind}`]);
    const { stdout, stderr } = await attribute('film.png', '--window', 'pillow', ...outputs);
    expect(stderr).toMatch(/100 % of its values lie outside of 0 to 255/);
    expect(stderr).toMatch(/all that the model sees of it has one colour/);
    expect(stdout).toMatch(/2 WARNINGS/);
    const { warnings } = attributionFromJson(readFileSync(at('white.json'), 'utf8'));
    expect(warnings).toHaveLength(2);
    for (const file of ['white.html', 'white.svg']) expect(readFileSync(at(file), 'utf8')).toContain('100 % of its values');
    const command = /narrows (attribute [^<]*--window pillow[^<]*)</.exec(readFileSync(at('white.html'), 'utf8'))?.[1];
    expect(command).toContain('--image film.png');
  });

  it('a turned photo is warned about, or turned; its command says so', async () => {
    const stored = await attribute('phone.jpg', '--json');
    expect(stored.stderr).toMatch(/its orientation tag \(EXIF\) is 6.*--auto-orient/);
    const turned = await attribute('phone.jpg', '--auto-orient', '--output', 'turned.json', '--output', 'turned.html');
    expect(turned.stderr).toBe('');
    const [a, b] = [attributionFromJson(stored.stdout), attributionFromJson(readFileSync(at('turned.json'), 'utf8'))];
    expect([b.provenance.image.width, b.provenance.image.height]).toEqual([a.provenance.image.height, a.provenance.image.width]);
    expect(readFileSync(at('turned.html'), 'utf8')).toMatch(/narrows attribute [^<]*--auto-orient/);
  });

  it('one colour, for the picture and for a target picture', async () => {
    expect((await attribute('plain.png', '--json')).stderr).toContain('The picture: all that the model sees of it has one colour');
    const target = await attribute('disc.png', '--target-image', 'plain.png', '--json');
    expect(target.stderr).toContain('The target picture: all that the model sees of it has one colour');
    expect(attributionFromJson(target.stdout).image?.target).toBe('cosine to the picture plain.png');
  });

  it('a window that is none, and a named pipe', async () => {
    const wrong = await attribute('film.png', '--window', '9,3');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/--window.*two numbers, the lower one first/);
    execFileSync('mkfifo', [at('pipe.png')]);
    const pipe = await attribute('pipe.png');
    expect(pipe).toMatchObject({ code: 1 });
    expect(pipe.stderr).toContain('Image pipe.png is a named pipe');
  });
});

describe('what was explained', () => {
  it('stands in the terminal and in every kind of picture, for each map; a list with commas is pointed out', async () => {
    const outputs = ['svg', 'html', 'json'].flatMap(kind => ['--output', `against.${kind}`]);
    const { stdout } = await attribute('disc.png', '--against', 'a bird', ...outputs);
    expect(stdout).toContain('Explained, image map: cosine to the caption minus cosine to "a bird"');
    expect(stdout).toContain('Explained, caption map: cosine to the image');
    const svg = readFileSync(at('against.svg'), 'utf8');
    expect(svg).toMatch(/image map: cosine to the caption minus cosine to &quot;a bird&quot;/);
    expect(svg).toContain('caption map: cosine to the image');
    expect(readFileSync(at('against.html'), 'utf8')).toContain('explains cosine to the caption minus cosine to');
    const labels = await attribute('disc.png', '--labels', 'a dog,a cat', '--json');
    expect(labels.stderr).toContain('--labels names one label, “a dog,a cat”; separate the texts of a list by semicolons (a;b).');
    const usual = await attribute('disc.png', '--output', 'usual.svg');
    expect(usual.stdout).not.toContain('Explained');
  });
});

describe('a list of pairs', () => {
  it('warns with its lines, in the log, in every table and page, and again when it goes on', async () => {
    const pairs = [['disc.png'], ['film.png'], ['phone.jpg'], ['plain.png'], ['pipe.png']].map(([image]) => `${image},a dog`);
    writeFileSync(at('pairs.csv'), `image,text\n${pairs.join('\n')}\n`);
    const audit = () =>
      call('attribute', '--pairs', 'pairs.csv', '--output', 'audit', '--model', 'model', '--method', 'grad-cam', '--window', 'pillow');
    for (const { code, stderr } of [await audit(), await audit()]) {
      expect(code).toBe(1);
      expect(stderr).toMatch(/pairs\.csv, line 3: The picture: 100 % of its values/);
      expect(stderr).toMatch(/pairs\.csv, line 4: The picture: its orientation tag/);
      expect(stderr).toMatch(/pairs\.csv, lines 3, 5: The picture: all that the model sees of it has one colour/);
      expect(stderr).toMatch(/line 6: Image .*pipe\.png is a named pipe/);
    }
    const rows = readFileSync(at('audit/results.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(rows.map(row => row.warnings?.length ?? 0)).toEqual([0, 2, 1, 1, 0]);
    const summary = parseCsv(readFileSync(at('audit/summary.csv'), 'utf8'), 'summary.csv');
    expect(summary[0].fields).toContain('warnings');
    expect(readFileSync(at('audit/index.html'), 'utf8')).toContain('its orientation tag (EXIF) is 6');
  });
});
