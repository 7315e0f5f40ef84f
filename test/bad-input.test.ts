/** @file What bad input gets: the right exit code, one sentence on stderr, no stack, no file. Every case is a call of the real command. */
import { closeSync, copyFileSync, cpSync, ftruncateSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mountDisk, type SmallDisk } from '../src/testing/disks.ts';
import { filesBelow, narrows, pooled, scratch, writePicture, writeTinyModel } from './support.ts';

const directory = scratch();
const at = (...parts: string[]): string => join(directory, ...parts);
/** Where calls run: whatever they write by mistake is found here. */
const empty = at('cwd');
const full = at('full');
let disk: SmallDisk | undefined;

/** A case: what to call, with which code it ends, and what the sentence says. */
interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly code?: number;
  readonly says: RegExp;
}

const attribute = (...rest: string[]): string[] => ['attribute', at('disc.png'), 'a dog', '--model', at('model'), ...rest];
const withModel = (name: string): string[] => ['attribute', at('disc.png'), 'a dog', '--model', at(name)];
const withImage = (name: string): string[] => ['attribute', at(name), 'a dog', '--model', at('model')];
const withText = (text: string): string[] => ['attribute', at('disc.png'), text, '--model', at('model')];

const cases: readonly Case[] = [
  { name: 'a missing image', args: withImage('nope.png'), says: /Image .*nope\.png does not exist/ },
  { name: 'an image that is a directory', args: withImage('model'), code: 2, says: /is a directory.*needs one --output/ },
  { name: 'a text file called .png', args: withImage('text.png'), says: /text\.png is not an image/ },
  { name: 'a corrupt JPEG', args: withImage('corrupt.jpg'), says: /corrupt\.jpg is damaged or cut short/ },
  { name: 'an empty image file', args: withImage('empty.png'), says: /is empty/ },
  { name: 'an image of 20 000 x 20 000', args: withImage('huge.png'), says: /20000 x 20000.*limit/ },
  { name: 'a missing model directory', args: withModel('nope'), says: /There is no directory .*nope/ },
  { name: 'a directory without config', args: withModel('no-config'), says: /no config\.json/ },
  { name: 'a config that is no JSON', args: withModel('broken-config'), says: /config\.json is not valid JSON.*line 1/ },
  { name: 'an unknown model_type', args: withModel('bert'), says: /config\.json.*model_type/ },
  { name: 'a truncated safetensors file', args: withModel('truncated'), says: /model\.safetensors/ },
  { name: 'a header cut in the middle', args: withModel('cut-header'), says: /model\.safetensors/ },
  { name: 'a header that lies about its length', args: withModel('lying-length'), says: /model\.safetensors/ },
  { name: 'a header that lies about offsets', args: withModel('lying-offsets'), says: /model\.safetensors/ },
  { name: 'a tensor of a wrong shape', args: withModel('wrong-shape'), says: /visual_projection\.weight.*\[16, 32\]/ },
  { name: 'a missing tensor', args: withModel('missing-tensor'), says: /lacks 1 tensor \(visual_projection\.weight\)/ },
  { name: 'NaN weights', args: withModel('nan'), says: /"vision_model\.post_layernorm\.weight".*NaN/ },
  { name: 'a model without a tokenizer', args: withModel('no-tokenizer'), says: /tokenizer\.json/ },
  { name: 'only pickled weights', args: withModel('pickled'), says: /pickled/ },
  { name: 'a hub model without network', args: ['attribute', at('disc.png'), 'a dog', '--model', 'org/name'], says: /not in the cache/ },
  { name: 'an empty text', args: withText(''), says: /caption is empty/ },
  { name: 'a blank text', args: withText('  '), says: /only white space/ },
  { name: 'a text of unknown words alone', args: withText('zorglub qwertz'), says: /knows no word of "zorglub qwertz"/ },
  { name: 'an image without a text', args: ['attribute', at('disc.png')], code: 2, says: /caption is missing/ },
  { name: 'a caption without quotes', args: ['attribute', at('disc.png'), 'a', 'dog'], code: 2, says: /put quotes around/ },
  { name: 'a layer out of range', args: attribute('--method', 'm2ib', '--layer', '2'), code: 2, says: /layer 2 is out of range.*0 to 1/ },
  {
    name: 'a layer that is no number',
    args: attribute('--method', 'm2ib', '--layer', 'top'),
    code: 2,
    says: /--layer.*give a number or auto/,
  },
  { name: 'beta below zero', args: attribute('--beta', '-1'), code: 2, says: /beta.*-1/ },
  { name: 'zero steps', args: attribute('--steps', '0'), code: 2, says: /steps.*0/ },
  { name: 'no seeds', args: attribute('--seeds', '0'), code: 2, says: /--seeds.*whole number from 1/ },
  { name: 'opacity above one', args: attribute('--opacity', '2'), code: 2, says: /--opacity.*from 0 to 1/ },
  { name: 'an unknown method', args: attribute('--method', 'magic'), code: 2, says: /--method.*m2ib/ },
  { name: 'an image size below a patch', args: attribute('--image-size', '8'), says: /smaller than one patch/ },
  { name: 'an unknown flag', args: attribute('--stpes', '3'), code: 2, says: /'--stpes'; did you mean --steps\?/ },
  { name: 'an unknown command', args: ['atribute'], code: 2, says: /'atribute'; did you mean attribute\?/ },
  { name: 'an unknown kind of output', args: attribute('--output', 'x.gif'), code: 2, says: /x\.gif.*\.png, \.svg/ },
  {
    name: 'an output below a file',
    args: attribute('--output', at('disc.png', 'x.png')),
    says: /Cannot write .*disc\.png/,
  },
  { name: 'an output that nobody may write', args: attribute('--output', '/proc/narrows/x.png'), says: /Cannot write \/proc/ },
  { name: 'a config file with an unknown key', args: attribute('--config', at('unknown-key.json')), code: 2, says: /"stepz" is no flag/ },
  {
    name: 'a config file with a wrong value',
    args: attribute('--config', at('wrong-value.json')),
    code: 2,
    says: /"steps" is wrong \("many"\)/,
  },
  { name: 'a missing config file', args: attribute('--config', at('nope.json')), says: /Cannot read .*nope\.json/ },
  { name: 'pairs without an output', args: ['attribute', '--pairs', at('pairs.csv'), '--model', at('model')], code: 2, says: /--output/ },
  {
    name: 'pairs without a caption column',
    args: ['attribute', '--pairs', at('columns.csv'), '--output', at('out'), '--model', at('model')],
    says: /no column for the caption/,
  },
  { name: 'no scenes', args: ['scenes', '--output', at('out'), '--count', '0'], code: 2, says: /--count.*whole number from 1 to/ },
  { name: 'scenes without an output', args: ['scenes'], code: 2, says: /--output/ },
  { name: 'info on nothing', args: ['models', 'info'], code: 2, says: /argument 'model'/ },
  {
    name: 'a reference that is missing',
    args: ['verify', '--model', at('model'), '--reference', at('nope.safetensors')],
    says: /nope\.safetensors/,
  },
  { name: 'training without a directory', args: ['train', 'clip'], code: 2, says: /--output-dir/ },
  { name: 'training for no steps', args: ['train', 'clip', '--output-dir', at('run'), '--max-steps', '0'], code: 2, says: /max_steps/ },
];

