/**
 * @file Coalitions of a question: log-probabilities of the answers' tokens when only some patches of the picture, or words of the question, are
 * there. Patches are erased in the pixels, so that the tower sees none of them; words are hidden from attention. One set of coalitions serves
 * every target: the whole answer and each of its words.
 */
import { type CompiledGraph, cacheKey, compile, type Keep } from '../../graph/index.ts';
import type { Modality } from '../../models/dual-encoder.ts';
import { rowBytes } from '../../models/row-bytes.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type FloatTensor, floats, ints } from '../../tensor/tensor.ts';
import type { Game } from '../game.ts';
import { fittingRows } from '../memory.ts';
import { gaussianBlur } from '../perturbation/blur.ts';
import { coalitionKeys } from '../perturbation/coalitions.ts';
import type { Players } from '../perturbation/players.ts';
import type { Removal } from '../removal-options.ts';
import { chunks, row } from '../rows.ts';
import { scoreFeatures, type Target } from '../target.ts';
import type { AnsweredRow } from './answer-row.ts';
import { answerSelection, decodedLogProbabilities } from './row-tower.ts';

/** Rows of one run, about: longer runs are not faster. */
const RUN_TOKENS = 4096;
/** The blur's deviation, in sides of a cell. */
const BLUR = 0.5;

/** What the games need of a run. */
export interface GameRun {
  readonly keep: Keep;
  readonly maxMemory: number;
  readonly signal?: AbortSignal;
  passes?(modality: Modality, rows: number, forwardBlocks: number): void;
  advance?(units?: number): void;
}

/** Games of one question. */
export class AnswerGames {
  private readonly known = new Map<string, Float32Array>();
  private blurred: FloatTensor | undefined;

  constructor(
    readonly row: AnsweredRow,
    private readonly run: GameRun,
  ) {}

  /**
   * A target as a game over patches or words.
   * @param players cells of the grid, or places in the row's `promptTokens`
   */
  game(modality: Modality, target: Target, p: number, players: Players, options: Removal): Game {
    return {
      players: players.length,
      values: async coalitions => {
        const found = await this.logProbabilities(modality, players, coalitions, options);
        return Float64Array.from({ length: found.shape[0] }, (_, m) => scoreFeatures(target, p, row(found, m)));
      },
    };
  }

  /** @param coalitions [M, players], 1 = there @returns [M, K] over all answers' tokens @throws NarrowsError for words that shall be deleted */
  async logProbabilities(modality: Modality, players: Players, coalitions: Uint8Array, options: Removal): Promise<FloatTensor> {
    if (modality === 'text' && options.textRemoval === 'delete')
      throw new NarrowsError(
        'Words of a question are hidden from attention, not deleted, as tokens behind them would move; take the text removal "mask".',
        {
          kind: 'usage',
        },
      );
    if (modality === 'image' && options.removal === 'drop' && this.row.imageTokens.length === 0)
      throw new NarrowsError(
        'No token of this model shows a single patch, so that none can be hidden; take the removal "mean" or "blur".',
        {
          kind: 'usage',
        },
      );
    const scene = cacheKey(modality, { players, removal: modality === 'image' ? options.removal : undefined });
    const names = coalitionKeys(coalitions, players.length).map(key => `${scene}${key}`);
    const features = this.row.answers.reduce((sum, answer) => sum + answer.tokens.length, 0);
    const todo = new Map<string, number>();
    names.forEach((name, m) => {
      if (!this.known.has(name) && !todo.has(name)) todo.set(name, m);
    });
    this.run.advance?.(names.length - todo.size);
    const list = [...todo];
    const tokens = this.row.ids.length;
    const { model, picture } = this.row;
    // Every coalition has a picture of its own.
    const seen = 16 * picture.pixels.data.length + (modality === 'image' ? (model.pictureBytes?.(picture) ?? 0) : 0);
    const bytes = rowBytes(model, tokens, model.layers, false) + seen;
    const fits = fittingRows(this.run.maxMemory, bytes, `A forward pass over ${tokens} tokens of picture, question and answer`);
    for (const range of chunks(list.length, Math.min(fits, Math.max(4, RUN_TOKENS / tokens)))) {
      this.run.signal?.throwIfAborted();
      const part = list.slice(...range);
      const shown = part.map(([, m]) => coalitions.subarray(m * players.length, (m + 1) * players.length));
      // Never a single row: its rounding differs, and what is kept must not depend on what was known before.
      const values = await this.forward(modality, players, shown.length === 1 ? [shown[0], shown[0]] : shown, options.removal);
      part.forEach(([name], i) => {
        this.known.set(name, values.slice(i * features, (i + 1) * features));
      });
      this.run.passes?.('text', part.length, this.row.model.layers);
      this.run.advance?.(part.length);
    }
    const out = new Float32Array(names.length * features);
    names.forEach((name, m) => {
      out.set(this.known.get(name)!, m * features);
    });
    return floats([names.length, features], out);
  }

