/** @file Other sentences about the same picture: the finding denied, on the other side, in other words. */

/** What stands for the phrase in a prompt ensemble. */
export const TEMPLATES = ['{}', 'there is {}', 'a chest x-ray with {}', 'an image showing {}'] as const;

const SIDES: Readonly<Record<string, string>> = { left: 'right', right: 'left', 'left-sided': 'right-sided', 'right-sided': 'left-sided' };

/** The phrase with left and right exchanged; undefined where it names no side, or both. */
export function mirrored(phrase: string): string | undefined {
  const words = phrase.toLowerCase().match(/\b(left|right)(-sided)?\b/g) ?? [];
  if (new Set(words.map(word => word.slice(0, 4))).size !== 1) return undefined;
  return phrase.replace(/\b(left|right)(-sided)?\b/gi, word => {
    const other = SIDES[word.toLowerCase()];
    return word[0] === word[0].toUpperCase() ? other.replace(/^./, first => first.toUpperCase()) : other;
  });
}

/** The finding denied. Where the phrase denies already, undefined: then its box is no place of a finding. */
export function denied(phrase: string, label: string): string | undefined {
  return /\b(no|not|without|absent|free of)\b/i.test(phrase) ? undefined : `no ${label.toLowerCase()}`;
}

/** Words alone, in small letters, blanks and punctuation made one blank: how a phrase is looked for in a report. */
const plain = (text: string): string => ` ${(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(' ')} `;

/** Whether a report holds a phrase, whatever its case, blanks and punctuation. */
export const holds = (report: string, phrase: string): boolean => plain(report).includes(plain(phrase));
