import { copyFileSync, cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pope } from './pope.ts';
import { folder, pixels, rowsJson, table } from './testing/fixtures.ts';

const temporary = (): string => mkdtempSync(join(tmpdir(), 'narrows-pope-'));

describe('POPE from parquet', () => {
  it.each([['data'], ['other/zstd.parquet'], ['data/test-00000-of-00001.parquet']])('%s: every row', async path => {
    const { questions, warnings } = await pope.load({ data: path === 'data' ? table('POPE') : table('POPE', path) });
    const rows = rowsJson('POPE');
    expect(questions.map(q => [q.id, q.text, q.answers, q.split, q.pictures[0].id])).toEqual(
      rows.map(row => [row.question_id, row.question, [row.answer], row.category, row.image_source]),
    );
    for (const [i, row] of rows.entries()) expect(await pixels(questions[i].pictures[0])).toBe(row.image.rgb_sha256);
    expect(new Set(questions.map(q => q.key)).size).toBe(rows.length);
    expect(questions[0].facts).toMatchObject({ id: '0', image_source: 'COCO_val2014_000000700000' });
    // The made-up rows ask the same of one picture and split under ids that repeat; the loader says so.
    expect(warnings.join()).toMatch(/stand/);
  });

  it('takes a limit and a split', async () => {
    const { questions } = await pope.load({ data: table('POPE'), limit: 2, split: 'popular' });
    expect(questions.map(q => q.where.replace(/.*, /, ''))).toEqual(['row 5', 'row 6']);
    await expect(pope.load({ data: table('POPE'), split: 'adverse' })).rejects.toThrow(
      /POPE has no split "adverse"; it has random, popular, adversarial/,
    );
  });

  it("takes the hub's rows once, though they stand there twice, and its splits where there is no more", async () => {
    const data = temporary();
    const file = table('POPE/data/test-00000-of-00001.parquet');
    for (const name of ['random', 'popular', 'adversarial']) cpSync(file, join(data, `Full/${name}-00000-of-00001.parquet`));
    expect((await pope.load({ data })).questions.length).toBe(36);
    cpSync(file, join(data, 'data/test-00000-of-00001.parquet'));
    expect((await pope.load({ data })).questions.length).toBe(12);
  });

  it('reads files with large strings, and pictures by path', async () => {
    expect((await pope.load({ data: table('traps/POPE-large-string.parquet') })).questions.length).toBe(12);
    await expect(pope.load({ data: table('traps/picture-by-path.parquet') })).rejects.toThrow(
      /picture-by-path\.parquet, row 2: the picture missing\.png is neither next to/,
    );
    const { questions } = await pope.load({ data: table('traps/picture-by-path.parquet'), answersOnly: true });
    expect((await questions[0].pictures[0].read()).width).toBeGreaterThan(0);
    await expect(questions[1].pictures[0].read()).rejects.toThrow(/row 2: the picture/);
  });

  it('names file and row of a broken picture, and reads the next', async () => {
    const { questions } = await pope.load({ data: table('traps/broken-picture.parquet') });
    await expect(questions[0].pictures[0].read()).rejects.toThrow(/broken-picture\.parquet, row 1, column image is not an image/);
    expect((await questions[1].pictures[0].read()).width).toBeGreaterThan(0);
  });
});

