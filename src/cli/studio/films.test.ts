/** DICOM films of a made-up patient in the studio: what it sends and what it writes says nothing of that patient, nor do its refusals. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../inputs/image/decode.ts';
import { openSource, type Source } from './sources.ts';
import { eventsOf, ofKind, type TestStudio, testStudio } from './testing/studio.ts';

const testdata = fileURLToPath(new URL('../../inputs/image/dicom/testdata/', import.meta.url));
/** Words of the patient in these files (make_dicom.py), and the beginning of their UIDs. */
const SECRETS = /zebedee|quillfeather|77012345|19511203|brambleshire|mossop|ACC5550199|1\.2\.826/i;
const BAD = ['truncated', 'no-pixels', 'unknown-syntax', 'frames'] as const;
/** Results are written beside the folder of the films. */
const root = mkdtempSync(join(tmpdir(), 'narrows-films-'));
const folder = join(root, 'films');
/** All that the studio sent. */
const sent: Promise<string>[] = [];
const real = globalThis.fetch;
let studio: TestStudio;
let source: Source;

beforeAll(async () => {
  mkdirSync(folder);
  for (const name of ['mono2-12', ...BAD]) copyFileSync(`${testdata}${name}.dcm`, join(folder, `${name}.dcm`));
  writeFileSync(join(folder, 'reports.csv'), ['image,text', 'mono2-12.dcm,a cat', ...BAD.map(name => `${name}.dcm,a dog`), ''].join('\n'));
  // A folder brings its list.
  source = await openSource(folder);
  globalThis.fetch = async (...call: Parameters<typeof fetch>) => {
    const response = await real(...call);
    const copy = response.clone();
    sent.push(copy.arrayBuffer().then(bytes => Buffer.from(bytes).toString('latin1')));
    return response;
  };
  studio = await testStudio({ sources: [source] });
});
afterAll(async () => {
  globalThis.fetch = real;
  await studio[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

describe('films of a patient', () => {
  it('are opened, explained and listed', { timeout: 120_000 }, async () => {
    const { client } = studio;
    expect((await eventsOf(client.open({ reference: 'scene-clip' }))).at(-1)).toEqual({ kind: 'done' });
    const film = await client.addPicture(new Blob([readFileSync(join(folder, 'mono2-12.dcm'))]), 'film.dcm');
    expect(film).toMatchObject({ width: 40, height: 36 });
    const shown = await decodeImage(new Uint8Array(await (await client.pictureFile(film.id)).arrayBuffer()));
    expect(shown.data).toEqual((await decodeImage(join(folder, 'mono2-12.dcm'))).data);
    const method = { name: 'input-x-gradient', options: {} };
    const ask = { model: 'scene-clip', picture: film.id, text: 'a cat', methods: [method], seed: 0 };
    expect((await eventsOf(client.attribute(ask))).at(-1)).toEqual({ kind: 'done' });
    const events = await eventsOf(client.audit({ model: 'scene-clip', source: source.info.id, method, seed: 0 }));
    expect(ofKind(events, 'rows').at(-1)).toMatchObject({ done: 1, failed: 4, total: 5 });
    const { rows } = await client.rows({ source: source.info.id });
    expect(rows.map(row => row.failure)).toEqual([
      undefined,
      expect.stringContaining('damaged or cut short'),
      expect.stringContaining('without pixels'),
      expect.stringContaining('a transfer syntax that is not read'),
      expect.stringContaining('is a DICOM file of 3 frames'),
    ]);
    expect((await client.row(source.info.id, rows[0].key)).map?.grid).toEqual([8, 8]);
  });

  it('are refused in one sentence where they cannot be read', async () => {
    // Of a film of several frames the page shows the first, and offers the others.
    for (const name of BAD.filter(each => each !== 'frames'))
      await expect(studio.client.addPicture(new Blob([readFileSync(join(folder, `${name}.dcm`))]), 'film.dcm')).rejects.toMatchObject({
        reason: 'input',
        message: expect.stringMatching(/^Image film\.dcm is a DICOM file [^\n]+$/),
      });
  });

  it('leave no word of the patient in what is sent or written', async () => {
    const all = (await Promise.all(sent)).join('\n');
    // What was sent is seen here: a sentence of it is found.
    expect(all).toContain('damaged or cut short');
    expect(all).not.toMatch(SECRETS);
    const made = readdirSync(root, { recursive: true, withFileTypes: true }).filter(
      entry => entry.isFile() && !entry.name.endsWith('.dcm'),
    );
    expect(made.length).toBeGreaterThan(2);
    for (const entry of made) expect(readFileSync(join(entry.parentPath, entry.name), 'latin1'), entry.name).not.toMatch(SECRETS);
  });
});