  /** @param shown the coalitions @returns [M, K] */
  private async forward(
    modality: Modality,
    players: Players,
    shown: readonly Uint8Array[],
    removal: Removal['removal'],
  ): Promise<Float32Array> {
    const { row: asked, run } = this;
    const { model, picture } = asked;
    const [count, tokens] = [shown.length, asked.ids.length];
    const graph = await run.keep(cacheKey('answer coalitions', { pixels: picture.pixels.shape, tokens: picture.tokenCells.length }), () =>
      forwardGraph(asked),
    );
    const { feeds, pictureFeeds } = model.placeRow(asked.ids, asked.turns, picture, count);
    const mask = Int32Array.from(feeds.attention_mask.data as Int32Array);
    const size = picture.pixels.data.length;
    const pixels = new Float32Array(count * size);
    const away = removal === 'blur' ? this.blur() : undefined;
    shown.forEach((coalition, m) => {
      const pixel = pixels.subarray(m * size, (m + 1) * size);
      pixel.set(picture.pixels.data);
      const gone = new Set(players.flatMap((group, i) => (coalition[i] ? [] : group)));
      if (gone.size === 0) return;
      if (modality === 'text') for (const i of gone) mask[m * tokens + asked.promptTokens[i].at] = 0;
      else if (removal === 'drop') {
        asked.imagePlaces.forEach((at, i) => {
          if (picture.tokenCells[i].length && picture.tokenCells[i].every(cell => gone.has(cell))) mask[m * tokens + at] = 0;
        });
      } else
        picture.pixelCells.forEach((cell, i) => {
          if (gone.has(cell)) pixel[i] = away ? away.data[i] : 0;
        });
    });
    const { answer_select, answer_ids } = answerSelection(asked);
    const repeated = (data: ArrayLike<number>): number[] => Array.from({ length: count }, () => Array.from(data)).flat();
    const out = await graph.run(
      {
        ...feeds,
        ...pictureFeeds,
        attention_mask: ints([count, tokens], mask),
        pixel_values: floats([count * picture.pixels.shape[0], ...picture.pixels.shape.slice(1)], pixels),
        answer_select: floats([count, ...answer_select.shape.slice(1)], repeated(answer_select.data as Float32Array)),
        answer_ids: ints([count, ...answer_ids.shape.slice(1)], repeated(answer_ids.data as Int32Array)),
      },
      { signal: run.signal },
    );
    return out.features.data as Float32Array;
  }

  private blur(): FloatTensor {
    const { pixels, grid } = this.row.picture;
    if (pixels.shape.length !== 4)
      throw new NarrowsError('Pictures of this model are no planes of pixels, which cannot be blurred; take the removal "mean".', {
        kind: 'usage',
      });
    this.blurred ??= gaussianBlur(pixels, (BLUR * pixels.shape[2]) / grid[0]);
    return this.blurred;
  }
}

/** The whole model on copies of a row, each with its own picture. */
export function forwardGraph({ model, picture }: AnsweredRow): Promise<CompiledGraph> {
  const { tokens, pixels } = model.declare(picture);
  const hidden = model.embed(tokens, model.features(pixels, picture));
  return compile(model.runtime, { features: decodedLogProbabilities(model, picture, hidden, { layer: -1 }) });
}
