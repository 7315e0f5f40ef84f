/** @file keyboard: the finger hits the neighbouring key. */
import { characterShift } from './character-shift.ts';
import { TYPOS } from './keyboard-map.ts';

/** Letters become neighbours on the keyboard, of either case, digits and marks among them (nlpaug's `KeyboardAug`). */
export const keyboard = characterShift({
  name: 'keyboard',
  summary: 'Replaces letters by their neighbours on an English keyboard.',
  source: "nlpaug's KeyboardAug, as MM_Robustness (Qiu et al., 2022) runs it",
  shortest: 4,
  changes: letter => TYPOS.has(letter),
  change(letters, places, reader) {
    for (const i of places) letters[i] = reader.pick(TYPOS.get(letters[i])!);
    return letters;
  },
});
