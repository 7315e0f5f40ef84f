import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Benchmark } from './benchmark.ts';
import { mmbench } from './mmbench.ts';
import { mmmu } from './mmmu.ts';
import { mmstar } from './mmstar.ts';
import type { Question } from './question.ts';
import { scienceqa } from './scienceqa.ts';
import { type ExpectedRow, folder, pixels, rowsJson, table } from './testing/fixtures.ts';

const temporary = (): string => mkdtempSync(join(tmpdir(), 'narrows-choice-'));
const prompt = (benchmark: Benchmark, style: string, question: Question): string =>
  benchmark.prompts[style].build(question, question.text).text;

async function samePictures(questions: readonly Question[], rows: readonly ExpectedRow[]): Promise<void> {
  for (const [i, { image }] of rows.entries()) {
    expect(questions[i].pictures.length).toBe(image ? 1 : 0);
    if (image) expect(await pixels(questions[i].pictures[0])).toBe(image.rgb_sha256);
  }
}

describe('ScienceQA', () => {
  it.each([['ScienceQA'], ['ScienceQA/other/lz4.parquet']])('%s: every row', async path => {
    const { questions } = await scienceqa.load({ data: table(path) });
    const rows = rowsJson('ScienceQA');
    expect(questions.map(q => [q.id, q.text, q.options, q.answers, q.context ?? '', q.category, q.facts.grade])).toEqual(
      rows.map((row, i) => [i, row.question, row.choices, ['ABCDE'[row.answer]], row.hint, row.subject, row.grade]),
    );
    await samePictures(questions, rows);
    expect((await scienceqa.load({ data: table(path), split: 'image' })).questions.map(q => q.id)).toEqual(
      rows.flatMap((row, i) => (row.image ? [i] : [])),
    );
  });

  it("reads LLaVA's file with the problems", async () => {
    const data = folder('scienceqa');
    const { questions, warnings } = await scienceqa.load({ data, answersOnly: true });
    const llava = JSON.parse(readFileSync(join(data, 'llava_test_CQM-A.json'), 'utf8')) as ExpectedRow[];
    expect(warnings).toEqual([]);
    expect(questions.length).toBe(88);
    // The prompt that is built is the one that LLaVA wrote.
    expect(questions.map(q => prompt(scienceqa, 'llava@1.5', q))).toEqual(
      llava.map(
        ({ conversations }) =>
          `${conversations[0].value.replace('<image>\n', '')}\nAnswer with the option's letter from the given choices directly.`,
      ),
    );
    expect(questions.map(q => q.answers[0])).toEqual(llava.map(({ conversations }) => conversations[1].value));
    expect(questions.filter(q => q.split === 'image').length).toBe(llava.filter(one => one.image).length);
    await expect(scienceqa.load({ data })).rejects.toThrow(/entry 1 \(line 2\): the picture 11\/image\.png is neither/);
    await expect(scienceqa.load({ data, split: 'img' })).rejects.toThrow(/ScienceQA has no split "img"; it has full, image/);
  });

  it('says where the files are of two versions', async () => {
    const data = temporary();
    cpSync(folder('scienceqa'), data, { recursive: true });
    const file = join(data, 'problems.json');
    const problems = JSON.parse(readFileSync(file, 'utf8'));
    problems['11'].answer = 2;
    writeFileSync(file, JSON.stringify(problems));
    await expect(scienceqa.load({ data, answersOnly: true })).rejects.toThrow(
      /the answer is A there and C in problems\.json; are both files of one version/,
    );
    problems['11'].answer = 9;
    writeFileSync(file, JSON.stringify(problems));
    await expect(scienceqa.load({ data, answersOnly: true })).rejects.toThrow(/the answer is A there and J in problems\.json/);
  });
});

