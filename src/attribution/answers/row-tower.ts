/**
 * @file The decoder of a model that answers as a tower: its tokens are a row of picture, question and answers, its features the
 * log-probabilities of the answers' tokens. Whatever stands on towers (gates, gradients, activation maps, attention) then serves answers.
 */
import { type Dim, equal, input, logSoftmax, matmul, squeeze, takeAlongAxis, unsqueeze, type Value, where } from '../../graph/index.ts';
import type { AnswerModel, AnswerPicture, DecodedRow, RowDecoding } from '../../models/answer-model.ts';
import type { Tower, TowerInputs } from '../../models/dual-encoder.ts';
import { repeatRows } from '../../nn/repeat-rows.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import type { AnsweredRow } from './answer-row.ts';

/** What a row's tower is fed besides the model's own inputs; the first axis is the rows. */
export interface RowInputs extends TowerInputs {
  /** One where a place foretells token k, [B, K, T]. */
  readonly answer_select: TowerInputs[string];
  /** int32 [B, K] */
  readonly answer_ids: TowerInputs[string];
  /** 1 where a token plays, [B, T]. */
  readonly playing: TowerInputs[string];
  /** The row's undisturbed state where the method looks, [B, T, D]: what tokens that do not play keep. */
  readonly undisturbed: TowerInputs[string];
}

/** The selection of the answers' tokens, [1, K, T] and [1, K]. */
export function answerSelection({ ids, answers }: Pick<AnsweredRow, 'ids' | 'answers'>) {
  const tokens = answers.flatMap(answer => answer.tokens);
  const select = new Float32Array(tokens.length * ids.length);
  tokens.forEach(({ from }, k) => {
    select[k * ids.length + from] = 1;
  });
  return {
    answer_select: floats([1, tokens.length, ids.length], select),
    answer_ids: ints(
      [1, tokens.length],
      tokens.map(({ id }) => id),
    ),
  };
}

/** Which rows foretell the answers' tokens, [B·repeat, K, T]: all that is read behind the last block. */
const foretelling = (repeat: Dim): Value => repeatRows(input('answer_select', ['batch', 'feature', 'seq']), repeat);

/** Log-probabilities of the answers' tokens, [B·repeat, K]. @param read [B·repeat, K, D]: the rows that foretell them, behind the last norm */
function logProbabilitiesOf(model: AnswerModel, read: Value, repeat: Dim): Value {
  const ids = repeatRows(input('answer_ids', ['batch', 'feature'], 'int32'), repeat);
  return squeeze(takeAlongAxis(logSoftmax(model.logits(read)), unsqueeze(ids, -1)), -1);
}

/** The same from all rows. @param normed [B·repeat, T, D] behind the last norm */
export const answerLogProbabilities = (model: AnswerModel, normed: Value, repeat: Dim = 1): Value =>
  logProbabilitiesOf(model, matmul(foretelling(repeat), normed), repeat);

/** The same from what comes out of block `layer`, with the last block's MLP for the rows that are read only. @param hidden [B·repeat, T, D] */
export function decodedLogProbabilities(
  model: AnswerModel,
  picture: AnswerPicture,
  hidden: Value,
  { layer, tap, repeat = 1 }: RowDecoding & { readonly repeat?: Dim },
): Value {
  const { tokens } = model.declare(picture);
  if (tap) return answerLogProbabilities(model, model.decode(hidden, tokens, { layer, tap }, repeat).normed, repeat);
  return logProbabilitiesOf(model, model.decode(hidden, tokens, { layer, read: foretelling(repeat) }, repeat).normed, repeat);
}

/** @param features how many answer tokens there are */
export function rowTower(model: AnswerModel, picture: AnswerPicture, features: number): Tower {
  const perToken = ['batch', 'seq'];
  const states = [...perToken, model.width];
  const decode = (layer: number, hidden: Value, repeat: Dim, tap?: (layer: number, hidden: Value) => Value): DecodedRow =>
    model.decode(hidden, model.declare(picture).tokens, { layer, tap }, repeat);
  /** Players as they were put in, all others as they were. */
  const played = (hidden: Value, repeat: Dim): Value => {
    const playing = unsqueeze(repeatRows(input('playing', perToken), repeat), -1);
    return where(equal(playing, 0), repeatRows(input('undisturbed', states), repeat), hidden);
  };
  return {
    modality: 'text',
    layers: model.layers,
    width: model.width,
    heads: model.heads,
    features,
    prefixTokens: 0,
    pooling: 'token',
    source: () => input('undisturbed', states),
    embed: source => source,
    prefix(layer) {
      const { tokens, pixels } = model.declare(picture);
      const hidden = model.embed(tokens, model.features(pixels, picture));
      const { outputs, normed } = model.decode(hidden, tokens, { layer: -1 });
      return { hidden: layer < 0 ? hidden : outputs[layer], features: answerLogProbabilities(model, normed) };
    },
    suffix: (layer, hidden, repeat, _inputs, options) =>
      decodedLogProbabilities(model, picture, played(hidden, repeat), { layer, tap: options?.tap, repeat }),
    trace(layer, hidden, repeat, _inputs, options) {
      const { blocks, normed } = decode(layer, played(hidden, repeat), repeat, options?.tap);
      return { blocks, features: answerLogProbabilities(model, normed, repeat) };
    },
    pool: (hidden, repeat) => ({ features: answerLogProbabilities(model, decode(model.layers - 1, hidden, repeat).normed, repeat) }),
    // Whatever is not declared is not read.
    suffixFeeds: inputs => inputs,
  };
}
