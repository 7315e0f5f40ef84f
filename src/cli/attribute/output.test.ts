import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { planTargets } from './output.ts';

it('pictures of one parquet file get names of their own', async () => {
  const names = async (image: string): Promise<string[]> => (await planTargets([tmpdir()], image)).map(t => t.path);
  expect(await names('a/b.c.png')).toEqual(['png', 'html'].map(kind => join(tmpdir(), `b.c.narrows.${kind}`)));
  expect((await names('a/set.parquet#12:the image'))[0]).toBe(join(tmpdir(), 'set-12-the-image.narrows.png'));
  expect((await names('a/set.parquet'))[0]).toBe(join(tmpdir(), 'set.narrows.png'));
});