async function prepare(): Promise<void> {
  mkdirSync(empty);
  await writeTinyModel(at('model'));
  await writePicture(at('disc.png'));
  await writePicture(at('disc.jpg'));
  await writePicture(at('one.png'), 1, 1);
  await writePicture(at('thin.png'), 640, 3);
  writeFileSync(at('text.png'), 'this is no picture\n');
  writeFileSync(at('empty.png'), '');
  const jpeg = readFileSync(at('disc.jpg'));
  writeFileSync(at('corrupt.jpg'), jpeg.subarray(0, jpeg.length * 0.6));
  writeFileSync(at('huge.png'), blackPng(20_000, 20_000));
  writeFileSync(at('unknown-key.json'), '{"stepz": 3}');
  writeFileSync(at('wrong-value.json'), '{"steps": "many"}');
  writeFileSync(at('pairs.csv'), 'image,text\ndisc.png,a dog\n');
  writeFileSync(at('columns.csv'), 'image,words\ndisc.png,a dog\n');
  const copy = (name: string, without: readonly string[] = []): string => {
    cpSync(at('model'), at(name), { recursive: true });
    for (const file of without) rmSync(at(name, file));
    return at(name, 'model.safetensors');
  };
  copy('no-config', ['config.json']);
  copy('no-tokenizer', ['tokenizer.json']);
  copy('broken-config');
  writeFileSync(at('broken-config', 'config.json'), '{"model_type": clip}');
  copy('bert');
  writeFileSync(at('bert', 'config.json'), '{"model_type": "bert"}');
  copy('pickled', ['model.safetensors']);
  writeFileSync(at('pickled', 'pytorch_model.bin'), 'pickle');
  const whole = readFileSync(at('model', 'model.safetensors'));
  const truncate = (path: string, bytes: number): void => {
    const file = openSync(path, 'r+');
    ftruncateSync(file, bytes);
    closeSync(file);
  };
  truncate(copy('truncated'), whole.length - 100);
  truncate(copy('cut-header'), 200);
  const long = Buffer.from(whole);
  long.writeBigUInt64LE(2n ** 50n);
  writeFileSync(copy('lying-length'), long);
  const text = whole.toString('latin1');
  // Same length, another end: the first tensor would reach far into the next one.
  writeFileSync(
    copy('lying-offsets'),
    Buffer.from(
      text.replace(/"data_offsets":\[0,(\d)/, (all, digit) => `${all.slice(0, -1)}${(Number(digit) % 9) + 1}`),
      'latin1',
    ),
  );
  await writeTinyModel(at('wrong-shape'), tensors => {
    const t = tensors.get('visual_projection.weight')!;
    tensors.set('visual_projection.weight', { ...t, shape: [16, 32], data: t.data.subarray(0, 512) });
  });
  await writeTinyModel(at('missing-tensor'), tensors => {
    tensors.delete('visual_projection.weight');
  });
  await writeTinyModel(at('nan'), tensors => {
    tensors.get('vision_model.post_layernorm.weight')!.data[3] = Number.NaN;
  });
}

/** A black PNG, one bit a pixel, written by hand: sharp would need gigabytes. */
function blackPng(width: number, height: number): Buffer {
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length);
    body.copy(out, 4);
    out.writeUInt32BE(checksum(body), body.length + 4);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height), { level: 1 });
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

