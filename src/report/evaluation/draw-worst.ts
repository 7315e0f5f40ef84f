/** @file Pictures of the worst cases, clean and shifted, small and as `data:` URLs. */
import type { EvaluationResults, WorstCase } from '../../evaluation/run/results.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { dataUri } from '../attribution/picture.ts';
import { sharpCodec } from '../attribution/sharp-codec.ts';

/**
 * Pictures of a question as a scenario shows them (`clean` where it is not shifted).
 * @throws NarrowsError for one that cannot be read: the page says so
 */
export type PictureSource = (one: WorstCase, scenario: string) => Promise<readonly RgbImage[]>;

/** A picture of the page. */
export interface DrawnPicture {
  readonly uri: string;
  readonly width: number;
  readonly height: number;
}

/** A question's words as a scenario asks them. */
export type WordsSource = (one: WorstCase, scenario: string) => Promise<string | undefined>;

/** What a scenario made of a question. */
export interface DrawnScenario {
  /** The pictures, or the sentence on why there are none. */
  readonly pictures: readonly DrawnPicture[] | string;
  /** The words as they were asked. */
  readonly words?: string;
}

/** By scenario. */
export type DrawnWorst = ReadonlyMap<string, DrawnScenario>;

/** Longest side in pixels of a picture of the page: twice what is shown. */
const LONGEST = 400;

async function small(picture: RgbImage): Promise<DrawnPicture> {
  const factor = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const [width, height] = [picture.width, picture.height].map(side => Math.max(1, Math.round(side * factor)));
  const shown = factor < 1 ? await sharpCodec.resize(picture, width, height, 'lanczos3') : picture;
  return { uri: await dataUri(sharpCodec, shown, 'small'), width, height };
}

/** Where the worst cases come from. */
export interface WorstSources {
  readonly pictures?: PictureSource;
  readonly words?: WordsSource;
}

async function drawScenario(one: WorstCase, scenario: string, { pictures, words }: WorstSources): Promise<DrawnScenario> {
  try {
    const drawn = pictures ? await Promise.all((await pictures(one, scenario)).map(small)) : [];
    const asked = await words?.(one, scenario);
    return { pictures: drawn, ...(asked === undefined ? {} : { words: asked }) };
  } catch (error) {
    if (!(error instanceof NarrowsError)) throw error;
    return { pictures: messageOf(error) };
  }
}

/** Draws the clean picture and those of the scenarios that are listed. */
export async function drawWorst({ worst }: EvaluationResults, sources: WorstSources = {}): Promise<ReadonlyMap<WorstCase, DrawnWorst>> {
  const all = new Map<WorstCase, DrawnWorst>();
  if (!sources.pictures && !sources.words) return all;
  for (const one of worst) {
    const drawn = new Map<string, DrawnScenario>();
    for (const scenario of [...(one.clean ? ['clean'] : []), ...one.wrong.map(w => w.scenario)])
      drawn.set(scenario, await drawScenario(one, scenario, sources));
    all.set(one, drawn);
  }
  return all;
}