describe('MMMU', () => {
  it.each([['MMMU'], ['MMMU/other/gzip.parquet']])('%s: every row, pictures in the order of the marks', async path => {
    const { questions } = await mmmu.load({ data: table(path) });
    const rows = rowsJson('MMMU');
    expect(questions.map(q => [q.id, q.text, q.kind, q.answers])).toEqual(
      rows.map(row => [
        row.id,
        row.question.replace(/<image \d>/g, '<image>'),
        row.question_type === 'open' ? 'short' : 'choice',
        [row.answer],
      ]),
    );
    expect(questions[4].options).toEqual(["it's 5", 'a "quote"', 'back\\slash', 'é, ü; ½', 'a\nnew line']);
    expect(questions[2].options).toEqual(['<image>', '<image>', '<image>', '<image>']);
    expect(questions[2].category).toBe('Diagnostics_and_Laboratory_Medicine');
    for (const [i, row] of rows.entries()) {
      const given = [1, 2, 3, 4, 5, 6, 7].map(k => row[`image_${k}`]).filter(Boolean);
      expect(questions[i].pictures.length).toBe(given.length);
      for (const [k, picture] of questions[i].pictures.entries()) expect(await pixels(picture)).toBe(given[k].rgb_sha256);
    }
    expect(prompt(mmmu, 'lmms-eval@75571cf', questions[0])).toBe(
      "What does it cost? <image>\nA. $6\nB. $7\nC. $8\nD. $9\n\nAnswer with the option's letter from the given choices directly.",
    );
    expect(prompt(mmmu, 'llava@1.5', questions[3])).toBe('How much is <image>?\nAnswer the question using a single word or phrase.');
  });

  it('takes the split that is wanted from the folders of the subjects', async () => {
    const data = temporary();
    for (const subject of ['Art', 'Math'])
      for (const split of ['dev', 'validation']) {
        mkdirSync(join(data, subject), { recursive: true });
        cpSync(table('MMMU/data/test-00000-of-00001.parquet'), join(data, subject, `${split}-00000-of-00001.parquet`));
      }
    expect((await mmmu.load({ data })).questions.length).toBe(20);
    await expect(mmmu.load({ data, split: 'dev' })).rejects.toThrow(/holds no questions of MMMU with the split or config "dev"/);
  });

  it('reads the folders of outputs for their answers', async () => {
    const { questions, answers, warnings } = await mmmu.load({ data: folder('mmmu'), answersOnly: true });
    expect(questions.length).toBe(36);
    expect(answers?.length).toBe(36);
    expect(warnings).toEqual([expect.stringMatching(/hold no words of the questions/)]);
    expect(questions.find(q => q.id === 'validation_Art_1')).toMatchObject({
      kind: 'choice',
      options: ['oil', 'chalk', 'ink', 'coal', 'wax'],
      answers: ['A'],
      category: 'Art',
    });
    expect(answers?.find(answer => answer.id === 'validation_Art_2')?.text).toBe('I cannot say.');
    await expect(mmmu.load({ data: folder('mmmu') })).rejects.toThrow(/hold answers, not questions to be asked/);
  });

  it("reads VLMEvalKit's TSV", async () => {
    const { questions } = await mmmu.load({ data: table('tsv/MMMU_DEV_VAL.tsv') });
    expect(questions.map(q => [q.id, q.text, q.options, q.answers, q.pictures.length])).toEqual([
      ['validation_Art_1', 'Compare <image> with <image>.', ['rises', 'falls'], ['B'], 2],
      ['validation_Math_2', 'How much is <image>?', undefined, ['8'], 1],
    ]);
    expect((await questions[0].pictures[1].read()).width).toBe(14);
  });

  it('names the row of a mark without a picture', async () => {
    const file = join(temporary(), 'mmmu.tsv');
    writeFileSync(
      file,
      'index\tid\tquestion\tA\tB\timage\tanswer\tquestion_type\n1\tvalidation_Art_1\tSee <image 2>.\tx\ty\t\tA\tmultiple-choice\n',
    );
    await expect(mmmu.load({ data: file })).rejects.toThrow(/line 2: the text shows <image 2>, but column image_2 is empty/);
    writeFileSync(
      file,
      'index\tid\tquestion\tA\tB\timage\tanswer\tquestion_type\n1\tvalidation_Art_1\tWhich?\tx\ty\t\tC\tmultiple-choice\n',
    );
    await expect(mmmu.load({ data: file })).rejects.toThrow(/line 2: the answer is "C", but there are 2 options/);
  });
});

