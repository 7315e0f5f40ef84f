/** Shifts over folders and files of questions: what is written, kept, refused. Calls go through the whole command. */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeImage } from '../../inputs/image/decode.ts';
import { shiftImage, shiftText } from '../../shifts/apply.ts';
import { ANSWER_INSTRUCTIONS } from '../../shifts/suites/apply-scenario.ts';
import { parseExact } from '../../system/exact-json.ts';
import { explain } from '../errors.ts';
import { runProgram } from '../program.ts';
import { optionLists } from './rows.ts';

let root: string;
let output: string;
let photos: string;
const testdata = (name: string): string => new URL(`../../shifts/testdata/${name}`, import.meta.url).pathname;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-shifts-'));
  photos = join(root, 'photos');
  await mkdir(join(photos, 'sub'), { recursive: true });
  await copyFile(testdata('small.png'), join(photos, 'b.png'));
  await copyFile(testdata('official/tall.png'), join(photos, 'a.PNG'));
  await copyFile(testdata('official/wide.png'), join(photos, 'sub', 'c.webp'));
  await writeFile(join(photos, 'notes.txt'), 'none');
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(() => {
  output = join(root, `out-${count++}`);
});

/** Code, or the sentence of the error. */
async function call(...args: string[]): Promise<number | string> {
  try {
    return await runProgram(['shifts', ...args, '--quiet'], new AbortController().signal);
  } catch (error) {
    return explain(error).text ?? '';
  }
}
const pixels = async (path: string): Promise<Uint8Array> => (await decodeImage(path)).data;
const lines = async (path: string): Promise<Record<string, unknown>[]> =>
  (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .map(line => parseExact(line) as Record<string, unknown>);
async function questions(rows: readonly object[], name = 'q.jsonl'): Promise<string> {
  const folder = await mkdtemp(join(root, 'q-'));
  await writeFile(join(folder, name), name.endsWith('.json') ? JSON.stringify(rows) : rows.map(row => JSON.stringify(row)).join('\n'));
  return join(folder, name);
}

describe('a folder of pictures', () => {
  it('is shifted under its names, each picture by its place, and gone on with', async () => {
    expect(await call('gaussian_noise', photos, '--severity', '2', '--seed', '4', '--output', output)).toBe(0);
    expect((await readdir(output, { recursive: true })).sort()).toEqual(['a.PNG', 'b.png', 'shift.json', 'sub', 'sub/c.png']);
    for (const [sample, [from, to]] of [
      ['a.PNG', 'a.PNG'],
      ['b.png', 'b.png'],
      ['sub/c.webp', 'sub/c.png'],
    ].entries()) {
      const want = await shiftImage('gaussian_noise', await decodeImage(join(photos, from)), 2, { seed: 4, sample });
      expect(await pixels(join(output, to))).toEqual(want.data);
    }
    const before = await stat(join(output, 'a.PNG'));
    await rm(join(output, 'b.png'));
    expect(await call('gaussian_noise', photos, '--severity', '2', '--seed', '4', '--output', output)).toBe(0);
    expect((await stat(join(output, 'a.PNG'))).mtimeMs).toBe(before.mtimeMs);
    const want = await shiftImage('gaussian_noise', await decodeImage(join(photos, 'b.png')), 2, { seed: 4, sample: 1 });
    expect(await pixels(join(output, 'b.png'))).toEqual(want.data);
  });

  it('is not mixed with other settings, other pictures, or its own output', async () => {
    expect(await call('contrast', photos, '--output', output)).toBe(0);
    expect(await call('contrast', photos, '--severity', '4', '--output', output)).toMatch(
      /was begun with other settings \(severity 3, now 4\); choose another --output, or delete it\.$/,
    );
    expect(await call('contrast', photos, '--reference-size', '224', '--output', output)).toMatch(/\(referenceSize none, now 224\)/);
    expect(await call('contrast', join(photos, 'sub'), '--output', output)).toMatch(/pictures 3, now 1/);
    await writeFile(join(output, 'shift.json'), '{');
    expect(await call('contrast', photos, '--output', output)).toMatch(/shift\.json is not valid JSON/);
    for (const inside of [photos, join(photos, 'out'), root])
      expect(await call('contrast', photos, '--output', inside)).toMatch(/lie inside each other/);
  });

  it('names what fails and finishes the rest', async () => {
    const folder = join(root, 'damaged');
    await mkdir(folder);
    await copyFile(testdata('small.png'), join(folder, 'good.png'));
    await writeFile(join(folder, 'bad.png'), 'no picture');
    expect(await call('fog', folder, '--output', output)).toBe(1);
    expect((await readdir(output)).sort()).toEqual(['good.png', 'shift.json']);
    await copyFile(testdata('small.png'), join(folder, 'good.bmp'));
    expect(await call('fog', folder, '--output', join(root, 'twice'))).toMatch(/would both be written as good\.png; rename one of them\.$/);
    expect(await call('fog', join(root, 'none'), '--output', output)).toMatch(/There is no file or folder .*none; check the path\./);
    const empty = join(root, 'empty');
    await mkdir(empty);
    expect(await call('fog', empty, '--output', output)).toMatch(/holds no pictures/);
  });

  it('is written as another kind of file, and says in its settings what stands in for the photographs of frost', async () => {
    expect(await call('frost', photos, '--format', 'webp', '--output', output)).toBe(0);
    expect((await readdir(output)).sort()).toEqual(['a.webp', 'b.webp', 'shift.json', 'sub']);
    const want = await shiftImage('frost', await decodeImage(join(photos, 'a.PNG')), 3);
    expect(await pixels(join(output, 'a.webp'))).toEqual(want.data);
    const { remarks } = JSON.parse(await readFile(join(output, 'shift.json'), 'utf8')) as { remarks: string[] };
    expect(remarks).toEqual([expect.stringContaining('drawn by Narrows')]);
  });
});

describe('a file of questions', () => {
  const QUESTION = 'Which animal stands beside the old wooden boat?';
  const tail = "\nA. a dog\nB. a cat\nAnswer with the option's letter from the given choices directly.";

  it('has its words shifted; instructions, options, answers and all other keys stay', async () => {
    const file = await questions([
      { question_id: 1, image: 'a.png', text: `<image>\n${QUESTION}${tail}`, category: 'conv', n: [1, null] },
      {
        id: 'x',
        conversations: [
          { from: 'human', value: `<image>\n${QUESTION}` },
          { from: 'gpt', value: 'The elephant' },
          { from: 'human', value: QUESTION },
        ],
      },
      { messages: [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: QUESTION }] }] },
    ]);
    await writeFile(file, `${await readFile(file, 'utf8')}\n{"question_id": 12345678901234567890, "question": "${QUESTION}"}`);
    expect(await call('keyboard', file, '--severity', '7', '--seed', '3', '--output', output)).toBe(0);
    const [first, second, third, fourth] = await lines(join(output, 'q.jsonl'));
    const protect = ['<image>', ...ANSWER_INSTRUCTIONS, '\nA. a dog\nB. a cat'];
    const shifted = (text: string, sample: number): string => shiftText('keyboard', text, 7, { seed: 3, sample, protect });
    expect(first).toEqual({
      question_id: 1,
      image: 'a.png',
      text: shifted(`<image>\n${QUESTION}${tail}`, 0),
      category: 'conv',
      n: [1, null],
    });
    expect((first.text as string).endsWith(tail)).toBe(true);
    const turns = second.conversations as { value: string }[];
    expect(turns.map(turn => turn.value)).toEqual([shifted(`<image>\n${QUESTION}`, 1), 'The elephant', shifted(QUESTION, 1 + 2 ** 24)]);
    expect(turns[0].value.slice(8)).not.toBe(turns[2].value);
    expect(third).toEqual({ messages: [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: shifted(QUESTION, 2) }] }] });
    expect(fourth.question_id).toBe(12345678901234567890n);
    expect(fourth.question).toBe(shifted(QUESTION, 3));
  });

  it('that is a list stays a list, and is translated by a file', async () => {
    const file = await questions([{ question_id: 7, text: QUESTION }], 'q.json');
    const greek = await questions([{ question_id: 7, language: 'Greek', text: 'Ποιο ζώο;' }]);
    const args = ['translation', file, '--language', 'Greek', '--output', output];
    expect(await call(...args)).toMatch(/needs a translator/);
    await expect(stat(output)).rejects.toThrow();
    expect(await call(...args, '--translations', greek, '--suffix', ' Please answer in English.')).toBe(0);
    expect(JSON.parse(await readFile(join(output, 'q.json'), 'utf8'))).toEqual([
      { question_id: 7, text: 'Ποιο ζώο; Please answer in English.' },
    ]);
  });

  it('has its pictures shifted once each, by their places, and points to them', async () => {
    const file = await questions([
      { question_id: 1, image: 'sub/c.webp', text: 'a' },
      { question_id: 2, text: 'no picture' },
      { question_id: 3, images: ['b.png', 'sub/c.webp'], text: 'b' },
    ]);
    expect(await call('shot_noise', file, '--image-folder', photos, '--seed', '9', '--output', output)).toBe(0);
    expect(await lines(join(output, 'q.jsonl'))).toEqual([
      { question_id: 1, image: 'images/sub/c.png', text: 'a' },
      { question_id: 2, text: 'no picture' },
      { question_id: 3, images: ['images/b.png', 'images/sub/c.png'], text: 'b' },
    ]);
    const want = await shiftImage('shot_noise', await decodeImage(join(photos, 'b.png')), 3, { seed: 9, sample: 1 });
    expect(await pixels(join(output, 'images', 'b.png'))).toEqual(want.data);
  });

  it('that is wrong is refused in one sentence, and nothing is overwritten', async () => {
    const missing = await questions([
      { image: 'b.png', text: 'a' },
      { image: 'x.png', text: 'a' },
      { image: 'y.png', text: 'a' },
    ]);
    expect(await call('fog', missing, '--image-folder', photos, '--output', output)).toMatch(
      /line 2: there is no picture .*x\.png, and 1 more are missing; name their folder with --image-folder\.$/,
    );
    const none = await questions([{ text: 'a' }]);
    expect(await call('fog', none, '--output', output)).toMatch(/names no pictures/);
    expect(await call('ocr', none, '--output', join(none, '..'))).toMatch(/would be overwritten; choose another one\.$/);
    expect(await call('ocr', await questions([{ question_id: 1 }]), '--output', output)).toMatch(
      /line 1: the row has no question: .*its keys are question_id\.$/,
    );
    expect(await call('fog', await questions([{ image: 'data:image/png;base64,AAAA', text: 'a' }]), '--output', output)).toMatch(
      /line 1: "image" does not name a file/,
    );
    const bad = await questions([]);
    await writeFile(bad, '{"text": "a"}\n{"text": ');
    expect(await call('ocr', bad, '--output', output)).toMatch(/not valid JSON: .* line 2/);
    expect(await call('ocr', await questions([{ messages: [{ role: 'assistant', content: 'a' }] }]), '--output', output)).toMatch(
      /no turn is the user's/,
    );
  });
});

