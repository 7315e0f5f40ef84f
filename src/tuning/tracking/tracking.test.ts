import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NarrowsError } from '../../system/errors.ts';
import { MetricsFile } from './metrics.ts';
import { EventFile } from './tensorboard.ts';
import { crc32c, frameRecord, maskedCrc32c } from './tfrecord.ts';
import { openTracker, tensorboardTag } from './tracker.ts';

let root: string;
let directory: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-tracking-'));
});
beforeEach(() => {
  directory = join(root, String(count++));
});
afterAll(() => rm(root, { recursive: true }));

/** Splits a TFRecord file into payloads, checking both checksums. */
function readRecords(bytes: Buffer): Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.readUInt32LE(at + 8)).toBe(maskedCrc32c(bytes.subarray(at, at + 8)));
    const payload = bytes.subarray(at + 12, at + 12 + length);
    expect(bytes.readUInt32LE(at + 12 + length)).toBe(maskedCrc32c(payload));
    out.push(payload);
    at += 16 + length;
  }
  return out;
}

describe('TFRecord', () => {
  // Check value of CRC-32C in the CRC catalogue; the others are from RFC 3720, B.4.
  it.each([
    [Buffer.from('123456789'), 0xe3069283],
    [Buffer.alloc(32), 0x8a9136aa],
    [Buffer.alloc(32, 0xff), 0x62a8ab43],
    [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ])('CRC-32C %#', (bytes, crc) => expect(crc32c(bytes)).toBe(crc));

  it('frames a payload as tensorboard 2.21.0 does', () => {
    // RecordWriter(io.BytesIO()).write(b'narrows')
    expect(Buffer.from(frameRecord(Buffer.from('narrows'))).toString('hex')).toBe('0700000000000000bbd79f116e6172726f7773911a02b7');
  });
});

describe('event files', () => {
  it('hold the bytes that tensorboard 2.21.0 parses to the same events', async () => {
    const file = new EventFile(directory, undefined, () => 1.5);
    file.scalars(300, { loss: 0.25 });
    file.close();
    const [version, scalars] = readRecords(await readFile(file.path));
    const time = '09000000000000f83f';
    expect(version.toString('hex')).toBe(`${time}1a0d${Buffer.from('brain.Event:2').toString('hex')}`);
    // Event(wall_time=1.5, step=300, summary=Summary(value=[Summary.Value(tag='loss', simple_value=0.25)])).SerializeToString()
    expect(scalars.toString('hex')).toBe('09000000000000f83f10ac022a0d0a0b0a046c6f7373150000803e');
  });

  it('tell TensorBoard to forget steps after the one resumed from', async () => {
    const file = new EventFile(directory, 9, () => 1.5);
    file.close();
    // Event(wall_time=1.5, step=10, session_log=SessionLog(status=SessionLog.START)).SerializeToString()
    expect(readRecords(await readFile(file.path))[1].toString('hex')).toBe('09000000000000f83f100a3a020801');
  });

  it('of one second have names of their own', async () => {
    const open = [new EventFile(directory), new EventFile(directory)];
    for (const file of open) file.close();
    expect((await readdir(directory)).length).toBe(2);
    expect((await readdir(directory))[0]).toMatch(/^events\.out\.tfevents\.\d{10}\.narrows\./);
  });
});

describe('metrics.jsonl', () => {
  const path = () => join(directory, 'metrics.jsonl');

  it('has each line on disk at once, with numbers that JSON lacks as texts', async () => {
    const file = await MetricsFile.open(path());
    file.write(1, { loss: 0.5, phase: 'train' });
    expect(await readFile(path(), 'utf8')).toBe('{"step":1,"loss":0.5,"phase":"train"}\n');
    file.write(2, { loss: Number.NaN });
    file.close();
    expect((await readFile(path(), 'utf8')).split('\n')[1]).toBe('{"step":2,"loss":"NaN"}');
    expect(() => file.write(3, {})).toThrow(NarrowsError);
  });

  it('resumed: keeps what the checkpoint knows, drops later lines and a torn one', async () => {
    const file = await MetricsFile.open(path());
    for (let step = 1; step <= 4; step++) file.write(step, { loss: 1 / step });
    file.close();
    const whole = await readFile(path(), 'utf8');
    await appendFile(path(), '{"step":1,"lo');
    const resumed = await MetricsFile.open(path(), 2);
    for (let step = 3; step <= 4; step++) resumed.write(step, { loss: 1 / step });
    resumed.close();
    expect(await readFile(path(), 'utf8')).toBe(whole);
  });

  it('resumed without a file starts one; a new run starts afresh', async () => {
    (await MetricsFile.open(path(), 5)).close();
    expect(await readFile(path(), 'utf8')).toBe('');
    await writeFile(path(), '{"step":1}\n');
    (await MetricsFile.open(path())).close();
    expect(await readFile(path(), 'utf8')).toBe('');
  });
});

describe('openTracker', () => {
  it('writes numbers to both, texts only to the lines', async () => {
    const tracker = await openTracker(directory);
    tracker.log(1, { loss: 0.5, note: 'warm-up' });
    tracker.log(2, { note: 'no number' });
    tracker.close();
    expect((await readFile(join(directory, 'metrics.jsonl'), 'utf8')).trim().split('\n').length).toBe(2);
    const [name] = await readdir(join(directory, 'tensorboard'));
    expect(readRecords(await readFile(join(directory, 'tensorboard', name))).length).toBe(2);
  });

  it("tags TensorBoard's figures as transformers does: train/loss, eval/loss", async () => {
    expect(['loss', 'learning_rate', 'grad_norm', 'eval_loss', 'eval_text_to_image', 'test_loss', 'evaluated'].map(tensorboardTag)).toEqual(
      [...['train/loss', 'train/learning_rate', 'train/grad_norm', 'eval/loss', 'eval/text_to_image', 'test/loss', 'train/evaluated']],
    );
    const tracker = await openTracker(directory);
    tracker.log(3, { loss: 0.5 });
    tracker.log(3, { eval_loss: 0.25 });
    tracker.close();
    const [name] = await readdir(join(directory, 'tensorboard'));
    const [, train, evaluation] = readRecords(await readFile(join(directory, 'tensorboard', name)));
    const scalar = (tag: string, value: number): string => {
      const bytes = Buffer.alloc(4);
      bytes.writeFloatLE(value);
      return `0a${tag.length.toString(16).padStart(2, '0')}${Buffer.from(tag).toString('hex')}15${bytes.toString('hex')}`;
    };
    expect(train.toString('hex')).toContain(scalar('train/loss', 0.5));
    expect(evaluation.toString('hex')).toContain(scalar('eval/loss', 0.25));
    // The lines keep the names that --metric-for-best-model and the readers of metrics.jsonl know.
    expect(await readFile(join(directory, 'metrics.jsonl'), 'utf8')).toBe('{"step":3,"loss":0.5}\n{"step":3,"eval_loss":0.25}\n');
  });

  it('says in a sentence why it cannot write', async () => {
    await mkdir(join(directory, 'metrics.jsonl'), { recursive: true });
    await expect(openTracker(directory)).rejects.toThrow(/Cannot write .*metrics.jsonl: the path is a directory/);
    await expect(openTracker(directory, { lastStep: 1 })).rejects.toThrow(/Cannot read .*metrics.jsonl: it is a directory/);
  });
});
