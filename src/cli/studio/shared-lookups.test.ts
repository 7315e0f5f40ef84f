import sharp from 'sharp';
import { expect, it } from 'vitest';
import { ModelShelf } from './model-shelf.ts';
import { PictureShelf } from './picture-shelf.ts';

it('models are looked up once for all who ask meanwhile, and anew afterwards', async () => {
  const shelf = new ModelShelf();
  const [first, second] = await Promise.all([shelf.list(), shelf.list()]);
  expect(first.length).toBeGreaterThan(0);
  expect(second).toEqual(first);
  expect(second[0]).toBe(first[0]);
  const later = await shelf.list();
  expect(later).toEqual(first);
  expect(later[0]).not.toBe(first[0]);
});

it('a picture is encoded once for all who ask for the same meanwhile', async () => {
  const shelf = new PictureShelf();
  const file = await sharp({ create: { width: 24, height: 16, channels: 3, background: 'teal' } })
    .png()
    .toBuffer();
  const { id } = (await shelf.add(file, 'plain.png')).info;
  const [whole, again, small] = await Promise.all([shelf.file(id), shelf.file(id), shelf.file(id, 8)]);
  expect(again).toBe(whole);
  expect(small.type).toBe('image/jpeg');
  expect(await shelf.file(id)).not.toBe(whole);
  await expect(Promise.all([shelf.file('0'.repeat(64)), shelf.file('0'.repeat(64))])).rejects.toThrow('does not have the picture');
});
