/** @file translation: the question in another language, by a translator that is given. */
import { NarrowsError } from '../../system/errors.ts';
import { atSeverity, type TextShift } from '../shift.ts';
import { joinPieces, splitProtected } from './tokens.ts';

/** Each free part of the text is translated by itself, what is protected stays; a suffix comes behind the last one. */
export const translation: TextShift = {
  name: 'translation',
  modality: 'text',
  severities: 1,
  waits: true,
  summary: 'Translates the text into the language that is asked for, by a file of translations or a model.',
  constants: 'the language is an option, there are no grades',
  source: 'Vittle (2025) by GPT-4o; EMI (2025), whose questions end with "Please answer in English."',
  random: false,
  async apply(text, severity, _reader, { protect, translator, language, suffix = '', id } = {}) {
    atSeverity('translation', severity, [undefined]);
    if (!translator)
      throw new NarrowsError('translation needs a translator: give a file of translations (--translations).', { kind: 'usage' });
    if (!language) throw new NarrowsError('translation needs a language, such as Greek (--language).', { kind: 'usage' });
    const pieces = splitProtected(text, protect);
    const wordy = pieces.map(piece => !piece.kept && /\p{L}/u.test(piece.text));
    const last = wordy.lastIndexOf(true);
    const texts: string[] = [];
    for (const [i, piece] of pieces.entries()) {
      const translated = wordy[i] ? await translator(piece.text, language, id) : piece.text;
      if (wordy[i] && translated.trim() === '') throw new NarrowsError(`The translation of "${piece.text}" into ${language} is empty.`);
      texts.push(i === last ? translated + suffix : translated);
    }
    return joinPieces(pieces, texts);
  },
};
