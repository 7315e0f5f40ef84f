import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ImageFolder, loadConversations, missingImages, missingSentence, readConversations, skipMissing } from './read-conversations.ts';

const directory = mkdtempSync(join(tmpdir(), 'narrows-chat-'));
let number = 0;
/** Writes a file. Values become JSON lines. */
function file(content: string | readonly unknown[], extension = 'jsonl'): string {
  const path = join(directory, `${number++}.${extension}`);
  writeFileSync(path, typeof content === 'string' ? content : content.map(value => JSON.stringify(value)).join('\n'));
  return path;
}
const human = (value: string) => ({ from: 'human', value });
const gpt = (value: string) => ({ from: 'gpt', value });
const good = { id: 7, image: 'a/1.png', conversations: [human('What is it?\n<image>'), gpt('A dog.')] };
const fails = async (content: string | readonly unknown[], message: RegExp | string, extension?: string): Promise<void> => {
  const path = file(content, extension);
  const error = await loadConversations(path).catch(e => e);
  expect(error.name).toBe('NarrowsError');
  expect(error.message).toMatch(message);
  // One sentence that names the file.
  expect(error.message).toContain(path);
  expect(error.message).not.toContain('\n');
};

describe('readConversations', () => {
  it("reads LLaVA's records from a list and from lines, byte order mark and blank lines included", async () => {
    const expected = {
      id: '7',
      images: ['a/1.png'],
      messages: [
        { role: 'user', content: '<image>\nWhat is it?' },
        { role: 'assistant', content: 'A dog.' },
      ],
    };
    const text = { conversations: [{ from: 'system', value: 'Be brief.' }, human('Hi "]}\\ {['), gpt('Hi.'), human('?'), gpt('!')] };
    const list = `\uFEFF\n ${JSON.stringify([good, text], null, 2)} \n`;
    const lines = `\uFEFF${JSON.stringify(good)}\r\n\n${JSON.stringify(text)}\n`;
    const a = await loadConversations(file(list, 'json'));
    const b = await loadConversations(file(lines));
    expect(a[0]).toMatchObject(expected);
    expect(a.map(({ source: _, ...rest }) => rest)).toEqual(b.map(({ source: _, ...rest }) => rest));
    expect(a[1].messages.map(m => m.role)).toEqual(['system', 'user', 'assistant', 'user', 'assistant']);
    expect(a[1].messages[1].content).toBe('Hi "]}\\ {[');
    expect(b[1].source).toMatch(/, line 3$/);
    expect(a[1].source).toMatch(/, entry 2 \(line 17\)$/);
    const kept = await loadConversations(file([good]), { imageFirst: false });
    expect(kept[0].messages[0].content).toBe('What is it?\n<image>');
  });

  it("reads Hugging Face's messages, as texts and as lists of parts", async () => {
    const asTexts = {
      images: [{ path: '1.png', bytes: null }, '2.png'],
      messages: [
        { role: 'user', content: '<image>and<image>' },
        { role: 'assistant', content: 'Two.' },
      ],
    };
    const asParts = {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', image: '1.png' },
            { type: 'text', text: 'What?' },
          ],
        },
        { role: 'assistant', content: [{ type: 'text', text: 'That.' }] },
      ],
    };
    const [texts, parts] = await loadConversations(file([asTexts, asParts]));
    expect(texts.images).toEqual(['1.png', '2.png']);
    // Several images stay where they are.
    expect(texts.messages[0].content).toBe('<image>and<image>');
    expect(parts.images).toEqual(['1.png']);
    expect(parts.messages.map(m => m.content)).toEqual(['<image>\nWhat?', 'That.']);
  });

  it('drops an answer before the first question, as LLaVA does', async () => {
    const [c] = await loadConversations(file([{ conversations: [gpt('x'), human('q'), gpt('a')] }]));
    expect(c.messages.map(m => m.content)).toEqual(['q', 'a']);
  });

  it('streams: a record is known before the next one is read, over the borders of chunks', async () => {
    const record = (i: number) => ({ conversations: [human(`é狗 ${i} ${'x'.repeat(1000)}`), gpt(`${i}`)] });
    const many = Array.from({ length: 500 }, (_, i) => record(i));
    for (const path of [file(many), file(JSON.stringify(many), 'json')]) {
      let n = 0;
      for await (const { messages } of readConversations(path)) expect(messages[1].content).toBe(`${n++}`);
      expect(n).toBe(500);
    }
    const broken = file([...many, 0].map(value => JSON.stringify(value)).join('\n'));
    let n = 0;
    await expect(
      (async () => {
        for await (const _ of readConversations(broken)) n++;
      })(),
    ).rejects.toThrow(/line 501: 0 is no JSON object/);
    expect(n).toBe(500);
  });

  it('takes an empty name of an image for none', async () => {
    const turns = [human('q'), gpt('a')];
    const parts = [
      {
        role: 'user',
        content: [
          { type: 'image', image: '' },
          { type: 'text', text: 'q' },
        ],
      },
      { role: 'assistant', content: 'a' },
    ];
    const all = await loadConversations(
      file([
        ...['', null, []].flatMap(none => [
          { image: none, conversations: turns },
          { images: none, conversations: turns },
        ]),
        { image: '', images: ['b.png'], messages: parts },
      ]),
    );
    expect(all.map(c => c.images)).toEqual([[], [], [], [], [], [], ['b.png']]);
    await fails([{ image: ['a.png', ''], conversations: turns }], /line 1: "" names no image/);
  });

  it('takes the list out of an object around it, and says where records stand', async () => {
    const info = { version: '0.5.1', splits: ['val'], data: [good, good] };
    const whole = JSON.stringify(info, null, 2);
    for (const text of [JSON.stringify(info), whole, `\uFEFF\n${whole}\r\n`, whole.replaceAll('\n', '\r\n')]) {
      const all = await loadConversations(file(text, 'json'));
      expect(all).toHaveLength(2);
      expect(all[1].source).toMatch(/\.json, entry 2 of "data"$/);
    }
    // One record over several lines, lines of objects that only look like wrappers, and a first line that was cut.
    expect(await loadConversations(file(JSON.stringify(good, null, 1), 'json'))).toHaveLength(1);
    await fails(
      `${JSON.stringify({ data: [good] })}\n${JSON.stringify(good)}`,
      /line 1: the record has no list "conversations".*it has data/,
    );
    await fails(`${JSON.stringify(good).slice(0, -1)}\n${JSON.stringify(good)}`, /the text ends too early at line 1,/);
    await fails(`${whole.slice(0, -4)}`, /is not valid JSON: the text ends too early at line \d\d, column/);
    await fails(
      JSON.stringify({ train: [good], val: [good] }),
      /is one JSON object \(train, val\) with the lists train, val, and nothing says/,
    );
    await fails(JSON.stringify({ ids: [1], meta: {} }, null, 1), /is one JSON object \(ids, meta\) with no list of records; write/);
    await fails(JSON.stringify({ data: [{ ...good, conversations: [] }] }), /entry 1 of "data": the conversation has no turns/);
  });

  it('says where JSON is corrupt', async () => {
    const line = JSON.stringify(good);
    await fails(`${line}\n${line.slice(0, -3)}\n${line}`, /is not valid JSON: the text ends too early at line 2, column \d+\.$/);
    await fails(`${line}\n{"id": 1,}\n`, /is not valid JSON: unexpected "}" at line 2, column 10\.$/);
    await fails(`[${line},\n\n {"id": 1,}]`, /is not valid JSON: unexpected "}" at line 3, column 11\.$/, 'json');
    await fails(`[${line},\n{\n"id":\n 1,}]`, /unexpected "}" at line 4, column 4\.$/, 'json');
    await fails(`[${line}\n${line}]`, /should hold a list of JSON objects: unexpected "{" at line 2, column 1\.$/, 'json');
    await fails(`[${line},`, /ends too early at line 1\.$/, 'json');
    await fails(`[\n${line.slice(0, -1)},\n${line}]`, /is not valid JSON: unexpected "{" at line 3, column 1\.$/, 'json');
    await fails('[1]', /should hold a list of JSON objects: unexpected "1"/, 'json');
    await fails(' \n', /is empty; it should hold conversations\.$/);
    await fails('[]', /holds no conversations\.$/, 'json');
    await expect(loadConversations(join(directory, 'none.json'))).rejects.toThrow(/Cannot read .*none\.json: there is no such file/);
    await expect(loadConversations(directory)).rejects.toThrow(/Cannot read .*it is a directory/);
  });

  it('says what is wrong with a record', async () => {
    const turns = (...conversations: object[]) => [good, { conversations }];
    const line2 = (rest: string): RegExp => new RegExp(`, line 2${rest}`);
    await fails(turns(human('q')), line2(': the conversation has no turn of the assistant, so there is nothing to learn from it\\.$'));
    await fails(turns(), line2(': the conversation has no turns\\.$'));
    await fails(
      turns(human('q'), human('q'), gpt('a')),
      line2(": .*a turn of the user where the assistant's belongs \\(turn 2\\).*alternate"),
    );
    await fails(turns(human('q'), gpt('a'), gpt('a')), line2(": .*a turn of the assistant where the user's belongs \\(turn 3\\)"));
    await fails(turns(human('q'), { from: 'system', value: 's' }), line2(': .*a turn of the system'));
    await fails(turns(gpt('a')), line2(': the conversation begins with a turn of the assistant'));
    await fails(
      turns(human('<image>'), gpt('a')),
      line2(': the text has 1 <image> mark, but the record names no images; name one image for'),
    );
    await fails(
      [{ ...good, conversations: [human('q'), gpt('a')] }],
      /line 1: the text has no <image> marks, but the record names 1 image; write/,
    );
    await fails([{ ...good, image: ['a', 'b'] }], /line 1: the text has 1 <image> mark, but the record names 2 images; write <image>/);
    await fails(turns(human('q'), gpt('<image>')), line2(': <image> is in a turn of the assistant; it belongs'));
    await fails(turns({ from: 'robot', value: 'q' }), line2(', turn 1: nobody is known as "robot"; turns are from human, user, gpt'));
    await fails(turns(human('q'), { from: 'gpt' }), line2(', turn 2: a turn holds nothing where its text belongs'));
    await fails([good, { id: 1, text: 'x' }], line2(': the record has no list "conversations".*it has id, text\\.$'));
    await fails([{ ...good, image: 'https://a.b/c.png' }], /line 1: the image "https:.*is an address; save it/);
    await fails([{ ...good, image: { bytes: 'AA' } }], /line 1: \{"bytes":"AA"\} names no image/);
    const parts = [{ role: 'user', content: [{ type: 'audio' }] }];
    await fails([{ messages: parts }], /turn 1: a turn holds the part \{"type":"audio"\}; parts are/);
  });
});

