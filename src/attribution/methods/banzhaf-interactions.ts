/**
 * @file Second-order Banzhaf interactions between patches and words (FIxLIP: Baniecki et al., NeurIPS 2025). Images and texts are masked
 * and encoded apart, all pairs of them are values, and the fit never builds the design (see estimators/interactions.ts).
 */
import { z } from 'zod';
import { NarrowsError } from '../../system/errors.ts';
import { RandomStream } from '../../tensor/random.ts';
import type { MethodEntry } from '../method.ts';
import { allCoalitions, bernoulliWeights, drawCoalitions } from '../perturbation/coalitions.ts';
import { fitInteractions, type MaskedSide } from '../perturbation/estimators/interactions.ts';
import { regressor } from '../perturbation/estimators/least-squares.ts';
import { perturbationShape, playersOf, tokenMap, warnNoise } from '../perturbation/explain.ts';
import { explainJoint, jointInteractions } from '../perturbation/joint.ts';
import { Perturbation } from '../perturbation/perturbation.ts';

const schema = z.strictObject({
  imageMasks: z.number().int().min(4).default(1024).describe('image masks; all coalitions are listed where there are no more'),
  textMasks: z.number().int().min(4).default(256).describe('text masks; all coalitions are listed where there are no more'),
  budget: z
    .number()
    .int()
    .min(16)
    .optional()
    .describe("values to fit (image masks times text masks) in place of both numbers, split by the paper's rule"),
  p: z.number().gt(0).lt(1).default(0.5).describe('probability that a patch or word is there'),
  within: z
    .boolean()
    .default(false)
    .describe('also fit pairs of patches and pairs of words; interactions between the two sides keep their meaning, the fit gets better'),
  ...perturbationShape,
});
type Options = z.infer<typeof schema>;

/** Banzhaf interactions of patches with words (FIxLIP). */
export const banzhafInteractions: MethodEntry<Options> = {
  name: 'banzhaf-interactions',
  title: 'Banzhaf interactions',
  family: 'interaction',
  serves: 'pair',
  modalities: ['image', 'text'],
  schema,
  cost: 'image masks × F of the image tower + text masks × F of the text tower',
  paper:
    'Baniecki et al.: Explaining similarity in vision-language encoders with weighted Banzhaf interactions, NeurIPS 2025, arXiv 2508.05430',
  unit: 'score',
  signed: true,
  sampled: true,
  async explain(run, options) {
    const engine = new Perturbation(run);
    const pairs = run.encoded.pairs.map((_, p) => p);
    const drawn = pairs.map(p => {
      const [n, k] = [playersOf(run, run.image, p, options).length, playersOf(run, run.text, p, options).length];
      const split = splitMasks(options, n, k);
      const sides = {
        image: drawMasks(split.image, n, options, run.seed, 'image'),
        text: drawMasks(split.text, k, options, run.seed, 'text'),
      };
      for (const message of raised(options, sides)) run.warn(message);
      return sides;
    });
    run.plan(drawn.reduce((sum, { image, text }) => sum + count(image) + count(text), 0));
    return explainJoint(run, async p => {
      const patches = playersOf(run, run.image, p, options);
      const words = playersOf(run, run.text, p, options);
      const { image, text } = drawn[p];
      const patchSide = {
        ...image,
        features: await engine.imageFeatures(p, image.coalitions, { removal: options.removal, players: patches }),
      };
      const wordSide = {
        ...text,
        features: await engine.textFeatures(p, text.coalitions, { removal: options.textRemoval, players: words }),
      };
      const fit = fitInteractions(patchSide, wordSide, options.p, options.within);
      const samples = count(image) * count(text);
      const ofImage = { values: fit.imageValues, standardError: fit.imageError, samples };
      const ofText = { values: fit.textValues, standardError: fit.textError, samples };
      warnNoise(run, 'banzhaf-interactions', run.image, ofImage);
      warnNoise(run, 'banzhaf-interactions', run.text, ofText);
      const cross = jointInteractions(run, p, fit.cross, patches, words, fit.crossError);
      return {
        image: tokenMap(ofImage, patches, run.image),
        text: tokenMap(ofText, words, run.text),
        interactions: { ...cross, fit: fit.fit },
      };
    });
  },
};

/**
 * How many masks of each side: as the options say, or a budget of values split by FIxLIP's rule, √budget·(words/patches) texts and the rest
 * images. All coalitions of a side are listed where there are no more; a side drawn has at least twice as many masks as coefficients.
 */
export function splitMasks(
  options: Pick<Options, 'budget' | 'imageMasks' | 'textMasks'>,
  patches: number,
  words: number,
): { readonly image: number; readonly text: number } {
  const { budget, imageMasks, textMasks } = options;
  const share = (asked: number, players: number): number => Math.min(2 ** players, Math.max(asked, 4, 2 * (players + 1)));
  const text = share(budget === undefined ? textMasks : Math.ceil((Math.sqrt(budget) * words) / patches), words);
  return { image: share(budget === undefined ? imageMasks : Math.floor(budget / text), patches), text };
}

/** Masks of one side before the tower has seen them. */
type Masks = Omit<MaskedSide, 'features'>;

const count = ({ coalitions, players }: Masks): number => coalitions.length / Math.max(1, players);

/**
 * Masks of one side, drawn (the same for every pair, so pictures and captions are encoded once) or all of them. Where the drawn ones are too
 * equal to tell the players apart, more are drawn after them.
 */
export function drawMasks(
  count: number,
  players: number,
  { p, within }: Pick<Options, 'p' | 'within'>,
  seed: number,
  stream: string,
): Masks {
  for (let rows = count; rows < 2 ** players; rows += 2) {
    // Antithetic masks make half as many different equations for pairs within a side (complements agree on x̃ᵢx̃ⱼ), so those need free draws.
    const coalitions = drawCoalitions(new RandomStream(seed, `interactions.${stream}`).reader(0, 0), rows, players, p, !within);
    if (rows >= ENOUGH * (players + 1) || tellsApart(coalitions, players)) return { players, coalitions };
  }
  return { players, coalitions: allCoalitions(players), weights: bernoulliWeights(players, p) };
}

/** Masks per coefficient from which a draw that cannot be fitted is not looked for: the fit itself says so. */
const ENOUGH = 6;

function tellsApart(coalitions: Uint8Array, players: number): boolean {
  try {
    regressor(coalitions, players);
    return true;
  } catch (error) {
    if (error instanceof NarrowsError) return false;
    throw error;
  }
}

/** What is said where more masks were taken than asked for. */
function raised({ budget, imageMasks, textMasks }: Options, sides: Readonly<Record<'image' | 'text', Masks>>): string[] {
  const players = { image: sides.image.players, text: sides.text.players };
  const many = { image: count(sides.image), text: count(sides.text) };
  if (budget !== undefined)
    return many.image * many.text > budget
      ? [
          `A budget of ${budget} values is too small for ${players.image} patches and ${players.text} words: ${many.image} image masks and ${many.text} text masks are taken.`,
        ]
      : [];
  return (['image', 'text'] as const).flatMap(side => {
    const asked = side === 'image' ? imageMasks : textMasks;
    const what = side === 'image' ? 'patches' : 'words';
    return many[side] > asked ? [`${asked} ${side} masks cannot tell ${players[side]} ${what} apart: ${many[side]} are taken.`] : [];
  });
}
