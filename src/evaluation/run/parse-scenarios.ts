/** @file Scenarios from the text of a flag: names of shifts with severities, joined by `+` where pictures and words are shifted together. */
import { findShift, shifts } from '../../shifts/registry.ts';
import { NarrowsError } from '../../system/errors.ts';
import { didYouMean } from '../../system/nearest-names.ts';
import type { Scenario } from './scenario.ts';

const usage = (message: string): NarrowsError => new NarrowsError(message, { kind: 'usage' });

/** @throws NarrowsError (usage) for an unknown shift or a severity out of its bounds */
function choiceOf(text: string) {
  const [name, given, ...more] = text.split(':').map(part => part.trim());
  const shift = findShift(name);
  if (!shift || more.length > 0) {
    const near = didYouMean(
      name,
      shifts.map(s => s.name),
    );
    throw usage(
      `There is no shift ${JSON.stringify(text.trim())} (${near ?? 'narrows shifts lists them'}); a severity stands behind a colon, as in gaussian_noise:3.`,
    );
  }
  const severity = given ?? `${Math.min(3, shift.severities)}`;
  const value = Number(severity);
  if (!Number.isInteger(value) || value < 1 || value > shift.severities)
    throw usage(`The severity of ${shift.name} is a whole number from 1 to ${shift.severities}, not ${JSON.stringify(severity)}.`);
  return { modality: shift.modality, choice: { shift: shift.name, severity: value } };
}

/**
 * One scenario: `gaussian_noise:3`, `keyboard:2`, or both as `gaussian_noise:3+keyboard:2`. Without a severity it is 3.
 * @throws NarrowsError (usage) for names that are none, and for two shifts of the same modality
 */
export function parseScenario(text: string): Scenario {
  const choices = text.split('+').map(choiceOf);
  const image = choices.filter(({ modality }) => modality === 'image').map(({ choice }) => choice);
  const words = choices.filter(({ modality }) => modality === 'text').map(({ choice }) => choice);
  if (image.length > 1 || words.length > 1)
    throw usage(
      `${JSON.stringify(text)} names two shifts of ${image.length > 1 ? 'pictures' : 'texts'}; a scenario has one of each at most.`,
    );
  const name = choices.map(({ choice }) => `${choice.shift}:${choice.severity}`).join('+');
  return { name, ...(image[0] ? { image: image[0] } : {}), ...(words[0] ? { text: words[0] } : {}) };
}
