/** Translations: from a file by text or id, through a model, around what is protected. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shiftTextAsync } from '../apply.ts';
import { readTranslations } from '../translations.ts';
import { ANSWER_IN_ENGLISH, chatTranslator, type Translator } from './translator.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-translations-'));
});
afterAll(() => rm(root, { recursive: true }));

async function file(...rows: readonly (object | string)[]): Promise<string> {
  const path = join(root, `${Math.random()}.jsonl`);
  await writeFile(path, rows.map(row => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n'));
  return path;
}
const upper: Translator = async text => text.toUpperCase();
const translate = (text: string, options: object): Promise<string> => shiftTextAsync('translation', text, 1, options);

describe('translation', () => {
  it('translates the free parts, keeps the rest, and ends the last part with the suffix', async () => {
    const text = '<image>\nWhat is it?\nAnswer the question using a single word or phrase.';
    const protect = ['<image>', '\nAnswer the question using a single word or phrase.'];
    expect(await translate(text, { translator: upper, language: 'Greek', protect, suffix: ANSWER_IN_ENGLISH })).toBe(
      '<image>\nWHAT IS IT? Please answer in English.\nAnswer the question using a single word or phrase.',
    );
    expect(await translate('1 + 2', { translator: upper, language: 'Greek', suffix: 'x' })).toBe('1 + 2');
  });

  it('is asked of a model in the words of the paper', async () => {
    const said: string[][] = [];
    const translator = chatTranslator(async (system, user) => {
      said.push([system, user]);
      return ' Τι είναι; \n';
    });
    expect(await translate('What is it?', { translator, language: 'Greek' })).toBe('Τι είναι;');
    expect(said).toEqual([
      [
        'You are a helpful translator who translates individual sentences provided by the user. Please translate the English sentence provided by the user into Greek',
        'What is it?',
      ],
    ]);
  });

  it('refuses in one sentence', async () => {
    await expect(translate('a', { language: 'Greek' })).rejects.toThrow(/needs a translator/);
    await expect(translate('a', { translator: upper })).rejects.toThrow(/needs a language, such as Greek/);
    await expect(shiftTextAsync('translation', 'a', 2, { translator: upper, language: 'Greek' })).rejects.toThrow(/from 1 to 1; got 2/);
    await expect(translate('Is it?', { translator: async () => ' ', language: 'Greek' })).rejects.toThrow(
      'The translation of "Is it?" into Greek is empty.',
    );
  });
});

describe('a file of translations', () => {
  it('is read by text, or by id where the text is not there', async () => {
    const translator = await readTranslations(
      await file(
        { text: 'Is it a cat?', language: 'German', translation: 'Ist es eine Katze?' },
        { question_id: 7, language: 'German', text: 'Was ist das?' },
      ),
    );
    expect(await translate('<image>\nIs it a cat?', { translator, language: 'german', protect: ['<image>'] })).toBe(
      '<image>\nIst es eine Katze?',
    );
    expect(await translate('What is this?', { translator, language: 'German', id: '7' })).toBe('Was ist das?');
    await expect(translate('What is this?', { translator, language: 'German', id: '8' })).rejects.toThrow(
      /has no translation of "What is this\?" \(question 8\) into German; add a line for it\.$/,
    );
    await expect(translate('Is it a cat?', { translator, language: 'Greek' })).rejects.toThrow(
      /no translations into Greek; it has German\.$/,
    );
  });

  it('names the line of a row that is none, of one that contradicts, and of JSON that is cut', async () => {
    await expect(readTranslations(await file({ text: 'a', language: 'German', translation: 'b' }, { text: 'a' }))).rejects.toThrow(
      /line 2: a translation should be \{"text", "language", "translation"\} or /,
    );
    const twice = { text: 'a', language: 'German' };
    await expect(
      readTranslations(await file({ ...twice, translation: 'b' }, { ...twice, translation: 'b' }, { ...twice, translation: 'c' })),
    ).rejects.toThrow(/line 3: another translation of the same stands at .* line 1; keep one of them\.$/);
    await expect(readTranslations(await file('{"text": "a", "lang'))).rejects.toThrow(/is not valid JSON: .* at line 1/);
    await expect(readTranslations(join(root, 'none.jsonl'))).rejects.toThrow(/no such file/);
  });
});
