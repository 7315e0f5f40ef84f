import { appendFile, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ImageFolder } from '../inputs/chat/read-conversations.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { NarrowsError } from '../system/errors.ts';
import { type AnswerRow, AnswersFile } from './answers-file.ts';
import { answerQuestions, type BulkOptions, schedule } from './bulk.ts';
import { ChatSession } from './chat-session.ts';
import { ChatModel } from './pretrained.ts';
import { type BulkQuestion, readQuestions } from './questions.ts';
import { writePicture, writeTinyChat } from './testing/tiny-chat.ts';

let root: string;
let chat: ChatModel;
const at = (name: string): string => join(root, name);
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-bulk-'));
  chat = await ChatModel.open(await writeTinyChat(at('tiny')), { runtime: nodeRuntime({ threads: 1 }) });
  await mkdir(at('images'));
  await writePicture(at('images/red.png'), [250, 10, 0]);
  await writePicture(at('images/blue.png'), [0, 20, 240]);
});
afterAll(async () => {
  await chat.release();
  await rm(root, { recursive: true });
});

const WORDS = ['is', 'there', 'a', 'cat', 'or', 'two', 'red', 'things', 'left', 'of', 'it'];
/** Eleven questions of many lengths, every third with a picture. */
const rows = Array.from({ length: 11 }, (_, i) => ({
  question_id: i,
  ...(i % 3 ? {} : { image: i % 2 ? 'red.png' : 'blue.png' }),
  text: `${WORDS.slice(0, 1 + ((5 * i) % 11)).join(' ')} ?`,
}));
const jsonl = (list: readonly object[]): string => list.map(row => `${JSON.stringify(row)}\n`).join('');
async function questionsOf(list: readonly object[] = rows): Promise<BulkQuestion[]> {
  await writeFile(at('questions.jsonl'), jsonl(list));
  return readQuestions(at('questions.jsonl'));
}
const OPTIONS = { generation: { maxNewTokens: 5, temperature: 1, seed: 4 }, batchSize: 3, settings: 's' };
async function run(name: string, questions: readonly BulkQuestion[], more: Partial<BulkOptions> = {}): Promise<string> {
  const file = await AnswersFile.open(at(name));
  try {
    await answerQuestions(chat, questions, file, { images: new ImageFolder(at('images')), ...OPTIONS, ...more });
  } catch (error) {
    await file.close();
    throw error;
  }
  return readFile(at(name), 'utf8');
}
const parsed = (text: string): AnswerRow[] =>
  text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));

