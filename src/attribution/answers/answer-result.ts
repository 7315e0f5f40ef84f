/** @file Puts the maps of an answer and of its words into a result. */
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import type { Modality } from '../../models/dual-encoder.ts';
import { imageAttribution, textAttribution } from '../assemble.ts';
import type { MethodFacts } from '../method.ts';
import type { Pair } from '../pair.ts';
import type { AnswerAttribution, AnswerPartMap, ImageAttribution, KeptNats, TextAttribution } from '../result.ts';
import { scoreFeatures, type Target } from '../target.ts';
import { displayed } from './answer-jobs.ts';
import type { SideMaps } from './answer-maps.ts';
import type { AnsweredRow } from './answer-row.ts';
import type { AnswerPart } from './answer-targets.ts';

/** What was found out of an answer. */
export interface Explained {
  readonly pair: Pair;
  /** The picture that the maps lie on. */
  readonly shown: RgbImage;
  readonly wanted: readonly Modality[];
  readonly seed: number;
  /** Of all answers' tokens. */
  readonly logProbabilities: Float32Array;
  readonly target: Target;
  readonly parts: readonly AnswerPart[];
  /** By seed, then by target. */
  readonly maps: readonly (readonly SideMaps[])[];
  readonly kept?: KeptNats;
  readonly passes: { readonly forward: number; readonly backward: number };
}

/** The part of the result that follows from the values; who asked, and how, is added by the caller. */
export function answerResult(entry: Pick<MethodFacts, 'name' | 'title' | 'unit'>, row: AnsweredRow, given: Explained) {
  const { pair, wanted, seed, logProbabilities, target, parts, maps } = given;
  const display = displayed(row, pair, 1 + parts.length);
  const gathered = (p: number, side: Modality) => ({
    ...{ seed, nats: entry.unit === 'nats', target: target.description, score: scoreFeatures(target, p, logProbabilities) },
    maps: maps.map(ofSeed => ofSeed[p][side]!),
  });
  const image = (p: number): ImageAttribution | undefined =>
    wanted.includes('image') ? imageAttribution(display, p, { ...gathered(p, 'image'), size: row.picture.grid }) : undefined;
  const text = (p: number): TextAttribution | undefined =>
    wanted.includes('text') ? textAttribution(display, p, gathered(p, 'text')) : undefined;
  const partMap = (part: AnswerPart, i: number): AnswerPartMap => ({
    ...part,
    logProbability: scoreFeatures(target, 1 + i, logProbabilities),
    patches: image(1 + i)?.patches,
    words: wordValues(text(1 + i)),
  });
  const [said, against] = row.answers;
  return {
    schemaVersion: 1,
    ...{ method: entry.name, title: entry.title, unit: entry.unit, caption: pair.text },
    ...{ target: target.description, targetKind: 'answer' },
    ...{ image: image(0), text: text(0), passes: given.passes },
    answer: {
      tokens: said.tokens.map(({ text: piece, start, end }, k) => ({ text: piece, start, end, logProbability: logProbabilities[k] })),
      parts: parts.map(partMap),
      ...(against ? { against: { text: against.text, logProbability: sumOf(logProbabilities.subarray(said.tokens.length)) } } : {}),
      ...(given.kept ? { kept: given.kept } : {}),
    },
  } as const satisfies Partial<Omit<AnswerAttribution, 'answer'>> & { answer: Partial<AnswerAttribution['answer']> };
}

const wordValues = (side: TextAttribution | undefined): Float32Array | undefined =>
  side && Float32Array.from(side.words, word => word.value);

const sumOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0);