describe('MMStar', () => {
  it.each([['MMStar'], ['MMStar/other/brotli.parquet']])('%s: every row, options taken out of the text', async path => {
    const { questions, warnings } = await mmstar.load({ data: table(path) });
    const rows = rowsJson('MMStar');
    expect(warnings).toEqual([]);
    expect(questions.map(q => [q.id, q.text, q.answers, q.category, q.facts.l2_category, q.facts.meta_info])).toEqual(
      rows.map(row => [row.index, 'What is shown?', [row.answer], row.category, row.l2_category, row.meta_info]),
    );
    await samePictures(questions, rows);
    expect(prompt(mmstar, 'lmms-eval@75571cf', questions[0])).toBe(
      `${rows[0].question}\nAnswer with the option's letter from the given choices directly`,
    );
    expect(prompt(mmstar, 'llava@1.5', questions[0])).toBe(
      "What is shown?\nA. a bridge\nB. a canyon\nC. a desert\nD. an estuary\nAnswer with the option's letter from the given choices directly.",
    );
  });

  it('reads predictions for their answers, and the TSV', async () => {
    const { questions, answers } = await mmstar.load({ data: folder('mmstar'), answersOnly: true });
    expect(questions.length).toBe(102);
    expect(answers?.[0]).toMatchObject({ id: 0, text: 'C: a desert' });
    await expect(mmstar.load({ data: folder('mmstar') })).rejects.toThrow(
      /predictions\.jsonl, line 1: the file holds answers without pictures/,
    );
    const tsv = await mmstar.load({ data: table('tsv/MMStar.tsv') });
    expect(tsv.questions.map(q => [q.id, q.text, q.options, q.answers[0]])).toEqual([
      [0, 'What is shown?', ['a bridge', 'a canyon', 'a desert', 'an estuary'], 'B'],
      [1, 'What is shown\nhere?', ['yes', 'no'], 'A'],
    ]);
    expect(await pixels(tsv.questions[1].pictures[0])).toBe(await pixels(tsv.questions[0].pictures[0]));
  });

  it('leaves options of another form where they stand, and says so', async () => {
    const file = join(temporary(), 'mmstar.jsonl');
    writeFileSync(
      file,
      `${JSON.stringify({ index: 3, question: 'Which?\nChoices:\n(A) x\n(B) y', answer: 'A', category: 'math', l2_category: 'geometry', prediction: 'A' })}\n`,
    );
    const { questions, warnings } = await mmstar.load({ data: file, answersOnly: true });
    expect(questions[0].options).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(/^1 questions have their options in another form/)]);
  });
});

describe('MMBench', () => {
  const rows = (): string => {
    const file = join(temporary(), 'MMBench_DEV_EN.tsv');
    const picture = readFileSync(table('tsv/MMStar.tsv'), 'utf8').split('\n')[1].split('\t')[2];
    writeFileSync(
      file,
      `index\tquestion\thint\tA\tB\tC\tD\tanswer\tcategory\timage\n7\tWhich?\tLook.\tx\ty\tz\t\tB\tocr\t${picture}\n8\tWhat?\t\tp\tq\t\t\t\tocr\t7\n`,
    );
    return file;
  };

  it('reads the TSV, pictures of other rows, and questions without an answer', async () => {
    const { questions, warnings } = await mmbench.load({ data: rows() });
    expect(questions.map(q => [q.id, q.options, q.answers, q.context])).toEqual([
      [7, ['x', 'y', 'z'], ['B'], 'Look.'],
      [8, ['p', 'q'], [], undefined],
    ]);
    expect(await pixels(questions[1].pictures[0])).toBe(await pixels(questions[0].pictures[0]));
    expect(warnings).toEqual([expect.stringMatching(/^1 questions have no answer/)]);
    expect(prompt(mmbench, 'llava@1.5', questions[0])).toBe(
      "Look.\nWhich?\nA. x\nB. y\nC. z\nAnswer with the option's letter from the given choices directly.",
    );
  });

  it('asks once for every turn of the options', async () => {
    const { questions } = await mmbench.load({ data: rows(), split: 'circular' });
    expect(questions.slice(0, 3).map(q => [q.id, q.options?.join(''), q.answers[0], q.facts.circular])).toEqual([
      [7, 'xyz', 'B', { of: 7, turn: 0 }],
      [1_000_007, 'yzx', 'A', { of: 7, turn: 1 }],
      [2_000_007, 'zxy', 'C', { of: 7, turn: 2 }],
    ]);
    for (const q of questions.slice(0, 3)) expect(q.options?.[q.answers[0].charCodeAt(0) - 65]).toBe('y');
  });
});