describe('answerQuestions', () => {
  it('answers each as it would be answered by itself, in the order of the questions, in rows as LLaVA writes them', async () => {
    const questions = await questionsOf();
    const answers = parsed(await run('all.jsonl', questions, { generation: { maxNewTokens: 5 } }));
    expect(answers.map(a => a.question_id)).toEqual(rows.map(r => r.question_id));
    expect(answers[1]).toEqual({
      question_id: 1,
      prompt: rows[1].text,
      text: expect.any(String),
      answer_id: expect.stringMatching(/^[A-Za-z0-9]{22}$/),
      model_id: 'tiny',
      metadata: { finish: expect.stringMatching(/eos|length/), tokens: expect.any(Number), settings: 's' },
    });
    for (const i of [1, 2, 10]) {
      const session = new ChatSession(chat);
      const answer = session.ask(rows[i].text, { maxNewTokens: 5 });
      let last = await answer.next();
      while (!last.done) last = await answer.next();
      expect(answers[i].text).toBe(last.value.text);
    }
  });

  it.each([1, 4, 7])('gives the same file when it is stopped after %i answers and goes on', async stop => {
    const questions = await questionsOf();
    const whole = await run('whole.jsonl', questions);
    await rm(at('cut.jsonl'), { force: true });
    const controller = new AbortController();
    const stopped = run('cut.jsonl', questions, {
      signal: controller.signal,
      onProgress: answered => {
        if (answered === stop) controller.abort(new Error('stopped'));
      },
    });
    await expect(stopped).rejects.toThrow('stopped');
    const left = await readFile(at('cut.jsonl'), 'utf8');
    expect(left === '' || left.endsWith('\n')).toBe(true);
    expect(parsed(`${left}{}`).length - 1).toBeLessThan(questions.length);
    expect(await run('cut.jsonl', questions)).toBe(whole);
    // Again: nothing is left to do.
    expect(await run('cut.jsonl', questions)).toBe(whole);
  });

  it('gives the same file when its last row was torn anywhere, and with other batches', async () => {
    const questions = await questionsOf();
    const whole = await run('whole.jsonl', questions);
    for (const bytes of [1, 70, whole.length - 40]) {
      await writeFile(at('torn.jsonl'), whole.slice(0, bytes));
      expect(await run('torn.jsonl', questions)).toBe(whole);
    }
    expect(await run('five.jsonl', questions, { batchSize: 5 })).toBe(whole);
  });

  it('makes batches of similar length from all questions, the longest first', () => {
    expect(schedule([3, 9, 3, 7, 1], 2)).toEqual([[1, 3], [0, 2], [4]]);
  });

  it('keeps rows of one id apart, in order, and goes on with them', async () => {
    const same = (id: number | string, text: string, image?: string) => ({ question_id: id, text, ...(image ? { image } : {}) });
    const list = [
      same('p/1.png', 'is it red ?', 'red.png'),
      same('p/1.png', 'is there a cat of two things left ?', 'red.png'),
      same(1, 'is it red ?'),
      same('1', 'is it red ?'),
      same('p/1.png', 'is it red ?', 'blue.png'),
    ];
    const questions = await questionsOf(list);
    const whole = await run('same.jsonl', questions);
    const answers = parsed(whole);
    expect(answers.map(a => [a.question_id, a.prompt, a.metadata.repeat])).toEqual(
      list.map((q, i) => [q.question_id, q.text, i === 4 ? 2 : undefined]),
    );
    expect(new Set(answers.map(a => a.answer_id)).size).toBe(5);
    // Rows in the order in which batches left them, and one of them missing.
    const lines = whole.trim().split('\n');
    for (const lost of lines.keys()) {
      await writeFile(
        at('some.jsonl'),
        lines
          .filter((_, i) => i !== lost)
          .reverse()
          .map(line => `${line}\n`)
          .join(''),
      );
      expect(await run('some.jsonl', questions)).toBe(whole);
    }
  });

  it("passes every further key of a question on, and no key replaces the row's", async () => {
    const further = { label: 'yes', category: 'coco', group: [1, { a: null }], rank: 3 };
    const questions = await questionsOf([
      { question_id: 1, text: 'is it ?', ...further },
      { question_id: 2, question: 'is it red ?', metadata: { split: 'val' }, model_id: 'x', prompt: 'p' },
      { id: 3, conversations: [{ from: 'human', value: 'is it ?' }], label: 'no' },
    ]);
    const [first, second, third] = parsed(await run('further.jsonl', questions));
    expect(first).toMatchObject(further);
    expect(Object.keys(first)).toEqual([
      'question_id',
      'prompt',
      'text',
      'answer_id',
      'model_id',
      'label',
      'category',
      'group',
      'rank',
      'metadata',
    ]);
    expect([second.model_id, second.prompt]).toEqual(['tiny', 'is it red ?']);
    expect(second.metadata).toMatchObject({ settings: 's', question: { metadata: { split: 'val' }, model_id: 'x', prompt: 'p' } });
    expect([third.label, third.conversations, third.id]).toEqual(['no', undefined, undefined]);
  });

  it('takes conversations: earlier turns are read, the answer that is there is the reference', async () => {
    const conversation = {
      id: 'x',
      image: 'red.png',
      conversations: [
        { from: 'human', value: '<image>\nis it red ?' },
        { from: 'gpt', value: 'yes' },
        { from: 'human', value: 'is there a cat ?' },
        { from: 'gpt', value: 'no' },
      ],
    };
    const open = { id: 'y', messages: [{ role: 'user', content: 'is it ?' }] };
    const questions = await questionsOf([conversation, open]);
    expect(questions[0]).toMatchObject({ questionId: 'x', prompt: 'is there a cat ?', reference: 'no', images: ['red.png'] });
    const [x, y] = parsed(await run('conversations.jsonl', questions));
    expect([x.question_id, x.prompt, x.metadata.reference, y.metadata.reference]).toEqual(['x', 'is there a cat ?', 'no', undefined]);
  });
});

