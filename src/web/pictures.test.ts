/** @file Pictures in Chromium against Pillow's bytes, figures and answers against Node's. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMethod, findMethod } from '../attribution/registry.ts';
import { explainSubject, type QuestionSubject } from '../attribution/subject.ts';
import { ChatSession } from '../generation/chat-session.ts';
import { ChatModel } from '../generation/pretrained.ts';
import { decodeImage } from '../inputs/image/decode.ts';
import type { ImageReading } from '../inputs/image/image-reading.ts';
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { loadModel } from '../models/pretrained.ts';
import { attributionFromJson } from '../report/attribution/json.ts';
import { figurePng, overlayPng } from '../report/attribution/raster.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { sha256Hex } from '../system/sha256.ts';
import { svgToPng } from './figures.ts';
import { decodeBytes } from './image/decode-bytes.ts';
import { encodePng } from './image/encode-png.ts';
import { pngHeader, pngSamples, withoutAlpha } from './image/png.ts';
import { valuesOf } from './testing/page/values.ts';
import { ask, browserHere, CLIP_FILES, type Session, startSession } from './testing/session.ts';

const SLOW = 600_000;
const repository = fileURLToPath(new URL('../../', import.meta.url));
const testdata = `${repository}src/inputs/image/testdata/`;
const films = `${repository}src/inputs/image/dicom/testdata/`;

interface Golden {
  readonly file: string;
  readonly rgb_sha256: string;
}
const goldens = (name: string): Golden[] => JSON.parse(readFileSync(`${testdata}${name}.json`, 'utf8')).cases;
const files = [
  ...goldens('golden').map(({ file, rgb_sha256 }) => ({ file, rgb_sha256 })),
  ...goldens('kinds').map(({ file, rgb_sha256 }) => ({ file: `kinds/${file}`, rgb_sha256 })),
  ...goldens('formats').map(({ file, rgb_sha256 }) => ({ file: `formats/${file}`, rgb_sha256 })),
];

interface Read {
  readonly error?: string;
  readonly sha256: string;
  readonly width: number;
  readonly height: number;
  readonly reading: ImageReading;
  readonly corner: readonly number[];
}

describe.skipIf(!browserHere)('in Chromium', () => {
  let session: Session;
  let page: Page;
  beforeAll(async () => {
    session = await startSession({ mounts: [['/films/', films]] });
    ({ page } = await session.open());
  }, SLOW);
  afterAll(() => session?.close());

  it.each(['page', 'worker'] as const)(
    'pictures have the bytes of Pillow in a %s, or say that they may not',
    async place => {
      const read = await ask<Record<string, Read>>(page, place, 'decode', {
        files: files.map(({ file }) => `/pictures/${file}`),
        options: { window: 'pillow' },
      });
      const wrong: string[] = [];
      const approximate: string[] = [];
      for (const { file, rgb_sha256 } of files) {
        const { error, sha256, reading } = read[`/pictures/${file}`];
        if (/\.tiff?$/.test(file)) expect(error).toContain('is a TIFF, which a page does not read; it reads PNG,');
        else if (error) wrong.push(`${file}: ${error}`);
        else if (reading.approximate) {
          approximate.push(file);
          expect(reading.warnings.map(({ kind }) => kind)).toContain('decoder');
        } else if (sha256 !== rgb_sha256) wrong.push(file);
      }
      expect(wrong).toEqual([]);
      // Only what no decoder of a browser can give: four inks, AVIF, animations.
      expect(approximate.filter(file => !/cmyk|ycck|\.avif$|animated/.test(file))).toEqual([]);
    },
    SLOW,
  );

  it(
    'pictures are turned only when asked, and bad ones get one sentence',
    async () => {
      const turned = ['exif6.jpg', 'exif6.png', 'exif6.webp'].map(file => `/pictures/kinds/${file}`);
      const stored = await ask<Record<string, Read>>(page, 'page', 'decode', { files: turned });
      const upright = await ask<Record<string, Read>>(page, 'page', 'decode', { files: turned, options: { autoOrient: true } });
      for (const file of turned) {
        const there = await decodeImage(`${testdata}${file.slice('/pictures/'.length)}`, { autoOrient: true });
        expect([upright[file].width, upright[file].height]).toEqual([there.width, there.height]);
        expect([upright[file].width, upright[file].height]).toEqual([stored[file].height, stored[file].width]);
        expect(upright[file].corner).toEqual([...there.data.slice(0, 3)]);
        expect(stored[file].reading.orientation).toEqual({ tag: 6, applied: false });
        expect(stored[file].reading.warnings[0].kind).toBe('orientation');
      }
      const bad = ['/pictures/README.md', '/pictures/none.png', '/models/scene-clip/config.json'];
      const said = await ask<Record<string, Read>>(page, 'page', 'decode', { files: bad });
      expect(said[bad[0]].error).toMatch(/^Image README\.md is not an image a page can read, whatever its name says; it reads PNG/);
      expect(said[bad[1]].error).toMatch(/^There is no http.*none\.png \(404\); check the address\.$/);
    },
    SLOW,
  );

  it(
    'DICOM files of every packing have the bytes of Node, in a worker, and are refused by its sentences',
    async () => {
      const names = readdirSync(films, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.dcm'));
      const there = await ask<Record<string, Read>>(page, 'worker', 'decode', { files: names.map(name => `/films/${name}`) });
      const kinds = new Set<string>();
      for (const name of names) {
        const read = there[`/films/${name}`];
        const here = await decodeImage(`${films}${name}`).catch((error: Error) => error);
        if (here instanceof Error) expect(read.error, name).toBe(here.message.replace(films, '').replace('pydicom/', ''));
        else {
          expect([name, read.error, read.width, read.height, read.sha256]).toEqual([
            name,
            undefined,
            here.width,
            here.height,
            sha256Hex(here.data),
          ]);
          expect(read.reading, name).toEqual(here.reading);
          kinds.add(here.reading.dicom?.packing ?? '');
        }
      }
      expect([...kinds].sort()).toEqual([
        'JPEG 2000',
        'JPEG 2000 lossless',
        'JPEG baseline',
        'JPEG lossless, selection value 1',
        'JPEG-LS lossless',
        'JPEG-LS near-lossless',
        'RLE lossless',
        'deflated explicit VR little endian',
        'explicit VR big endian',
        'explicit VR little endian',
        'implicit VR little endian',
      ]);
    },
    SLOW,
  );

  it(
    'figures look as those of Node',
    async () => {
      const job = { model: '/models/scene-clip/', load: { files: CLIP_FILES }, picture: '/examples/scene.png', text: 'a cat' };
      const made = await ask<{ svg: string; html: string; png: string; overlay: string; json: string }>(page, 'page', 'figures', job);
      const result = attributionFromJson(made.json, 'the page');
      const image = await decodeImage(`${repository}examples/scene.png`);
      await using model = await loadModel('scene-clip', { runtime: nodeRuntime({ threads: 1 }) });
      await using method = createMethod('grad-cam', model);
      const here = await method.attribute({ image, text: job.text });
      expect(here.image!.patches.length).toBe(result.image!.patches.length);
      const pairs = [
        [made.overlay, await overlayPng(here, image), 1, 0.05],
        [made.png, await figurePng(here, image), 255, 2],
      ] as const;
      for (const [theirs, ours, most, mean] of pairs) {
        const [a, b] = await Promise.all([decodeImage(Buffer.from(theirs, 'base64')), decodeImage(ours)]);
        expect([a.width, a.height]).toEqual([b.width, b.height]);
        const far = a.data.map((v, i) => Math.abs(v - b.data[i]));
        expect(far.reduce((x, y) => Math.max(x, y), 0)).toBeLessThanOrEqual(most);
        expect(far.reduce((x, y) => x + y, 0) / far.length).toBeLessThan(mean);
      }
      expect(made.svg.includes('<svg ') && made.svg.endsWith('</svg>\n')).toBe(true);
      expect(made.html.startsWith('<!doctype html>')).toBe(true);
    },
    SLOW,
  );

  it(
    'a LLaVA with a bottleneck gives the answer and the posterior of Node',
    async () => {
      const question = 'is there a cat in the picture ?';
      const job = { model: '/models/scene-llava-vittle/', load: {}, picture: '/examples/scene.png', question };
      const there = await ask<{ pieces: string[]; posterior: ReturnType<typeof valuesOf> }>(page, 'worker', 'chat', job);
      await using chat = await ChatModel.open('scene-llava-vittle', { runtime: nodeRuntime({ threads: 1 }) });
      const image = await decodeImage(`${repository}examples/scene.png`);
      const talk = new ChatSession(chat);
      talk.add(image);
      let answer = '';
      for await (const piece of talk.ask(question, { maxNewTokens: 12 })) answer += piece;
      expect(there.pieces.join('')).toBe(answer);
      const subject: QuestionSubject = { kind: 'question', model: chat, pair: { image, text: question } };
      const here = valuesOf(await explainSubject(findMethod('posterior')!, subject));
      expect(there.posterior.model).toBe(here.model);
      for (const part of ['image', 'text'] as const) {
        const scale = Math.max(...here[part]!.map(Math.abs));
        expect(Math.max(...there.posterior[part]!.map((v, i) => Math.abs(v - here[part]![i]))) / scale).toBeLessThan(1e-4);
      }
    },
    SLOW,
  );
});

it('PNG from an SVG needs a page: elsewhere the sentence says what to take', async () => {
  await expect(svgToPng('<svg/>')).rejects.toThrow(/There is no browser here .* figurePng and overlayPng of narrows\/report/);
});

describe('PNG without a browser', () => {
  const pngs = files.filter(({ file }) => file.endsWith('.png'));
  it.each(pngs)('$file has the bytes of Pillow', async ({ file, rgb_sha256 }) => {
    const image = await decodeBytes(file, readFileSync(`${testdata}${file}`), { window: 'pillow' });
    expect(sha256Hex(image.data)).toBe(rgb_sha256);
  });

  it('is written so that it is read again as it was, colours under transparency included', async () => {
    for (const bands of [3, 4]) {
      const data = Uint8Array.from({ length: 13 * 7 * bands }, (_, i) => (i * 37 + (i >> 3) * 11) & 255);
      for (const fast of [false, true]) {
        const samples = await pngSamples(pngHeader(await encodePng(13, 7, data, fast)));
        expect(samples).toEqual({ bands, data });
        expect(withoutAlpha(samples).bands).toBe(3);
      }
    }
    const image: RgbImage = { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 250, 0, 9) };
    expect((await decodeImage(await encodePng(2, 1, image.data))).data).toEqual(image.data);
  });

  it('that is cut short or damaged gets one sentence', async () => {
    const whole = readFileSync(`${testdata}rgba.png`);
    await expect(decodeBytes('Image a.png', whole.subarray(0, 1000), {})).rejects.toThrow(/^Image a\.png is damaged or cut short \(/);
    await expect(decodeBytes('Image a.png', whole.subarray(0, 20), {})).rejects.toThrow(/damaged or cut short \(its header is missing\)/);
    const bomb = Uint8Array.from(whole);
    new DataView(bomb.buffer).setUint32(16, 100_000);
    new DataView(bomb.buffer).setUint32(20, 100_000);
    await expect(decodeBytes('Image a.png', bomb, {})).rejects.toThrow(/100000 x 100000, 10000 million pixels/);
  });
});
