import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeRle } from '../../../scenes/rle.ts';
import { emptyMask, fillBox, fillPolygon, maskInView, rleCounts } from './masks.ts';
import { openSource } from './open.ts';
import type { DataSpec } from './sample.ts';
import { styleGroups } from './scenes.ts';

let directory: string;
const at = (name: string): string => join(directory, name);
const picture = (name: string, width: number, height: number, white?: (x: number, y: number) => boolean): Promise<unknown> => {
  const data = Buffer.alloc(width * height * 3, 60);
  if (white) for (let i = 0; i < width * height; i++) data.fill(white(i % width, Math.floor(i / width)) ? 255 : 0, 3 * i, 3 * i + 3);
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(at(name));
};
const lines = async (...rows: object[]): Promise<DataSpec> => {
  await writeFile(at('pairs.jsonl'), rows.map(r => JSON.stringify(r)).join('\n'));
  return { kind: 'jsonl', file: at('pairs.jsonl'), modalities: ['image'], seed: 0 };
};
const coco = async (annotations: object[], modalities: DataSpec['modalities'] = ['image']): Promise<DataSpec> => {
  const images = [{ id: 7, file_name: 'a.png', width: 20, height: 10 }];
  const categories = [
    { id: 1, name: 'dog' },
    { id: 2, name: 'cat' },
    { id: 3, name: 'hot dog' },
  ];
  await writeFile(at('coco.json'), JSON.stringify({ images, annotations, categories }));
  return { kind: 'coco', file: at('coco.json'), template: 'a photo of a {}', modalities, seed: 0 };
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'narrows-compare-data-'));
  await picture('a.png', 20, 10);
  await picture('m.png', 20, 10, (x, y) => x >= 10 && y < 5);
  await picture('small.png', 4, 4);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe('masks', () => {
  it('fills pixels whose centre is inside', () => {
    const box = emptyMask(4, 3);
    fillBox(box, [0.6, 0, 2, 1]);
    expect([...box.data]).toEqual([0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const square = emptyMask(4, 3);
    fillPolygon(square, [1, 1, 3, 1, 3, 3, 1, 3]);
    expect([...square.data]).toEqual([0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0]);
    const triangle = emptyMask(10, 10);
    fillPolygon(triangle, [0, 0, 10, 0, 0, 10]);
    expect(triangle.data.reduce((a, b) => a + b, 0)).toBe(45);
  });

  it('reads compressed run lengths written by the format’s rule', () => {
    const counts = [3, 40, 700, 12, 1, 90, 2];
    const write = (list: readonly number[]): string =>
      list
        .map((count, i) => {
          let x = i > 2 ? count - list[i - 2] : count;
          let text = '';
          for (let more = true; more; ) {
            let code = x & 31;
            x >>= 5;
            more = code & 16 ? x !== -1 : x !== 0;
            if (more) code |= 32;
            text += String.fromCharCode(code + 48);
          }
          return text;
        })
        .join('');
    expect(rleCounts(write(counts))).toEqual(counts);
  });

  it('shows a mask through resize and crop', () => {
    const mask = emptyMask(8, 4);
    fillBox(mask, [4, 0, 2, 4]);
    // The middle square of the picture, at half its size: columns 2 to 5 become 0 and 1.
    expect([...maskInView(mask, { left: 2, top: 0, width: 4, height: 4 }, [2, 2])]).toEqual([0, 1, 0, 1]);
    // A view that reaches outside shows nothing there.
    expect([...maskInView(mask, { left: 4, top: -2, width: 8, height: 8 }, [4, 4])]).toEqual([
      0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
    ]);
  });
});

describe('scenes', () => {
  it('name a thing that can be seen, and words of which one is there', async () => {
    const spec: DataSpec = {
      kind: 'scenes',
      groups: styleGroups(['trained', 'openmoji']),
      samples: 3,
      modalities: ['image', 'text'],
      seed: 4,
    };
    const source = await openSource(spec);
    expect(source.names).toHaveLength(12);
    const image = await source.read(1);
    expect(image.id).toBe('trained/image/1');
    expect(image.truth?.data.reduce((a, b) => a + b, 0)).toBeGreaterThan(50);
    const text = await source.read(10);
    expect(text).toMatchObject({ group: 'openmoji', modality: 'text' });
    const [[start, end]] = text.named!;
    expect(text.pair.text).toMatch(/ and (an?|some) /);
    expect(text.pair.text.slice(start, end)).not.toMatch(/^(an?|some) | and /);
    expect(await source.read(1)).toEqual(image);
  });

  it('refuse unknown styles', () => {
    expect(() => styleGroups(['nota'])).toThrow(/There is no style "nota"/);
  });
});

describe('JSON lines', () => {
  it('give boxes, masks and named words', async () => {
    const spec = await lines(
      {
        image: 'a.png',
        text: 'a dog and a cat',
        boxes: [
          [0, 0, 2, 2],
          [4, 4, 1, 1],
        ],
        named: ['dog'],
        patient: 12,
      },
      { image: 'a.png', text: 'a dog', mask: 'm.png' },
      { image: 'a.png', text: 'a dog' },
    );
    const source = await openSource({ ...spec, modalities: ['image', 'text'] });
    expect(source.names).toHaveLength(6);
    const truths = await Promise.all([0, 1, 2].map(async i => (await source.read(i)).truth?.data.reduce((a, b) => a + b, 0)));
    expect(truths).toEqual([5, 50, undefined]);
    expect((await source.read(3)).named).toEqual([[2, 5]]);
    // What is no truth stands in the results as it was written.
    expect((await Promise.all([0, 1, 3].map(i => source.read(i)))).map(s => s.further)).toEqual([
      { patient: 12 },
      undefined,
      { patient: 12 },
    ]);
  });

  it.each([
    [{ image: 'a.png', text: 'x', box: [15, 0, 10, 5] }, /line 2: the box \[15, 0, 10, 5\].*reaches out of the picture of 20 x 10/],
    [{ image: 'none.png', text: 'x' }, /line 2: .*none\.png.*does not exist/],
    [{ image: 'a.png', text: 'x', mask: 'small.png' }, /line 2: the mask is 4 x 4/],
    [{ image: 'a.png', text: 'x', box: [1, 2, 3] }, /line 2: a box must be four numbers/],
    [{ image: 'a.png', text: 'x', box: [1, 2, 0, 3] }, /line 2: a box needs a width and a height above 0/],
    [{ image: 'a.png', text: 'x', box: [1, 1, 1, 1], mask: 'm.png' }, /line 2: give only one of/],
    [{ image: 'a.png', text: 'x', named: ['y'] }, /line 2: named must list parts of the text; "y"/],
    [{ image: 'a.png' }, /line 2 has no column for the caption/],
  ])('refuse %j', async (row, message) => {
    await expect(openSource(await lines({ image: 'a.png', text: 'fine' }, row))).rejects.toThrow(message);
  });
});

const polygons = (...segmentation: unknown[]): object => ({ id: 5, image_id: 7, category_id: 1, segmentation });

describe('COCO', () => {
  it('gives one pair per picture and category, truth from every form of mask', async () => {
    const owners = new Int8Array(200);
    owners[25] = 1;
    const spec = await coco([
      { id: 1, image_id: 7, category_id: 1, bbox: [0, 0, 2, 2] },
      { id: 2, image_id: 7, category_id: 1, segmentation: [[10, 0, 14, 0, 14, 2, 10, 2]] },
      { id: 3, image_id: 7, category_id: 2, segmentation: encodeRle(owners, 20, 10, 1), bbox: [0, 0, 9, 9] },
    ]);
    const source = await openSource(spec);
    const samples = await Promise.all(source.names.map((_, i) => source.read(i)));
    const sums = Object.fromEntries(samples.map(s => [s.pair.text, s.truth!.data.reduce((a, b) => a + b, 0)]));
    expect(sums).toEqual({ 'a photo of a dog': 12, 'a photo of a cat': 1 });
  });

  it('names an absent category in captions', async () => {
    const source = await openSource(await coco([{ image_id: 7, category_id: 1, bbox: [0, 0, 2, 2] }], ['text']));
    const { pair, named } = await source.read(0);
    expect(['a photo of a dog and cat', 'a photo of a cat and dog']).toContain(pair.text);
    expect(pair.text.slice(...named![0])).toBe('dog');
  });

  it.each([
    [{ id: 5, image_id: 8, category_id: 1, bbox: [0, 0, 1, 1] }, /annotation 5: there is no picture with the id 8/],
    [{ id: 5, image_id: 7, category_id: 9, bbox: [0, 0, 1, 1] }, /annotation 5: there is no category with the id 9/],
    [{ id: 5, image_id: 7, category_id: 1 }, /annotation 5 has neither a bbox nor a segmentation/],
    [{ id: 5, image_id: 7, category_id: 1, bbox: [0, 5, 2, 9] }, /annotation 5: the box .* reaches out of the picture of 20 x 10/],
    [{ id: 5, category_id: 1 }, /is not in COCO's format: annotations\.0\.image_id/],
    [
      polygons([1, 1, 5, 1, 5, 5, 1]),
      /annotations\.0\.segmentation\.0 \(annotation 5\): a polygon is x and y by turns, of at least three points/,
    ],
    [polygons([0, 0, 4, 0, 4, 4], [1, 1, 5, 5]), /segmentation\.1 \(annotation 5\): a polygon is x and y by turns/],
    [polygons([]), /segmentation\.0 \(annotation 5\): a polygon is x and y by turns/],
    [polygons([0, 0, 4, 0, 4, 'x']), /segmentation\.0\.5 \(annotation 5\): .*number/],
    [{ id: 5, image_id: 7, category_id: 1, segmentation: { size: [10, 20], counts: [3, -1] } }, /segmentation\.counts.*\(annotation 5\)/],
  ])('refuses %j', async (annotation, message) => {
    await expect(openSource(await coco([annotation]))).rejects.toThrow(message);
  });

  it('refuses a file that is no JSON', async () => {
    await writeFile(at('broken.json'), '{"images": [');
    const spec: DataSpec = { kind: 'coco', file: at('broken.json'), template: '{}', modalities: ['image'], seed: 0 };
    await expect(openSource(spec)).rejects.toThrow(/broken\.json is not valid JSON/);
  });
});
