import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConversations } from './chat/read-conversations.ts';
import { readText, textChunks } from './text-file.ts';

const root = mkdtempSync(join(tmpdir(), 'narrows-text-file-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
function file(name: string, bytes: Uint8Array): string {
  const path = join(root, name);
  writeFileSync(path, bytes);
  return path;
}
const TEXT = 'one\nzwei é 狗 🐱\ndrei\n';
const utf16 = (text: string, big = false): Buffer => {
  const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le');
  return big ? bytes.swap16() : bytes;
};
async function inPieces(path: string, size: number): Promise<string> {
  let text = '';
  for await (const chunk of textChunks(path, size)) text += chunk;
  return text;
}

describe('a text file', () => {
  it.each([
    ['utf8.txt', Buffer.from(TEXT)],
    ['bom.txt', Buffer.from(`\uFEFF${TEXT}`)],
    ['utf16le.txt', utf16(TEXT)],
    ['utf16be.txt', utf16(TEXT, true)],
  ])('is read in any piece size: %s', async (name, bytes) => {
    const path = file(name, bytes);
    expect(await readText(path)).toBe(TEXT);
    for (const size of [2, 3, 5, 7, 1000]) expect(await inPieces(path, size)).toBe(TEXT);
  });

  it.each([
    ['gbk.json', Buffer.concat([Buffer.from('[\n{"a":\n"'), Buffer.from([0xb9, 0xb7]), Buffer.from('"}]\n')]), 3],
    ['latin1.txt', Buffer.from('eins\nna\u00efve\n', 'latin1'), 2],
    ['cut.txt', Buffer.from('a\nb\nc 狗').subarray(0, -1), 3],
  ])('of another encoding is refused with its line: %s', async (name, bytes, line) => {
    const path = file(name, bytes);
    const says = `${path}, line ${line}: the text is not UTF-8`;
    await expect(readText(path)).rejects.toThrow(says);
    for (const size of [3, 4, 1000]) await expect(inPieces(path, size)).rejects.toThrow(says);
  });

  it('in UTF-32 is named', async () => {
    for (const [name, mark] of [
      ['le32.txt', [0xff, 0xfe, 0, 0]],
      ['be32.txt', [0, 0, 0xfe, 0xff]],
    ] as const)
      await expect(readText(file(name, Buffer.from([...mark, 0x61, 0, 0, 0])))).rejects.toThrow(
        'is UTF-32, which is not read; save it as UTF-8.',
      );
  });

  it.skipIf(process.platform === 'win32')('that is a pipe or a folder is refused at once', async () => {
    const pipe = join(root, 'pipe.jsonl');
    execFileSync('mkfifo', [pipe]);
    const pieces = async (path: string): Promise<void> => {
      for await (const _ of textChunks(path));
    };
    for (const read of [readText, pieces]) {
      await expect(read(pipe)).rejects.toThrow(`Cannot read ${pipe}: it is a named pipe; save the text as a file.`);
      await expect(read('/dev/null')).rejects.toThrow('it is no file');
      await expect(read(root)).rejects.toThrow('it is a directory; give a file');
    }
  });

  it('with zero bytes is no text', async () => {
    await expect(readText(file('bare16.txt', Buffer.from('hello', 'utf16le')))).rejects.toThrow('holds zero bytes');
  });
});

it('conversations in UTF-16 are read, in GBK refused', async () => {
  const records = JSON.stringify([
    {
      id: 12345678901234567890n.toString(),
      conversations: [
        { from: 'human', value: '狗' },
        { from: 'gpt', value: 'yes' },
      ],
    },
  ]);
  const exact = records.replace('"12345678901234567890"', '12345678901234567890');
  const [conversation] = await loadConversations(file('c.json', utf16(exact)));
  expect(conversation).toMatchObject({ id: '12345678901234567890', messages: [{ content: '狗' }, { content: 'yes' }] });
  const gbk = Buffer.concat([
    Buffer.from('{"id": 1, "conversations": [{"from": "human", "value": "'),
    Buffer.from([0xb9, 0xb7]),
    Buffer.from('"}]}\n'),
  ]);
  await expect(loadConversations(file('c.jsonl', gbk))).rejects.toThrow('c.jsonl, line 1: the text is not UTF-8');
});
