/** @file A map of an answer as the metrics of attributions take it. */
import type { AnswerAttributor } from '../../attribution/answers/answer-attributor.ts';
import { questionGames } from '../../attribution/answers/question-games.ts';
import type { ImageRemoval } from '../../attribution/game.ts';
import type { Pair } from '../../attribution/pair.ts';
import type { AnswerAttribution } from '../../attribution/result.ts';
import type { ChatModel } from '../../generation/chat-model.ts';
import type { Keep } from '../../graph/index.ts';
import type { Modality } from '../../models/dual-encoder.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { MetricSample } from '../metrics/metric.ts';
import type { RandomisedAnswers } from './randomised.ts';

/** A question whose answer's maps are judged. */
export interface AskedQuestion {
  readonly pair: Pair;
  /** The answer that is explained, and what it is held against. */
  readonly answer: string;
  readonly against?: string;
  /** 1 where the thing is that the answer is about, per pixel of the map's view [H·W]; `size` says H and W. */
  readonly truth?: Uint8Array;
  readonly size: readonly [number, number];
  /** Another question about the same picture: what a map must depend on. */
  readonly otherQuestion?: string;
  /** Draws of sampling metrics are keyed by it. */
  readonly key: number;
}

/** The games of a question, to be shared by all methods. */
export type SharedGames = ReturnType<typeof questionGames>;

/** See `questionGames`. */
export const gamesOfQuestion = (chat: ChatModel, asked: AskedQuestion, keep: Keep): SharedGames =>
  questionGames(chat, asked.pair, { answer: asked.answer, against: asked.against, keep });

/** What a sample may have besides. */
export interface SampleOptions {
  /** Whose map it is; the picture's by default. */
  readonly modality?: Modality;
  /** Makes maps of models that were drawn again in part; parameter randomisation needs it. */
  readonly randomised?: RandomisedAnswers;
}

/** The sample of one map. @param attributor made the map, and makes it again where a metric asks @param result of a question */
export function answerSample<O>(
  attributor: AnswerAttributor<O>,
  asked: AskedQuestion,
  result: AnswerAttribution,
  games: SharedGames,
  { modality = 'image', randomised }: SampleOptions = {},
): MetricSample {
  const mapOf = (made: AnswerAttribution): Float32Array =>
    modality === 'image' ? made.image!.patches : Float32Array.from(made.text!.words, word => word.value);
  const { answer, against, pair, otherQuestion, key } = asked;
  return {
    ...{ modality, map: mapOf(result), key },
    ...(modality === 'image' ? { grid: result.image!.grid, size: asked.size, truth: asked.truth } : {}),
    game: removal => games(modality, modality === 'image' ? (removal as ImageRemoval) : undefined),
    ...(otherQuestion === undefined ? {} : { otherText: otherQuestion }),
    explain: async change => {
      const blocks = change.randomisedBlocks ?? 0;
      if (blocks > 0 && !randomised)
        throw new NarrowsError('Parameter randomisation of answers needs models that were drawn again (RandomisedAnswers).', {
          kind: 'usage',
        });
      const maker = blocks > 0 ? await randomised!.attributor(attributor, blocks) : attributor;
      const changed: Pair = { ...pair, text: change.text ?? pair.text, pixelValues: change.pixels ?? pair.pixelValues };
      return mapOf(await maker.attribute(changed, { modality, answer, against, seed: change.seed ?? 0, parts: 'none' }));
    },
  };
}