describe('bad input', () => {
  const refused = async (promise: Promise<unknown>, message: RegExp | string): Promise<void> => {
    await expect(promise).rejects.toThrow(NarrowsError);
    await expect(promise).rejects.toThrow(message);
  };
  it('is named with file and line', async () => {
    const file = 'questions.jsonl, line';
    await refused(questionsOf([rows[1], { text: 'x' }]), `${file} 2: the record has neither "question_id" and "text"`);
    await refused(questionsOf([{ question_id: 1 }]), `${file} 1: the record has no question`);
    await refused(
      questionsOf([rows[1], { question_id: null, text: 'a' }, { question_id: 3, text: '' }]),
      /2 rows cannot be used: .*line 2.*line 3/,
    );
    // A reason that many rows share is said once, with their number and the first of them.
    const nameless = Array.from({ length: 7 }, (_, i) => ({ question_id: i, words: 'x' }));
    await refused(
      questionsOf([...nameless, { question_id: true, text: 'a' }]),
      /8 rows cannot be used: the record has no question; give it as "text" \(7 rows, the first [^ ]*questions.jsonl, line 1\); question_id must be a text or a number, not true \([^ ]*questions.jsonl, line 8\)\.$/,
    );
    await refused(
      questionsOf([{ question_id: 1, text: 'what is in <image> ?' }]),
      /line 1: the text has 1 <image> mark, but the record names no images/,
    );
    await writeFile(at('broken.jsonl'), '{"question_id": 1, "text": "a"}\n{"question_id": 2,\n');
    await refused(readQuestions(at('broken.jsonl')), /broken.jsonl.*line 2/);
  });

  it('stops a run before its first answer: too long a question, an image that is not there', async () => {
    const long = await questionsOf([rows[1], { question_id: 99, text: 'cat '.repeat(80) }]);
    await refused(run('none.jsonl', long), /questions.jsonl, line 2: The conversation has \d+ tokens/);
    const lost = await questionsOf([rows[1], { question_id: 99, image: 'green.png', text: 'is it ?' }]);
    await refused(run('none.jsonl', lost), /questions.jsonl, line 2: there is no image .*green.png/);
    expect(await readFile(at('none.jsonl'), 'utf8')).toBe('');
  });

  it('keeps what was answered where an image turns out to be damaged', async () => {
    await writeFile(at('images/broken.png'), 'no picture');
    const questions = await questionsOf([...rows.slice(1, 5), { question_id: 99, image: 'broken.png', text: 'is ?' }]);
    await refused(run('kept.jsonl', questions, { batchSize: 1 }), /questions.jsonl, line 5: Image .*broken.png is not an image/);
    const kept = parsed(await readFile(at('kept.jsonl'), 'utf8'));
    expect(kept.length).toBeGreaterThan(0);
    await copyFile(at('images/red.png'), at('images/broken.png'));
    expect(parsed(await run('kept.jsonl', questions, { batchSize: 1 })).map(r => r.question_id)).toEqual([1, 2, 3, 4, 99]);
  });

  it('does not append to a file that holds no answers', async () => {
    await writeFile(at('other.jsonl'), '{"id": 1}\n');
    await refused(AnswersFile.open(at('other.jsonl')), /other.jsonl, line 1: the row has no question_id/);
    await writeFile(at('text.jsonl'), 'hello\n');
    await refused(AnswersFile.open(at('text.jsonl')), /text.jsonl, line 1 is not valid JSON/);
    await appendFile(at('text.jsonl'), '');
    expect(await readFile(at('text.jsonl'), 'utf8')).toBe('hello\n');
    await refused(AnswersFile.open(join(at('text.jsonl'), 'x')), /Cannot write/);
  });
});
