/** @file ocr: what a scanner misreads. */
import { characterShift } from './character-shift.ts';

/** Pairs that look alike; each is misread in either direction. After nlpaug's list (MIT, Copyright (c) 2019 Edward Ma; see NOTICE). */
const ALIKE: Readonly<Record<string, string>> = {
  '0': '89oOD',
  '1': '47lI',
  '2': 'zZ',
  '5': '8',
  '6': 'b',
  '8': 'sS@&',
  '9': 'gq',
  o: 'u',
  r: 'k',
  C: 'G',
  O: 'DU',
  E: 'B',
};

const readings = new Map<string, string[]>();
for (const [a, others] of Object.entries(ALIKE))
  for (const b of others)
    for (const [from, to] of [
      [a, b],
      [b, a],
    ])
      readings.set(from, [...(readings.get(from) ?? []), to]);

/** Characters become ones that look like them (nlpaug's `OcrAug`); words of one letter may change too. */
export const ocr = characterShift({
  name: 'ocr',
  summary: 'Replaces characters by ones that look alike, as a scanner does.',
  source: "nlpaug's OcrAug, as MM_Robustness (Qiu et al., 2022) runs it",
  shortest: 1,
  fewest: { '1.1.11': 2, '1.1.7': 1 },
  changes: letter => readings.has(letter),
  change(letters, places, reader) {
    for (const i of places) letters[i] = reader.pick(readings.get(letters[i])!);
    return letters;
  },
});
