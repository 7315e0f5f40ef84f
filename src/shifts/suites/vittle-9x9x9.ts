/** @file vittle-9x9x9: the shape of Vittle's perturbed sets with scenarios that we chose. */
import type { ImageChoice, TextChoice } from './scenario.ts';
import { scenarioName } from './scenario.ts';
import type { Suite } from './suite.ts';

const IMAGE_SEVERITY = 3;
const TEXT_RATE = 4;
const IMAGES = ['gaussian_noise', 'shot_noise', 'defocus_blur', 'zoom_blur', 'fog', 'frost', 'snow', 'brightness', 'contrast'];
/** Six of characters and words, as the paper counts them. */
const WORDS = ['keyboard', 'char_insert', 'char_delete', 'word_swap', 'word_delete', 'synonym_insertion'];
/** Instead of the paper's three translations, which need a model. */
const OFFLINE = ['ocr', 'synonym_replacement', 'punctuation'];
const LANGUAGES = ['Arabic', 'Greek', 'Hindi'];

const visual: readonly ImageChoice[] = IMAGES.map(shift => ({ shift, severity: IMAGE_SEVERITY }));
const rated = (names: readonly string[]): TextChoice[] => names.map(shift => ({ shift, severity: TEXT_RATE }));
const translated = LANGUAGES.map(language => ({ shift: 'translation', severity: 1, options: { language } }));

/** Nine of pictures, nine of texts, nine of both: the i-th picture shift with the i-th text shift, whose texts are the very same. */
function nines(name: string, texts: readonly TextChoice[], description: string): Suite {
  const plain = [
    ...visual.map(image => ({ image })),
    ...texts.map(text => ({ text })),
    ...visual.map((image, i) => ({ image, text: texts[i] })),
  ];
  return { name, description, marked: 'ours', scenarios: plain.map(one => ({ name: scenarioName(one), ...one })) };
}

/** Works offline. */
export const vittleNines = nines(
  'vittle-9x9x9',
  [...rated(WORDS), ...rated(OFFLINE)],
  "Nine visual, nine textual, nine joint scenarios, the shape of Vittle's perturbed LLaVA-Bench. Which nine the paper took, and how strong, is not public, so the choice is ours (pictures at severity 3, texts at rate 4), and three rule-based perturbations stand where the paper has GPT-4o's translations.",
);

/** Needs a translator. */
export const vittleTranslated = nines(
  'vittle-9x9x9-translated',
  [...rated(WORDS), ...translated],
  'As vittle-9x9x9, with translations into three languages as the paper has them instead of three rules; which languages it took is not public. It needs a translator.',
);
