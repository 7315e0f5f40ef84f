import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mme } from './mme.ts';
import { folder, pixels, rowsJson, table } from './testing/fixtures.ts';

describe('MME', () => {
  it.each([['MME'], ['MME/other/none.parquet']])('%s: every row, ids that repeat kept apart', async path => {
    const { questions } = await mme.load({ data: table(path) });
    const rows = rowsJson('MME');
    expect(questions.map(q => [q.id, q.text, q.answers[0], q.category])).toEqual(
      rows.map(row => [row.question_id, row.question.replace(' Please answer yes or no.', ''), row.answer.toLowerCase(), row.category]),
    );
    expect(questions[1].key).toBe('code_reasoning/0001.png: Is this number 1?');
    expect(questions[0].cluster).toBe(questions[1].cluster);
    for (const [i, row] of rows.entries()) expect(await pixels(questions[i].pictures[0])).toBe(row.image.rgb_sha256);
  });

  it("joins LLaVA's questions and labels by id and words", async () => {
    const { questions, warnings } = await mme.load({ data: folder('mme'), answersOnly: true });
    expect(questions.length).toBe(112);
    expect(warnings).toEqual([]);
    expect(new Set(questions.map(q => q.category)).size).toBe(14);
    expect(questions[0]).toMatchObject({
      id: 'existence/0001.png',
      text: 'Is there a helmet in this image?',
      answers: ['yes'],
      split: 'perception',
    });
    expect(questions.filter(q => q.answers[0] === 'yes').length).toBe(56);
  });

  it("reads the evaluation tool's files as questions and as answers", async () => {
    const data = folder('mme/eval_tool/odd');
    const { questions, answers } = await mme.load({ data, answersOnly: true });
    expect(questions.length).toBe(112);
    expect(answers?.length).toBe(112);
    const own = await mme.readAnswers?.(data);
    expect(own?.find(answer => answer.where.endsWith('OCR.txt, line 2'))).toMatchObject({
      id: 'OCR/0001.txt',
      prompt: 'Is the word in the logo "tunnel"? Please answer yes or no.',
      text: 'N',
    });
    expect((await mme.readAnswers?.(join(data, 'OCR.txt')))?.length).toBe(8);
    expect(await mme.readAnswers?.(folder('mme/labels.jsonl'))).toBeUndefined();
  });

  it('reads the released folders, and says where a pair is not whole', async () => {
    const data = mkdtempSync(join(tmpdir(), 'narrows-mme-'));
    mkdirSync(join(data, 'OCR/images'), { recursive: true });
    writeFileSync(join(data, 'OCR/0001.txt'), 'Is it "a"? Please answer yes or no.\tYes\n');
    const { questions, warnings } = await mme.load({ data, answersOnly: true });
    expect(questions).toMatchObject([{ id: 'OCR/0001.jpg', text: 'Is it "a"?', answers: ['yes'], category: 'OCR' }]);
    expect(warnings).toEqual(["1 pictures have not two questions: MME's accuracy+ is defined for pairs."]);
    writeFileSync(join(data, 'OCR/0002.txt'), 'Is it "a"?\n');
    await expect(mme.load({ data, answersOnly: true })).rejects.toThrow(
      /0002\.txt, line 1: 1 fields, parted by tabs, where MME has question and label/,
    );
  });
});
