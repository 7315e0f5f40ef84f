/**
 * @file What stands between a picture's vision tower and the answer as a tower: its tokens are those of the vision tower's output, its features the
 * log-probabilities of the answers' tokens. A gate there (`--layer -2`) stands in front of the projector, and of whatever compresses or fuses.
 */
import { type Dim, equal, input, unsqueeze, type Value, where } from '../../graph/index.ts';
import type { AnswerModel, AnswerPicture, AnswerVision } from '../../models/answer-model.ts';
import type { Tower } from '../../models/dual-encoder.ts';
import { repeatRows } from '../../nn/repeat-rows.ts';
import { NarrowsError } from '../../system/errors.ts';
import { decodedLogProbabilities } from './row-tower.ts';

/** The layer whose output is the vision tower's. */
export const TOWER_LAYER = -2;

/** Whether the row's tokens show patches; LLaVA-Mini's compressed ones do not. */
export const showsPatches = ({ tokenCells }: AnswerPicture): boolean => tokenCells.some(cells => cells.length > 0);

/**
 * Whether a gate stands on the vision tower's output: where that layer is named, or none is and no token of the row shows a patch.
 * @throws NarrowsError where the tower's tokens are no patches
 */
export function gateAtTower(layer: number | 'auto', picture: AnswerPicture): boolean {
  if (layer === 'auto' && !showsPatches(picture)) return true;
  if (layer !== TOWER_LAYER) return false;
  if (picture.towerCells) return true;
  throw new NarrowsError(
    'The tokens of this model between its vision tower and its projector are no patches of a map, so that no gate can stand there (--layer -2); take --layer -1.',
    { kind: 'usage' },
  );
}

/** @param vision of the model @param features how many answer tokens there are */
export function pictureTower(model: AnswerModel, vision: AnswerVision, picture: AnswerPicture, features: number): Tower {
  const count = picture.towerCells!.length;
  const states = ['batch', count, vision.width];
  /** Tokens without a cell (a class token) keep what they are. */
  const played = (hidden: Value, repeat: Dim): Value => {
    const playing = unsqueeze(repeatRows(input('playing', ['batch', count]), repeat), -1);
    return where(equal(playing, 0), repeatRows(input('undisturbed', states), repeat), hidden);
  };
  const refuse = (): never => {
    throw new NarrowsError("Only a gate can stand on the vision tower's output of a model that answers; leave the layer -2 out.", {
      kind: 'usage',
    });
  };
  return {
    ...{ modality: 'image', layers: model.layers, width: vision.width, heads: model.heads, features, prefixTokens: 0, pooling: 'token' },
    source: () => input('undisturbed', states),
    embed: source => source,
    prefix() {
      const { tokens, pixels } = model.declare(picture);
      const hidden = vision.tower(pixels);
      const embedded = model.embed(tokens, vision.features(hidden));
      return { hidden, features: decodedLogProbabilities(model, picture, embedded, { layer: -1 }) };
    },
    suffix(_layer, hidden, repeat) {
      const embedded = vision.embed(model.declare(picture).tokens, played(hidden, repeat), repeat);
      return decodedLogProbabilities(model, picture, embedded, { layer: -1, repeat });
    },
    ...{ trace: refuse, pool: refuse },
    suffixFeeds: inputs => inputs,
  };
}
