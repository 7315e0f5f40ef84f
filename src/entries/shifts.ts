/** @file `narrows/shifts`: corruptions of pictures and perturbations of texts, by name, severity, seed and sample. */
export type { RgbImage } from '../inputs/image/rgb-image.ts';
export { type Draw, shiftImage, shiftText, shiftTextAsync } from '../shifts/apply.ts';
export { readFrostTextures } from '../shifts/frost-textures.ts';
export { imageShifts, textShifts } from '../shifts/registry.ts';
export type { Compatible, ImageShift, ImageShiftOptions, TextShift, TextShiftOptions } from '../shifts/shift.ts';
export type { Synonyms } from '../shifts/text/synonyms.ts';
export { ANSWER_IN_ENGLISH, chatTranslator, EMI_LANGUAGES, type Translator, translationPrompt } from '../shifts/text/translator.ts';
export { readTranslations } from '../shifts/translations.ts';
export { wordnetSynonyms } from '../shifts/wordnet.ts';
