import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteFile } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { chair } from './chair.ts';
import { gqa } from './gqa.ts';
import { llavaBenchCoco } from './llava-bench-coco.ts';
import { llavaBenchInTheWild } from './llava-bench-in-the-wild.ts';
import { llavaBenchWilder } from './llava-bench-wilder.ts';
import type { Question } from './question.ts';
import { type ExpectedRow, folder, pixels, rowsJson, table } from './testing/fixtures.ts';
import { textvqa } from './textvqa.ts';
import { wildvisionBench } from './wildvision-bench.ts';

const temporary = (): string => mkdtempSync(join(tmpdir(), 'narrows-open-'));

async function samePictures(questions: readonly Question[], rows: readonly ExpectedRow[]): Promise<void> {
  expect(questions.length).toBe(rows.length);
  for (const [i, { image }] of rows.entries()) expect(await pixels(questions[i].pictures[0])).toBe(image.rgb_sha256);
}

describe('LLaVA-Bench (COCO)', () => {
  it('parquet: every row, captions and boxes apart', async () => {
    const { questions, warnings } = await llavaBenchCoco.load({ data: table('llava-bench-coco') });
    const rows = rowsJson('llava-bench-coco');
    expect(warnings).toEqual([]);
    expect(questions.map(q => [q.id, q.text, q.category, q.facts.reference, q.cluster])).toEqual(
      rows.map(row => [row.question_id, row.question, row.category, row.answer, row.image_id]),
    );
    expect(questions[0].facts).toMatchObject({
      captions: ['A drum.', 'A red drum.', 'A drum on grass.', 'One drum.', 'A drum by day.'],
      instances: [{ category: 'drum', bbox: [0.1, 0.2, 0.5, 0.6] }],
    });
    await samePictures(questions, rows);
  });

  it("LLaVA's files: context by picture, reference by id", async () => {
    const { questions, warnings } = await llavaBenchCoco.load({ data: folder('coco'), answersOnly: true });
    const lines = (name: string): ExpectedRow[] =>
      readFileSync(folder('coco', name), 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line));
    expect(warnings).toEqual([]);
    expect(questions.map(q => [q.id, q.text, q.category])).toEqual(lines('questions.jsonl').map(q => [q.question_id, q.text, q.category]));
    const contexts = new Map(lines('context.jsonl').map(one => [one.image, one]));
    for (const { facts } of questions)
      expect([facts.captions, facts.instances]).toEqual([
        contexts.get(facts.image as string)?.captions,
        contexts.get(facts.image as string)?.instances,
      ]);
    expect(questions.map(q => q.facts.reference)).toEqual(lines('reference.jsonl').map(one => one.text));
    await expect(llavaBenchCoco.load({ data: folder('coco') })).rejects.toThrow(
      /questions\.jsonl, line 1: the picture COCO_val2014_000000900000\.jpg is neither/,
    );
  });

  it('says what a judge will lack, and takes the other naming of the pictures', async () => {
    const data = temporary();
    cpSync(folder('coco'), data, { recursive: true });
    rmSync(join(data, 'reference.jsonl'));
    const file = join(data, 'questions.jsonl');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('COCO_val2014_', ''));
    const { questions, warnings } = await llavaBenchCoco.load({ data, answersOnly: true });
    expect(warnings).toEqual([expect.stringMatching(/has no file of reference answers/)]);
    expect((questions[0].facts.captions as string[]).length).toBe(5);
  });
});

