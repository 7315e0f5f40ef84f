/** @file A scenario applied to a picture and a text, with Node's codec and the shipped synonyms. */
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { shiftImage, shiftTextAsync } from '../apply.ts';
import { shiftRemarks } from '../compat.ts';
import { requireImageShift } from '../registry.ts';
import type { Draw } from '../seeded.ts';
import type { ImageShiftOptions, TextShiftOptions } from '../shift.ts';
import { checkScenario, type Scenario } from './scenario.ts';

/** What is never shifted in a question: where its pictures stand. */
export const IMAGE_PLACES: readonly string[] = ['<image>', ...[1, 2, 3, 4, 5, 6, 7].map(i => `<image ${i}>`)];
/** How LLaVA, lmms-eval and MME ask for short answers; a shift of the question leaves these as they are. */
export const ANSWER_INSTRUCTIONS: readonly string[] = [
  '\nAnswer the question using a single word or phrase.',
  "\nAnswer with the option's letter from the given choices directly.",
  '\nAnswer with the option’s letter from the given choices directly.',
  'Please answer yes or no.',
];

/** What a scenario is applied with. */
export interface ScenarioOptions
  extends Draw,
    Pick<ImageShiftOptions, 'referenceSize' | 'frostTextures' | 'saveAsJpeg'>,
    Pick<TextShiftOptions, 'protect' | 'synonyms' | 'translator' | 'id'> {
  /** Number of the text, where it is another than the picture's: several questions of one picture. Default `sample`. */
  readonly textSample?: number;
}

/** A picture and a text under a scenario. */
export interface ScenarioResult {
  readonly image?: RgbImage;
  readonly text: string;
  /** Sentences that every result must carry: what stands in for something that was not given. */
  readonly remarks: readonly string[];
}

/** What a scenario's results must say, before any is made. */
export const scenarioRemarks = ({ image }: Scenario, options: ScenarioOptions = {}): string[] =>
  image ? shiftRemarks(requireImageShift(image.shift), { ...options, ...image.options }) : [];

/**
 * A picture and a text under a scenario. Both draw from (seed, shift, severity, sample) by themselves, so that a joint scenario has the very
 * texts of the textual one. The scenario's options come before those given here; `<image>` is always protected.
 * @throws NarrowsError for a shift or severity that there is not, and as the shifts do
 * @example
 * const { scenarios } = await loadSuite('vittle-9x9x9');
 * const image = await decodeImage('examples/scene.png');
 * const shifted = await applyScenario(scenarios[18], image, '<image>\nIs there a cat?', { seed: 1, sample: 0 });
 * console.log(shifted.image?.width === image.width, shifted.text);
 */
export async function applyScenario(
  scenario: Scenario,
  image: RgbImage | undefined,
  text: string,
  options: ScenarioOptions = {},
): Promise<ScenarioResult> {
  checkScenario(scenario);
  const { seed, sample, textSample = sample, protect = [], ...given } = options;
  const picture = scenario.image && image;
  const words = scenario.text;
  return {
    image: picture
      ? await shiftImage(scenario.image.shift, picture, scenario.image.severity, { ...given, ...scenario.image.options, seed, sample })
      : image,
    text: words
      ? await shiftTextAsync(words.shift, text, words.severity, {
          ...given,
          ...words.options,
          protect: [...IMAGE_PLACES, ...protect],
          seed,
          sample: textSample,
        })
      : text,
    remarks: scenarioRemarks(scenario, options),
  };
}
