/** @file What is drawn of an explained answer: the whole answer's maps, or those of one of its words; all words share a scale. */
import type { AnswerPartMap } from '../../../attribution/result.ts';
import { answerLogProbability, percentText } from '../../../report/attribution/answer.ts';
import { displayScale, type Scale } from '../../../report/attribution/normalise.ts';
import { type Explained, partAt, shownOfAnswer } from './maps.ts';
import { imageScale, shownUnit, wordScale } from './scales.ts';
import { patchText } from './words.ts';

/** Scales of the picture and of the question's words. A word's are those of all words, so that they can be compared by hovering. */
export function answerScales(attribution: Explained, part: number | undefined): { readonly image: Scale; readonly words: Scale } {
  const shown = shownOfAnswer(attribution, part);
  if (!partAt(attribution, part)) return { image: imageScale(shown, []), words: wordScale(shown, []) };
  const parts = attribution.answer?.parts ?? [];
  const of = (values: (part: AnswerPartMap) => Float32Array | undefined): Scale =>
    displayScale(
      parts.flatMap(each => [...(values(each) ?? [])]),
      shown.unit,
      { unit: shownUnit(shown.unit) },
    );
  return { image: of(each => each.patches), words: of(each => each.words) };
}

const strongest = (values: Float32Array): number => values.reduce((best, value, i) => (value > values[best] ? i : best), 0);

/** `“umbrella”, given what is before it: probability 93.1 %; strongest at row 3, column 4: 12.1 nats, …`. */
export function answerText(attribution: Explained, part: number | undefined): string {
  const { answer } = attribution;
  if (!answer) return '';
  const one = partAt(attribution, part);
  const shown = shownOfAnswer(attribution, part);
  const said = one
    ? `“${one.text}”, given what is before it: probability ${percentText(one.logProbability)}`
    : `The whole answer: probability ${percentText(answerLogProbability(answer))}`;
  const against = answer.against && !one ? `, against “${answer.against.text}” with ${percentText(answer.against.logProbability)}` : '';
  const place = shown.image
    ? `; strongest at ${patchText(strongest(shown.image.patches), shown, answerScales(attribution, part).image)}`
    : '';
  return `${said}${against}${place}.`;
}
