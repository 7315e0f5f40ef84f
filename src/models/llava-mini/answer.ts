/**
 * @file LLaVA-Mini as attribution of answers sees it (see answer-model.ts). Its row holds compressed tokens, which show no single patch: patches play
 * where they are erased in the pixels, or in the vision tower's output, which both compression and pre-fusion read.
 */
import { cast, equal, input, iota, mul, unsqueeze, type Value } from '../../graph/index.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { ints } from '../../tensor/tensor.ts';
import type { AnswerPicture, AnswerRow, AnswerVision } from '../answer-model.ts';
import { LlavaAnswers, placedBehind, repeatTokens, turnPositions } from '../llava/answer.ts';
import { towerWidth } from '../llava/config.ts';
import { pixelInput } from '../llava/files.ts';
import type { LlavaTap, TokenValues } from '../llava/forward.ts';
import { towerFeatures } from '../llava/forward.ts';
import type { LlavaParts } from '../llava/load.ts';
import { compressedTokens, type LlavaMiniConfig } from './config.ts';
import { miniFeeds, miniTokenInputs } from './files.ts';
import { embedConversation } from './forward.ts';
import { placeMini } from './placement.ts';
import type { MiniTokenValues } from './prefusion.ts';

/** @param tap the model's own bottleneck */
export class MiniAnswers extends LlavaAnswers {
  private readonly mini: LlavaMiniConfig;

  constructor(parts: LlavaParts<LlavaMiniConfig>, tap?: LlavaTap) {
    super(parts, tap);
    this.mini = parts.config;
  }

  /** See `AnswerModel`: no token of the row shows a cell, every token of the tower does. */
  override readPicture(picture: RgbImage): AnswerPicture {
    const seen = super.readPicture(picture);
    return { ...seen, tokenCells: Array.from({ length: compressedTokens(this.mini) }, () => []) };
  }

  /** See `AnswerModel`. The prompt is fused whole, as when it is answered; answers are not. */
  override placeRow(ids: readonly number[], turns: readonly number[], _picture: AnswerPicture, copies = 1): AnswerRow {
    const every = (values: readonly number[]) => ints([copies, values.length], Array(copies).fill(values).flat());
    const instruction = every(turns.map(turn => Number(turn === 0)));
    const placed = placeMini(this.mini, every(ids), copies, { instruction });
    const prefix = turns.filter(turn => turn === 0).length;
    return {
      feeds: { ...miniFeeds(placed), position_ids: every(turnPositions(turns, prefix)), turns: every(turns) },
      imageTokens: ids.flatMap((id, i) => (id === this.mini.image_token_index ? [i] : [])),
    };
  }

  /** See `AnswerModel`. */
  override declare(): { tokens: MiniTokenValues; pixels: Value } {
    return { tokens: { ...miniTokenInputs(), turns: input('turns', ['batch', 'seq'], 'int32') }, pixels: pixelInput(this.mini) };
  }

  /** See `AnswerModel`: the tower's output, since what is compressed and fused depends on the words. */
  override features(pixels: Value): Value {
    return towerFeatures(this.parts.parameters, this.mini, pixels);
  }

  /** See `AnswerModel`. Words that are hidden from attention are hidden from pre-fusion too. */
  override embed(tokens: TokenValues, tower: Value): Value {
    const given = tokens as MiniTokenValues;
    const shown = { ...given, fused: mul(given.fused, given.attentionMask) };
    const { embedded } = embedConversation(this.parts.parameters, this.mini, shown, tower);
    return this.tap ? this.tap(-1, embedded, tokens) : embedded;
  }

  /** See `AnswerModel`. */
  override get vision(): AnswerVision<TokenValues> {
    return {
      width: towerWidth(this.mini),
      tower: pixels => this.features(pixels),
      features: tower => tower,
      embed: (declared, tower, repeat) => {
        const { imageRows, ...tokens } = repeatTokens(declared as MiniTokenValues, repeat);
        const rows = iota(tokens.ids, 0);
        const own = {
          imageRows: placedBehind(imageRows, rows, compressedTokens(this.mini)),
          owners: rows,
          shares: cast(equal(unsqueeze(rows, -1), unsqueeze(rows, 0)), 'float32'),
        };
        return this.embed({ ...tokens, ...own } as MiniTokenValues, tower);
      },
    };
  }
}
