/** @file A film of several frames in the studio: each frame is a picture of its own, which results, commands and programs name. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createMethod } from '../../attribution/registry.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { loadModel } from '../../models/pretrained.ts';
import { eventsOf, ofKind, type TestStudio, testStudio } from './testing/studio.ts';

const file = fileURLToPath(new URL('../../inputs/image/dicom/testdata/frames.dcm', import.meta.url));
const bytes = readFileSync(file);
const sha256 = createHash('sha256').update(bytes).digest('hex');
let studio: TestStudio;
beforeAll(async () => {
  studio = await testStudio();
});
afterAll(() => studio[Symbol.asyncDispose]());

it('offers every frame of a film that was opened, and explains the one that was chosen', async () => {
  const { client } = studio;
  const first = await client.addPicture(new Blob([bytes]), 'film.dcm');
  expect(first).toMatchObject({ id: `${sha256}.1`, name: 'film.dcm', frames: { shown: 1, of: 3 } });
  await eventsOf(client.open({ reference: 'scene-clip' }));
  await using model = await loadModel('scene-clip');
  await using method = createMethod('input-x-gradient', model);
  const maps: Float32Array[] = [];
  for (const frame of [3, 1, 2]) {
    const id = `${sha256}.${frame}`;
    expect(await client.picture(id)).toMatchObject({ id, frames: { shown: frame, of: 3 } });
    const image = await decodeImage(file, { frame });
    const shown = await decodeImage(new Uint8Array(await (await client.pictureFile(id)).arrayBuffer()));
    expect(shown.data).toEqual(image.data);
    const request = { model: 'scene-clip', picture: id, text: 'a cat', methods: [{ name: 'input-x-gradient' }] };
    const [result] = ofKind(await eventsOf(client.attribute(request)), 'result');
    const own = await method.attribute({ image, text: 'a cat' });
    const { patches } = result.attribution.image!;
    for (const [i, value] of own.image!.patches.entries()) expect(patches[i]).toBeCloseTo(value, 5);
    maps.push(patches);
    expect(result.attribution.provenance.image).toMatchObject({ sha256, reading: { pages: 3, dicom: { frame } } });
    expect(result.command).toMatch(new RegExp(`--image film\\.dcm .*--frame ${frame} `));
    expect(result.typescript).toContain(`decodeImage("film.dcm", { frame: ${frame} })`);
  }
  expect(maps[0]).not.toEqual(maps[1]);
  expect(maps[1]).not.toEqual(maps[2]);
  await expect(client.picture(`${sha256}.4`)).rejects.toMatchObject({
    reason: 'usage',
    message: expect.stringContaining('so there is no frame 4'),
  });
  await expect(client.picture(`${'0'.repeat(64)}.1`)).rejects.toMatchObject({ reason: 'missing' });
});
