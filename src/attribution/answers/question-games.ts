/** @file A question's games by themselves, for metrics: the explained target under coalitions of patches or words. */
import type { ChatModel } from '../../generation/chat-model.ts';
import type { Keep } from '../../graph/index.ts';
import type { Modality } from '../../models/dual-encoder.ts';
import type { Game, ImageRemoval } from '../game.ts';
import { MAX_MEMORY } from '../memory.ts';
import type { Pair } from '../pair.ts';
import { patchPlayers } from '../perturbation/players.ts';
import { answerModelOf } from './answer-attributor.ts';
import { AnswerGames } from './answer-games.ts';
import { answeredRow, groupWords } from './answer-row.ts';
import { answerTarget } from './answer-targets.ts';

/** Which answer is explained, and how a run of methods is bounded. */
export interface QuestionGameOptions {
  readonly answer: string;
  readonly against?: string;
  readonly reduction?: 'sum' | 'mean';
  readonly keep: Keep;
  readonly maxMemory?: number;
  readonly signal?: AbortSignal;
}

/**
 * The game of an answer's target over the picture's patches or the question's words, in the order of a result's `patches` and `words`. Values are
 * kept, so that all methods and metrics on one question share what they ask for.
 * @throws NarrowsError as `answeredRow`
 */
export function questionGames(chat: ChatModel, pair: Pair, options: QuestionGameOptions): (side: Modality, removal?: ImageRemoval) => Game {
  const model = answerModelOf(chat);
  const picture = model.readPicture(chat.picture(pair.image));
  const texts = [options.answer, ...(options.against === undefined ? [] : [options.against])];
  const row = answeredRow(chat, model, picture, pair.text, texts);
  const games = new AnswerGames(row, { keep: options.keep, maxMemory: options.maxMemory ?? MAX_MEMORY, signal: options.signal });
  const target = answerTarget(row, [], options.reduction ?? 'sum');
  const players = {
    image: patchPlayers(picture.grid),
    text: groupWords(pair.text, row.promptTokens).map(word => word.tokens),
  };
  return (side, removal = 'mean') => games.game(side, target, 0, players[side], { removal, textRemoval: 'mask' });
}