describe('missing images', () => {
  it('are listed once, counted and left out', async () => {
    mkdirSync(join(directory, 'images/a'), { recursive: true });
    writeFileSync(join(directory, 'images/a/1.png'), '');
    const record = (image?: string) => ({ image, conversations: [human(image ? '<image>\nq' : 'q'), gpt('a')] });
    const path = file([record('a/1.png'), record('a/2.png'), record(), record('a/2.png'), record('b/1.png')]);
    const folder = join(directory, 'images');
    const missing = await missingImages(readConversations(path), folder);
    expect(missing).toEqual({ images: ['a/2.png', 'b/1.png'], conversations: 3, of: 5 });
    expect(missingSentence(missing, folder)).toMatch(
      /^2 images of 3 of 5 conversations are missing from .*images: a\/2\.png, b\/1\.png; add them, or leave those conversations out with --skip-missing\.$/,
    );
    expect(missingSentence({ images: [], conversations: 0, of: 5 }, folder)).toBeUndefined();
    const left: string[] = [];
    const kept: string[][] = [];
    for await (const c of skipMissing(readConversations(path), folder, (_, images) => left.push(...images))) kept.push([...c.images]);
    expect(kept).toEqual([['a/1.png'], []]);
    expect(left).toEqual(['a/2.png', 'a/2.png', 'b/1.png']);
  });
});

describe('a folder of images', () => {
  it('that appears later is seen; one that cannot be listed is said, not taken for empty', async () => {
    const root = mkdtempSync(join(directory, 'images-'));
    const folder = new ImageFolder(root);
    expect(await folder.has('late/1.png')).toBe(false);
    mkdirSync(join(root, 'late'));
    writeFileSync(join(root, 'late/1.png'), '');
    expect(await folder.has('late/1.png')).toBe(true);
    symlinkSync('loop', join(root, 'loop'));
    await expect(folder.has('loop/1.png')).rejects.toThrow(/^Cannot read .*loop/);
    rmSync(join(root, 'loop'));
    mkdirSync(join(root, 'loop'));
    writeFileSync(join(root, 'loop/1.png'), '');
    expect(await folder.has('loop/1.png')).toBe(true);
    expect(await Promise.all(['a\0/1.png', `${'x'.repeat(300)}/1.png`, 'late/1.png/2.png'].map(i => folder.has(i)))).toEqual([
      false,
      false,
      false,
    ]);
  });
});
