/** `narrows audit` and `narrows attribute` on DICOM files of a made-up patient: no output says a word of that patient. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { callCommand } from '../testing/call-command.ts';
import { attributeCommand } from './attribute.ts';
import { auditCommand } from './audit.ts';

const testdata = fileURLToPath(new URL('../../inputs/image/dicom/testdata/', import.meta.url));
/** Words of the patient in those files (make_dicom.py), and the beginning of their UIDs. */
const SECRETS = /zebedee|quillfeather|77012345|19511203|brambleshire|mossop|ACC5550199|1\.2\.826/i;

const folder = mkdtempSync(join(tmpdir(), 'patients-'));
mkdirSync(join(folder, 'images'));
for (const name of ['mono2-12', 'mono1-12', 'signed-12', 'truncated'])
  copyFileSync(`${testdata}${name}.dcm`, join(folder, 'images', `${name}.dcm`));
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

/** Everything below a directory, as one text. */
function everything(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .map(entry => `${entry.name}\n${entry.isFile() ? readFileSync(join(entry.parentPath, entry.name), 'latin1') : ''}`)
    .join('\n');
}

it('an audit of DICOM files writes its page, and nothing of the patient', { timeout: 240_000 }, async () => {
  const pairs = write(
    'reports.csv',
    'image,text,findings\nimages/mono2-12.dcm,a cat on the left. a dog.,x\nimages/mono1-12.dcm,a red apple,y\nimages/signed-12.dcm,a hat,z\nimages/truncated.dcm,a car,w\n',
  );
  const boxes = write(
    'boxes.csv',
    'dicom_id,category_name,label_text,x,y,w,h\nmono2-12,Cat,a cat on the left,4,4,12,12\nmono2-12,Dog,a dog,20,8,10,10\nmono1-12,Apple,a red apple,4,4,20,20\nsigned-12,Hat,a hat,10,10,12,12\ntruncated,Car,a car,4,4,9,9\n',
  );
  const output = join(folder, 'audit');
  const called = await callCommand(auditCommand, [
    '--pairs',
    pairs,
    '--boxes',
    boxes,
    '--output',
    output,
    '--model',
    'scene-clip',
    '--method',
    'grad-cam',
  ]);
  // One file is cut short: it is left out, said, and the rest is done.
  expect(called.stderr).toMatch(/Left out: truncated\/a car: .*damaged or cut short/);
  expect(called.code).toBe(1);
  expect(readdirSync(output).sort()).toEqual(['audit.md', 'audit.png', 'cells.jsonl', 'report.html', 'results.json']);
  expect(`${called.stdout}${called.stderr}${everything(output)}`).not.toMatch(SECRETS);
  const results = JSON.parse(readFileSync(join(output, 'results.json'), 'utf8'));
  expect(results.data).toEqual({ findings: 4, pictures: 3, form: 'MS-CXR' });
  expect(readFileSync(join(output, 'report.html'), 'utf8')).toContain('What a map cannot tell');
  const unknown = await callCommand(auditCommand, [
    '--pairs',
    pairs,
    '--boxes',
    boxes,
    '--output',
    output,
    '--model',
    'scene-clip',
    '--findings',
    'Cats',
  ]);
  expect(unknown.stderr).toContain('has no finding "Cats"');
});

it('attribution of DICOM files, one and many, keeps hash, size, window and modality alone', { timeout: 240_000 }, async () => {
  const one = join(folder, 'one');
  mkdirSync(one);
  const single = await callCommand(attributeCommand, [
    join(folder, 'images/signed-12.dcm'),
    'a cat',
    '--model',
    'scene-clip',
    '--method',
    'grad-cam',
    '--output',
    one,
  ]);
  expect(single.code).toBe(0);
  const many = join(folder, 'many');
  const pairs = write('pairs.csv', 'image,text\nimages/mono2-12.dcm,a cat\nimages/mono1-12.dcm,a dog\n');
  const kinds = ['--formats', 'html,json,png,svg,safetensors'];
  const bulk = await callCommand(attributeCommand, [
    '--pairs',
    pairs,
    '--model',
    'scene-clip',
    '--method',
    'grad-cam',
    ...kinds,
    '--output',
    many,
  ]);
  expect(bulk.code).toBe(0);
  expect(everything(many)).toMatch(/"modality": ?"DX"/);
  for (const text of [single.stdout, single.stderr, bulk.stdout, bulk.stderr, everything(one), everything(many)])
    expect(text).not.toMatch(SECRETS);
  const kept = await callCommand(attributeCommand, [
    ...['--pairs', pairs, '--model', 'scene-clip', '--method', 'grad-cam'],
    ...['--keep-tags', '0018,0015', '--output', join(folder, 'kept')],
  ]);
  expect(kept.code).toBe(0);
  expect(everything(join(folder, 'kept'))).toMatch(/"0018,0015": ?"CHEST"/);
});