describe('LLaVA-Bench (In-the-Wild) and Wilder, WildVision-Bench', () => {
  it('In-the-Wild: parquet and files', async () => {
    const { questions } = await llavaBenchInTheWild.load({ data: table('llava-bench-in-the-wild') });
    const rows = rowsJson('llava-bench-in-the-wild');
    expect(questions.map(q => [q.id, q.text, q.category, q.facts.reference, q.facts.captions])).toEqual(
      rows.map(row => [row.question_id, row.question, row.category, row.gpt_answer, [row.caption]]),
    );
    await samePictures(questions, rows);
    const files = await llavaBenchInTheWild.load({ data: folder('wild'), answersOnly: true });
    expect(files.warnings).toEqual([]);
    expect(files.questions[0]).toMatchObject({
      id: 0,
      category: 'conv',
      facts: { reference: 'It is a blue kite over a field.', instances: [] },
    });
    expect((files.questions[0].facts.captions as string[])[0]).toMatch(/^A blue kite over a field\. A photo/);
  });

  it('Wilder: every row', async () => {
    const { questions } = await llavaBenchWilder.load({ data: table('LLaVA-Bench-Wilder') });
    const rows = rowsJson('LLaVA-Bench-Wilder');
    expect(questions.map(q => [q.id, q.text, q.facts.reference, q.category])).toEqual(
      rows.map((row, i) => [i, row.Question, row.Answer, row.Category]),
    );
    await samePictures(questions, rows);
  });

  it('WildVision: every row, and no reference is said', async () => {
    const { questions, warnings } = await wildvisionBench.load({ data: table('wildvision-bench') });
    const rows = rowsJson('wildvision-bench');
    expect(questions.map(q => [q.id, q.text, q.category])).toEqual(rows.map(row => [row.question_id, row.instruction, row.language]));
    await samePictures(questions, rows);
    expect(warnings).toEqual([expect.stringMatching(/^10 questions have no answer of a reference model/)]);
    const data = temporary();
    for (const config of ['vision_bench_0617', 'a'])
      cpSync(table('wildvision-bench/data/test-00000-of-00001.parquet'), join(data, config, 'test-00000-of-00001.parquet'));
    const several = await wildvisionBench.load({ data });
    expect(several.questions[0].where).toContain('vision_bench_0617');
    expect(several.questions.length).toBe(10);
    expect(several.warnings[0]).toMatch(/^The data hold several configs: "vision_bench_0617" is taken, a ignored/);
  });
});