describe('POPE from its own files', () => {
  it('joins LLaVA questions and labels by split, picture and words', async () => {
    const { questions, warnings } = await pope.load({ data: folder('pope'), answersOnly: true });
    expect(questions.length).toBe(360);
    expect(warnings).toEqual([]);
    expect(questions[0]).toMatchObject({
      id: 1,
      key: 'adversarial/1',
      text: 'Is there a scarf in the image?',
      answers: ['yes'],
      split: 'adversarial',
    });
    const want = ['random', 'popular', 'adversarial'].flatMap(split =>
      readFileSync(folder('pope/coco', `coco_pope_${split}.json`), 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
        .map(({ image, text, label }) => `${split} ${image} ${text} ${label}`),
    );
    expect(questions.map(q => `${q.split} ${q.facts.image} ${q.text} ${q.answers[0]}`).sort()).toEqual(want.sort());
    expect(new Set(questions.map(q => q.key)).size).toBe(360);
  });

  it('reads the three lists by themselves', async () => {
    const { questions } = await pope.load({ data: folder('pope/coco'), answersOnly: true });
    expect(questions.length).toBe(360);
    expect(new Set(questions.map(q => q.key)).size).toBe(360);
  });

  it('finds labels in any order, and says where versions differ', async () => {
    const data = temporary();
    cpSync(folder('pope'), data, { recursive: true });
    const file = join(data, 'coco/coco_pope_random.json');
    const lines = readFileSync(file, 'utf8').trim().split('\n').reverse();
    writeFileSync(file, `${lines.slice(0, 100).join('\n')}\n`);
    const { questions, warnings } = await pope.load({ data, answersOnly: true });
    expect(questions.filter(q => q.answers.length === 0).length).toBe(20);
    expect(warnings).toEqual([expect.stringMatching(/^20 of the 120 questions of "random" have no label: .* two versions of POPE/)]);
    const whole = new Map((await pope.load({ data: folder('pope'), answersOnly: true })).questions.map(q => [q.key, q.answers]));
    for (const { key, answers } of questions) if (answers.length > 0) expect(answers).toEqual(whole.get(key));
  });

  it('reads the spelling of the older list, and says so', async () => {
    const data = temporary();
    cpSync(folder('pope'), data, { recursive: true });
    const file = join(data, 'llava_pope_test.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replace('Is there a bell in the image?', 'Is there a bell in the imange?'));
    const { questions, warnings } = await pope.load({ data, answersOnly: true });
    expect(questions[1]).toMatchObject({ text: 'Is there a bell in the imange?', answers: ['no'] });
    expect(warnings.join()).toMatch(/1 questions say "imange"/);
  });

  it('says what is missing', async () => {
    await expect(pope.load({ data: folder('pope') })).rejects.toThrow(
      /line 1: the picture scene_5_000\.png is neither next to the file nor below/,
    );
    await expect(pope.load({})).rejects.toThrow(/POPE needs its data: give --data with a folder or file \(lmms-lab\/POPE/);
    await expect(pope.load({ data: folder('mmmu') })).rejects.toThrow(/holds no questions of POPE; it reads: parquet/);
    const data = temporary();
    copyFileSync(folder('pope/llava_pope_test.jsonl'), join(data, 'llava_pope_test.jsonl'));
    await expect(pope.load({ data })).rejects.toThrow(/has questions, but their labels \(coco_pope_random\.json/);
    writeFileSync(join(data, 'coco_pope_random.json'), '{"question_id": 1, "image": "a.png", "text": "Is it?", "label": "maybe"}\n');
    await expect(pope.load({ data })).rejects.toThrow(
      /coco_pope_random\.json, line 1: column label should say yes or no, but it says "maybe"/,
    );
  });

  it("reads VLMEvalKit's TSV: a question of several splits once for each, pictures of other rows", async () => {
    const { questions } = await pope.load({ data: table('tsv/POPE.tsv') });
    expect(questions.map(q => [q.key, q.answers[0], q.pictures[0].id])).toEqual([
      ['adversarial/0', 'yes', 'scene_0.jpg'],
      ['popular/0', 'yes', 'scene_0.jpg'],
      ['random/0', 'yes', 'scene_0.jpg'],
      ['popular/1', 'no', 'scene_0.jpg'],
      ['adversarial/2', 'yes', 'scene_1.jpg'],
      ['random/2', 'yes', 'scene_1.jpg'],
    ]);
    expect(await pixels(questions[3].pictures[0])).toBe(await pixels(questions[0].pictures[0]));
    expect((await questions[4].pictures[0].read()).width).toBe(14);
  });
});
