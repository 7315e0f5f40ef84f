/** @file emi-synthetic: the synthetic shifts of EMI's experiments, 7 visual x 5 textual. */
import { type ImageChoice, scenarioName, type TextChoice } from './scenario.ts';
import type { Suite } from './suite.ts';

const visual: readonly (ImageChoice | undefined)[] = [
  undefined,
  ...['defocus_blur', 'frost'].flatMap(shift => [1, 3, 5].map(severity => ({ shift, severity }))),
];
const textual: readonly (TextChoice | undefined)[] = [
  undefined,
  ...[4, 7].map(severity => ({ shift: 'synonym_replacement', severity })),
  ...[1, 3].map(severity => ({ shift: 'keyboard', severity })),
];

/** 35 sets, the clean one first: 34 shifts. */
export const emiSynthetic: Suite = {
  name: 'emi-synthetic',
  description:
    'The synthetic shifts of EMI (Oh et al., ICML 2025, mllmshift-emi): clean, defocus_blur and frost at severities 1, 3 and 5, times clean, synonyms at rates 4 and 7 and keyboard slips at rates 1 and 3. 35 sets with the clean one.',
  marked: 'published',
  scenarios: visual.flatMap(image =>
    textual.map(text => {
      const one = { ...(image ? { image } : {}), ...(text ? { text } : {}) };
      return { name: scenarioName(one), ...one };
    }),
  ),
};
