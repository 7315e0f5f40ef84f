/** @file An answer in the report: its words as chips, each with its map, and a table of their probabilities. */
import type { Attribution } from '../../../attribution/result.ts';
import { answerLogProbability, percentText } from '../answer.ts';
import { formatValue } from '../normalise.ts';
import { escapeText } from '../svg.ts';

/** What the page's script shows when a chip is under the pointer; no values: the whole answer's. */
interface Chip {
  readonly text: string;
  readonly note: string;
  /** A word of the answer: all words share one scale. */
  readonly part: boolean;
  readonly patches?: readonly number[];
  readonly words?: readonly number[];
}

const short = (values: Float32Array | undefined): number[] | undefined => values && Array.from(values, v => Number(v.toPrecision(6)));

/** The chips: the whole answer, each of its words, and what the model's own bottleneck keeps. Undefined where there is no answer. */
export function answerChips({ answer }: Pick<Attribution, 'answer'>): Chip[] | undefined {
  if (!answer) return undefined;
  const { parts, kept } = answer;
  const whole: Chip = {
    text: answer.text,
    note: `The whole answer, probability ${percentText(answerLogProbability(answer))}.`,
    part: false,
  };
  const words = parts.map(
    (part): Chip => ({
      text: part.text,
      note: `Only “${part.text}”, given what is before it: probability ${percentText(part.logProbability)}.`,
      part: true,
      ...{ patches: short(part.patches), words: short(part.words) },
    }),
  );
  const keeps: Chip[] = kept
    ? [
        {
          text: 'what the model keeps',
          note: `Nats that the model's own bottleneck (layer ${kept.layer}) keeps of each patch and word, whatever is answered.`,
          part: false,
          ...{ patches: short(kept.patches), words: short(kept.words) },
        },
      ]
    : [];
  return [whole, ...words, ...keeps];
}

/** Where the script puts the chips. */
export const answerSection = ({ answer }: Pick<Attribution, 'answer'>): string =>
  answer
    ? `<section class="answer"><h3>Answer</h3><div class="chips" role="group" aria-label="Words of the answer"></div><p class="readout small muted"></p></section>`
    : '';

/** Every word's probability in numbers. */
export function answerTable({ answer }: Pick<Attribution, 'answer'>): string {
  if (!answer) return '';
  const rows = [
    { text: answer.text, logProbability: answerLogProbability(answer) },
    ...answer.parts,
    ...(answer.against ? [{ text: `against: ${answer.against.text}`, logProbability: answer.against.logProbability }] : []),
  ].map(
    ({ text, logProbability }) =>
      `<tr><th scope="row"><bdi>${escapeText(text)}</bdi></th><td class="number">${formatValue(logProbability, 4)}</td><td class="number">${percentText(logProbability)}</td></tr>`,
  );
  return (
    `<details><summary>The answer in numbers</summary><div class="scroll" tabindex="0" role="region" aria-label="Probabilities of the answer’s words"><table>` +
    `<tr><th scope="col">words</th><th scope="col" class="number">log-probability, nats</th><th scope="col" class="number">probability</th></tr>${rows.join('')}</table></div></details>`
  );
}