/** CRC-32 as PNG wants it; Node has it from 20.15 on. */
function checksum(bytes: Uint8Array): number {
  if (typeof crc32 === 'function') return crc32(bytes);
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** One line from us, nothing of a stack. */
function expectSentence(stderr: string, says: RegExp): void {
  const lines = stderr.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^narrows: \S.*/);
  expect(lines[0]).toMatch(says);
  expect(stderr).not.toMatch(/^\s+at /m);
  // Pickled weights come with three lines of Python that convert them.
  if (!/pickled/.test(stderr)) {
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/[.?!)]$/);
  }
}

describe('bad input', () => {
  let ended: Promise<Awaited<ReturnType<typeof narrows>>>[] = [];
  let before: string[] = [];

  beforeAll(async () => {
    await prepare();
    disk = mountDisk(full, 'size=16k');
    before = filesBelow(directory);
    ended = pooled(
      cases.map(
        ({ args }) =>
          () =>
            narrows(args, { cwd: empty }),
      ),
    );
    for (const promise of ended) promise.catch(() => {});
  });
  afterAll(() => {
    disk?.unmount();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const [i, { name, code = 1, says }] of cases.entries()) {
    it(name, async () => {
      const { code: found, stdout, stderr } = await ended[i];
      expect({ found, stderr }).toEqual({ found: code, stderr });
      expectSentence(stderr, says);
      expect(stdout).toBe('');
    });
  }

  it('leaves no file anywhere', async () => {
    await Promise.all(ended);
    expect(filesBelow(directory)).toEqual(before);
  });

  it('a full disk gets a sentence and no part of a file', async context => {
    if (!disk) return context.skip('needs the right to mount');
    const { code, stderr } = await narrows(attribute('--output', join(full, 'x.png')), { cwd: empty });
    expect(code).toBe(1);
    expectSentence(stderr, /Cannot write .*x\.png: the disk is full/);
    expect(filesBelow(full)).toEqual([]);
  });

  it('Ctrl-C in the middle: 130, a word, and no file', async () => {
    const args = attribute('--steps', '1000000', '--debug', '--output', join(empty, 'x.png'), '--output', join(empty, 'x.json'));
    const { code, stdout, stderr } = await narrows(args, { cwd: empty, interruptWhen: 'debug: attributing' });
    expect(code).toBe(130);
    expect(stderr.trimEnd().split('\n').at(-1)).toBe('narrows: Interrupted.');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe('');
    expect(filesBelow(empty)).toEqual([]);
  });

  it('--debug adds the stack to the sentence', async () => {
    const { code, stderr } = await narrows([...withImage('nope.png'), '--debug'], { cwd: empty });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^narrows: Image .*nope\.png does not exist/m);
    expect(stderr).toMatch(/^\s+at /m);
    expect(stderr).toMatch(/caused by .*ENOENT/);
  });

  it('--json keeps stdout empty when it fails', async () => {
    const { code, stdout, stderr } = await narrows([...withImage('nope.png'), '--json'], { cwd: empty });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expectSentence(stderr, /does not exist/);
  });

  it.each(['one.png', 'thin.png'])('a picture of odd size is no error: %s gives a finite map', async name => {
    const { code, stdout, stderr } = await narrows(
      [...withImage(name), '--json', '--output', at(`${name}.svg`), '--output', at(`${name}.html`)],
      {
        cwd: empty,
      },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
    const result = JSON.parse(stdout);
    expect(result.image.patches.every((v: unknown) => Number.isFinite(v))).toBe(true);
    copyFileSync(at(`${name}.svg`), at(`${name}.svg.copy`));
  });
});
