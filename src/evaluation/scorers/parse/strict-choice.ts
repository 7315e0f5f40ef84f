/** @file The option of a multiple-choice answer where the answer names one, and nothing where it does not. */
import { letterOf, lettersOf, type Options } from './choice-options.ts';

const MARKUP = /[*_`"“”'‘’]|\\(?:text|mathrm|mathbf|textbf)\b/g;
const BOXED = /\\boxed\s*\{\s*([^{}]*)\}|<answer>([^<]*)(?:<\/answer>|$)/gi;
/** `The answer is (B)`, `Answer: B`; the letter may be small where nothing but a mark follows. */
const SAID = /\b(?:answer|option|choice)(?:\s+is)?\s*[:=]?\s*[([{]?([A-Za-z])(?![\p{L}\p{N}'’])[)\]}]?/giu;
const BRACKETED = /[([{]\s*([A-Z])\s*[)\]}]/g;

/** An option's text or an answer made comparable; an article before it does not matter. */
const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}$%+\-<>=/]+/gu, ' ')
    .trim()
    .replace(/^(?:a|an|the|some) (?=\S)/, '');

/** A letter, with nothing but marks around it. */
const alone = (text: string): string | undefined => /^[\s([{<.,:;!?]*([A-Za-z])[\s)\]}>.,:;!?]*$/.exec(text)?.[1].toUpperCase();

const single = (found: readonly string[]): string | undefined => (new Set(found).size === 1 ? found[0] : undefined);

/**
 * In this order: what the last `\boxed{…}` or `<answer>` holds; a lone letter; an answer that is an option's text, with its letter before it or
 * not; the letter behind the last `answer is`; a letter with a mark behind it at the start; one letter in brackets and no other. An answer
 * that names two options in a row (`A or B`) names none.
 * @returns null where the answer names no option, or several
 */
export function parseStrictChoice(answer: string, options: Options): string | null {
  const letters = lettersOf(options);
  const text = answer.normalize('NFKC').trim();
  const scoped = [...text.matchAll(BOXED)].at(-1);
  if (scoped) return parseStrictChoice(scoped[1] ?? scoped[2] ?? '', options);
  const bare = text.replace(MARKUP, '').trim();
  const valid = (letter: string | undefined): string | null => (letter !== undefined && letters.includes(letter) ? letter : null);
  const lone = alone(bare);
  if (lone) return valid(lone);
  const texts = options.flatMap((option, i) => (plain(option) !== '' && plain(option) === plain(text) ? [letterOf(i)] : []));
  if (texts.length === 1) return texts[0];
  if (/^[([{]?[A-Z][)\]}]?\s*(?:[,/&+|]|\band\b|\bor\b)\s*[([{]?[A-Z][)\]}]?(?![\p{L}\p{N}])/u.test(bare)) return null;
  const said = [...bare.matchAll(SAID)].at(-1);
  // "The answer is a dog" names no letter: a small one must end the sentence.
  if (said && (said[1] === said[1].toUpperCase() || /^\s*[)\]}]?\s*(?:[.!;\n]|$)/.test(bare.slice(said.index + said[0].length))))
    return /^\s*(?:or|and|\/)\s*[([{]?[A-Z]\b/.test(bare.slice(said.index + said[0].length)) ? null : valid(said[1].toUpperCase());
  const led = /^(?:[([{]\s*([A-Z])\s*[)\]}]|([A-Z])\s*[.):,;]|([A-Z])\s*\n)/.exec(bare);
  if (led) return valid(led[1] ?? led[2] ?? led[3]);
  const bracketed = single([...bare.matchAll(BRACKETED)].map(match => match[1]).filter(letter => letters.includes(letter)));
  return bracketed ?? null;
}
