/** @file `narrows/shifts`: corruptions of pictures and perturbations of texts, by name, severity, seed and sample. */
export type { RgbImage } from '../inputs/image/rgb-image.ts';
export { type Draw, shiftImage, shiftText, shiftTextAsync } from '../shifts/apply.ts';
export { readFrostTextures } from '../shifts/frost-textures.ts';
export { imageShifts, textShifts } from '../shifts/registry.ts';
export type { Compatible, ImageShift, ImageShiftOptions, TextShift, TextShiftOptions } from '../shifts/shift.ts';
export {
  ANSWER_INSTRUCTIONS,
  applyScenario,
  IMAGE_PLACES,
  type ScenarioOptions,
  type ScenarioResult,
  scenarioRemarks,
} from '../shifts/suites/apply-scenario.ts';
export { loadSuite } from '../shifts/suites/load-suite.ts';
export { findSuite, suites } from '../shifts/suites/registry.ts';
export { type ImageChoice, type Scenario, scenarioKey, scenarioKind, scenarioName, type TextChoice } from '../shifts/suites/scenario.ts';
export { parseSuite, type Suite } from '../shifts/suites/suite.ts';
export type { Synonyms } from '../shifts/text/synonyms.ts';
export { ANSWER_IN_ENGLISH, chatTranslator, EMI_LANGUAGES, type Translator, translationPrompt } from '../shifts/text/translator.ts';
export { readTranslations } from '../shifts/translations.ts';
export { wordnetSynonyms } from '../shifts/wordnet.ts';