it('refuses flags that do not belong together', async () => {
  const file = await questions([{ text: 'a' }]);
  for (const [args, sentence] of [
    [['fog', photos], /Many shifted pictures need a place: add --output DIR\./],
    [['ocr', file], /needs a place: add --output DIR\./],
    [['fog', photos, '--output', output, '--protect', 'x'], /--protect has no meaning for fog, which changes pictures/],
    [['ocr', file, '--output', output, '--compat', 'mm-robustness'], /--compat has no meaning for ocr, which changes texts/],
    [['ocr', file, '--output', output, '--language', 'Greek'], /--language belongs to translation, not to ocr\./],
    [['fog', photos, '--output', output, '--sample', '3'], /leave --sample away/],
    [['fog', photos, '--output', output, '--frost-textures', photos], /--frost-textures belongs to frost/],
    [['frost', photos, '--output', output, '--frost-textures', photos], /should hold the five published textures/],
    [['rotate', photos, '--output', output, '--compat', 'mm-robustness'], /does not run rotate/],
    [['ocr', photos, '--output', output], /ocr changes texts, not pictures/],
    [['translation', file, '--severity', '2', '--output', output], /from 1 to 1; got 2/],
    [['translation', file, '--endpoint', 'http://localhost:1', '--output', output], /--endpoint needs --model-name/],
    [['vittle-9x9x9', photos], /is a suite of many shifts/],
    [['emi-synthetik'], /did you mean emi-synthetic\?/],
  ] as const)
    expect(await call(...args), args.join(' ')).toMatch(sentence);
});

it('finds lists of options, and nothing that only looks like one', () => {
  expect(optionLists('What?\nA. a\nB. b c\nEnd')).toEqual(['\nA. a\nB. b c']);
  expect(optionLists('What?\n(A) a\n(B) b')).toEqual(['\n(A) a\n(B) b']);
  expect(optionLists('What?\nA. Smith wrote it.\nWhen?')).toEqual([]);
  expect(optionLists('A. a\nB. b')).toEqual([]);
});
