/** @file Translations from a file: JSON lines of texts or of questions' ids. Node only. */
import { z } from 'zod';
import { jsonRecords } from '../inputs/chat/json-records.ts';
import { NarrowsError } from '../system/errors.ts';
import type { Translator } from './text/translator.ts';

const BY_TEXT = z.object({ text: z.string().min(1), language: z.string().min(1), translation: z.string().min(1) });
const BY_ID = z.object({ question_id: z.union([z.string(), z.number()]), language: z.string().min(1), text: z.string().min(1) });
const FORMS = '{"text", "language", "translation"} or {"question_id", "language", "text"}';

const keyOf = (language: string, what: string): string => JSON.stringify([language.toLowerCase(), what.trim()]);
const short = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);

interface Found {
  readonly text: string;
  readonly where: string;
}

/** @throws NarrowsError where the same thing has two translations */
function put(map: Map<string, Found>, key: string, found: Found): void {
  const before = map.get(key);
  if (before && before.text !== found.text)
    throw new NarrowsError(`${found.where}: another translation of the same stands at ${before.where}; keep one of them.`);
  if (!before) map.set(key, found);
}

/**
 * A translator that looks translations up in a file of JSON lines (or a JSON list): `{text, language, translation}`, where the text is what the
 * question says without its protected parts, or `{question_id, language, text}`. Languages are compared without their case.
 * @throws NarrowsError for a row of another form, or two translations of the same; the translator throws one for a text that has none
 */
export async function readTranslations(file: string): Promise<Translator> {
  const byText = new Map<string, Found>();
  const byId = new Map<string, Found>();
  const languages = new Set<string>();
  for await (const { value, where } of jsonRecords(file)) {
    const text = BY_TEXT.safeParse(value);
    if (text.success) {
      languages.add(text.data.language);
      put(byText, keyOf(text.data.language, text.data.text), { text: text.data.translation, where });
      continue;
    }
    const id = BY_ID.safeParse(value);
    if (!id.success) throw new NarrowsError(`${where}: a translation should be ${FORMS}, all of them texts.`);
    languages.add(id.data.language);
    put(byId, keyOf(id.data.language, String(id.data.question_id)), { text: id.data.text, where });
  }
  return async (text, language, id) => {
    const found = byText.get(keyOf(language, text)) ?? (id === undefined ? undefined : byId.get(keyOf(language, id)));
    if (found) return found.text;
    if (![...languages].some(one => one.toLowerCase() === language.toLowerCase()))
      throw new NarrowsError(`${file} has no translations into ${language}; it has ${[...languages].join(', ')}.`);
    throw new NarrowsError(
      `${file} has no translation of "${short(text)}"${id === undefined ? '' : ` (question ${id})`} into ${language}; add a line for it.`,
    );
  };
}
