/** @file Scenarios as a run applies them: pictures and words of a set are shifted apart, so that what is the same is made once. */
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { applyScenario, type ScenarioOptions } from '../../shifts/suites/apply-scenario.ts';
import { type Scenario, scenarioKey } from '../../shifts/suites/scenario.ts';

export { scenarioRemarks } from '../../shifts/suites/apply-scenario.ts';
export { type Scenario, scenarioKind } from '../../shifts/suites/scenario.ts';

/** The set as it is. */
export const CLEAN: Scenario = { name: 'clean' };

/** The same for scenarios whose pictures are the same: they are shifted and encoded once. */
export const pictureKey = ({ image }: Scenario): string => (image ? scenarioKey({ image }) : '');

/** What a run's shifts are made with besides their own options. */
export type ShiftMeans = Pick<ScenarioOptions, 'referenceSize' | 'frostTextures' | 'translator'>;

/** Of which numbers a shift is drawn. */
export interface ScenarioDraw {
  readonly seed: number;
  /** The picture's or the question's place in its set. */
  readonly sample: number;
}

/** A question's words under a scenario; those of a joint scenario are those of the textual one with the same shift. @param id for a file of translations */
export async function shiftWords(
  { name, text }: Scenario,
  words: string,
  options: ScenarioDraw & ShiftMeans & { readonly id?: string },
): Promise<string> {
  if (!text) return words;
  return (await applyScenario({ name, text }, undefined, words, options)).text;
}

/** A picture under a scenario. */
export async function shiftPicture({ name, image }: Scenario, picture: RgbImage, options: ScenarioDraw & ShiftMeans): Promise<RgbImage> {
  if (!image) return picture;
  return (await applyScenario({ name, image }, picture, '', options)).image!;
}