describe('short answers', () => {
  const picture = (name: string): void => cpSync(table('traps/pictures/a.png'), name);

  it("GQA: the authors' JSON", async () => {
    const data = temporary();
    mkdirSync(join(data, 'images'));
    picture(join(data, 'images/n1.jpg'));
    const file = join(data, 'testdev_balanced_questions.json');
    writeFileSync(
      file,
      JSON.stringify({
        '201307251': { question: 'Is it wet?', imageId: 'n1', answer: 'yes', types: { structural: 'verify' }, fullAnswer: 'Yes, it is.' },
      }),
    );
    const { questions } = await gqa.load({ data });
    expect(questions).toMatchObject([
      { id: '201307251', text: 'Is it wet?', answers: ['yes'], category: 'verify', cluster: 'n1', facts: { fullAnswer: 'Yes, it is.' } },
    ]);
    expect((await questions[0].pictures[0].read()).width).toBeGreaterThan(0);
    writeFileSync(file, JSON.stringify({ '1': { question: 'Is it wet?', imageId: 'n2', answer: 'yes' } }));
    await expect(gqa.load({ data })).rejects.toThrow(/question 1: the picture n2\.jpg is neither next to/);
  });

  it('GQA: questions and pictures of two configs, joined by picture', async () => {
    const data = temporary();
    const write = async (config: string, columnData: { name: string; data: unknown[]; type: 'STRING' | 'BYTE_ARRAY' }[]): Promise<void> => {
      mkdirSync(join(data, config));
      await parquetWriteFile({ filename: join(data, config, 'testdev-00000-of-00001.parquet'), columnData });
    };
    const bytes = Uint8Array.from(readFileSync(table('traps/pictures/a.png')));
    await write('testdev_balanced_images', [
      { name: 'id', data: ['n2', 'n1'], type: 'STRING' },
      { name: 'image', data: [new Uint8Array([1]), bytes], type: 'BYTE_ARRAY' },
    ]);
    const questions = (images: string[]) =>
      write('testdev_balanced_instructions', [
        { name: 'id', data: ['7', '8'], type: 'STRING' },
        { name: 'imageId', data: images, type: 'STRING' },
        { name: 'question', data: ['Is it wet?', 'What is it?'], type: 'STRING' },
        { name: 'answer', data: ['yes', 'a cup'], type: 'STRING' },
      ]);
    await questions(['n1', 'n2']);
    const set = await gqa.load({ data });
    expect(set.questions.map(q => [q.id, q.text, q.answers[0], q.cluster])).toEqual([
      ['7', 'Is it wet?', 'yes', 'n1'],
      ['8', 'What is it?', 'a cup', 'n2'],
    ]);
    expect((await set.questions[0].pictures[0].bytes?.())?.length).toBe(bytes.length);
    await expect(gqa.load({ data, split: 'val_balanced' })).rejects.toThrow(
      /has no folder val_balanced_instructions; its folders are testdev_balanced_/,
    );
    rmSync(join(data, 'testdev_balanced_instructions'), { recursive: true });
    await questions(['n1', 'n3']);
    await expect(gqa.load({ data })).rejects.toThrow(/row 2: the picture n3 is not among those of testdev_balanced_images/);
  });

  it('TextVQA: the JSON, every accepted answer kept', async () => {
    const data = temporary();
    mkdirSync(join(data, 'train_images'));
    picture(join(data, 'train_images/abc.jpg'));
    const answers = ['nokia', 'nokia', 'toshiba'];
    writeFileSync(
      join(data, 'TextVQA_0.5.1_val.json'),
      JSON.stringify({
        dataset_type: 'val',
        data: [{ question_id: 34602, image_id: 'abc', question: 'what brand?', answers, set_name: 'val' }],
      }),
    );
    expect((await textvqa.load({ data })).questions).toMatchObject([{ id: 34602, answers, split: 'val', cluster: 'abc' }]);
    writeFileSync(
      join(data, 'TextVQA_0.5.1_val.json'),
      JSON.stringify({ data: [{ question_id: 1, image_id: 'abc', question: 'what?', answers: 'nokia' }] }),
    );
    await expect(textvqa.load({ data })).rejects.toThrow(/column answers should hold a list of texts, but holds text/);
  });
});

describe('CHAIR', () => {
  it('takes the things that people marked or named, with synonyms', async () => {
    const data = temporary();
    writeFileSync(
      join(data, 'instances_val2014.json'),
      JSON.stringify({
        images: [
          { id: 5, file_name: 'a.jpg' },
          { id: 6, file_name: 'b.jpg' },
        ],
        categories: [
          { id: 1, name: 'person' },
          { id: 2, name: 'hot dog' },
          { id: 3, name: 'dog' },
        ],
        annotations: [{ image_id: 5, category_id: 2 }],
      }),
    );
    writeFileSync(
      join(data, 'captions_val2014.json'),
      JSON.stringify({ annotations: [{ image_id: 5, caption: 'Two Men eat hot dogs.' }] }),
    );
    writeFileSync(join(data, 'synonyms.txt'), 'person, man, men, girl\nhot dog\ndog, puppy\n');
    const { questions, warnings } = await chair.load({ data, answersOnly: true });
    expect(warnings).toEqual([]);
    expect(questions.map(q => q.facts.objects)).toEqual([['hot dog', 'person'], []]);
    rmSync(join(data, 'synonyms.txt'));
    const plain = await chair.load({ data, answersOnly: true });
    expect(plain.questions[0].facts.objects).toEqual(['hot dog']);
    expect(plain.warnings).toEqual([expect.stringMatching(/has no synonyms\.txt/)]);
    writeFileSync(join(data, 'instances_val2014.json'), '{"images": []}');
    await expect(chair.load({ data, answersOnly: true })).rejects.toThrow(/has no list "categories"/);
  });
});
