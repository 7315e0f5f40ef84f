/** @file LLaVA as attribution of answers sees it (see answer-model.ts), with its bottleneck where it has one. */
import { add, type Dim, input, iota, matmul, mul, mulDims, reshape, unsqueeze, type Value } from '../../graph/index.ts';
import { cropProcessed } from '../../inputs/image/processor.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { repeatRows } from '../../nn/repeat-rows.ts';
import { floats, ints, type Tensor } from '../../tensor/tensor.ts';
import type { AnswerModel, AnswerPicture, AnswerRow, AnswerVision, RowDecoding } from '../answer-model.ts';
import { gridSize } from '../model-config.ts';
import { imageTokens, type LlavaConfig, towerWidth } from './config.ts';
import { familyOf } from './families.ts';
import type { PictureCuts } from './family.ts';
import { pixelInput, rowInputs } from './files.ts';
import {
  imageFeatures,
  type LlavaTap,
  languageHead,
  languageModel,
  placeFeatures,
  projectFeatures,
  type TokenValues,
  towerFeatures,
} from './forward.ts';
import type { LlavaParts } from './load.ts';
import { nextPositions } from './mrope.ts';
import { type Placement, placeImages } from './placement.ts';
import { queryParts, towerBytes } from './tower-parts.ts';

/** The position behind a prompt's tokens. */
const behind = ({ positions, spatial }: Placement, prompt: number): number => {
  const cut = (tensor: Tensor, each: number): Tensor => ints([1, prompt * each], (tensor.data as Int32Array).slice(0, prompt * each));
  const all = { positions: cut(positions, 1), ...(spatial ? { spatial: cut(spatial, 2) } : {}) };
  return nextPositions(all, ints([1, prompt], new Int32Array(prompt).fill(1)))[0];
};

/** Rows and columns: the prompt's as they were placed, an answer's as its positions. */
function spatialRow(placed: Tensor, positions: readonly number[], prompt: number, copies: number): Tensor {
  const one = positions.flatMap((at, i) => (i < prompt ? [0, 1].map(k => Number(placed.data[2 * i + k])) : [at, at]));
  return ints([copies, positions.length, 2], Array(copies).fill(one).flat());
}

/** Positions of a row's tokens: the prompt's count from 0, those of every answer from `first`. */
export function turnPositions(turns: readonly number[], first: number): number[] {
  const counts = new Map<number, number>();
  return turns.map(turn => {
    const at = counts.get(turn) ?? (turn === 0 ? 0 : first);
    counts.set(turn, at + 1);
    return at;
  });
}

/** Each row of the tokens `repeat` times, side by side. */
export const repeatTokens = <T extends TokenValues>(tokens: T, repeat: Dim): T =>
  Object.fromEntries(Object.entries(tokens).map(([name, x]) => [name, repeatRows(x, repeat)])) as unknown as T;

/** Rows of image features [B, T], where the picture of row b is the `pictures[b]`-th of `perImage` features each. */
export const placedBehind = (imageRows: Value, pictures: Value, perImage: number): Value =>
  add(imageRows, unsqueeze(mul(pictures, perImage), -1));

/** @param tap the model's own bottleneck */
export class LlavaAnswers implements AnswerModel<TokenValues> {
  constructor(
    protected readonly parts: LlavaParts,
    protected readonly tap?: LlavaTap,
  ) {}

  get runtime() {
    return this.parts.runtime;
  }

  get layers(): number {
    return this.config.text_config.num_hidden_layers;
  }

  get width(): number {
    return this.config.text_config.hidden_size;
  }

  get heads(): number {
    return this.config.text_config.num_attention_heads;
  }

  protected get config(): LlavaConfig {
    return this.parts.config;
  }

  /** See `AnswerModel`. A tower whose class token is kept has a token that shows no cell. */
  readPicture(picture: RgbImage): AnswerPicture {
    const { pictures } = this.parts;
    const family = familyOf(this.config);
    if (family && pictures) {
      const pixels = pictures.process([picture]);
      const layouts = pixels.layouts ?? pictures.layouts([picture]);
      return { pixels, layouts, ...family.cells(this.config, layouts[0], pixels.shape) };
    }
    const { vision_config: vision } = this.config;
    const side = gridSize(vision);
    const covered = side * vision.patch_size;
    const processed = this.parts.processor.process(picture);
    const { pixelValues } = processed;
    const [channels, height, width] = pixelValues.shape;
    const pixelCells = Int32Array.from({ length: pixelValues.data.length }, (_, i) => {
      const [y, x] = [Math.floor(i / width) % height, i % width];
      return y < covered && x < covered ? Math.floor(y / vision.patch_size) * side + Math.floor(x / vision.patch_size) : -1;
    });
    const tokens = imageTokens(this.config);
    const first = tokens - side * side;
    // A tower that cut off its first patch has one token less than cells.
    const cells = Array.from({ length: tokens }, (_, i) => (i < first ? [] : [i - first]));
    return {
      pixels: floats([1, channels, height, width], pixelValues.data),
      grid: [side, side],
      view: cropProcessed(processed, covered, covered).view,
      pixelCells,
      tokenCells: cells,
      towerCells: cells,
    };
  }

  /** See `AnswerModel`: mostly its attention. */
  pictureBytes({ pixels, layouts }: AnswerPicture): number {
    return layouts ? towerBytes(this.config, pixels) : 0;
  }

  /** See `AnswerModel`. */
  placeRow(ids: readonly number[], turns: readonly number[], picture: AnswerPicture, copies = 1): AnswerRow {
    const { layouts } = picture;
    const perImage = picture.tokenCells.length;
    const placed = placeImages(this.config, ints([1, ids.length], [...ids]), layouts ? perImage : 1, undefined, undefined, layouts);
    const prefix = turns.filter(turn => turn === 0).length;
    const { spatial } = placed;
    const counted = turnPositions(turns, spatial ? behind(placed, prefix) : prefix);
    const positions = counted.map((at, i) => (turns[i] === 0 && spatial ? Number(placed.positions.data[i]) : at));
    const row = (values: ArrayLike<number>, add = 0): Tensor => {
      const data = new Int32Array(copies * ids.length);
      for (let m = 0; m < copies; m++) for (let i = 0; i < ids.length; i++) data[m * ids.length + i] = values[i] + m * add;
      return ints([copies, ids.length], data);
    };
    const data = (tensor: Tensor): ArrayLike<number> => tensor.data as Int32Array;
    return {
      feeds: {
        input_ids: row(data(placed.ids)),
        modality: row(data(placed.modality)),
        // Rows of words are read by nobody, so that they may count on.
        image_rows: row(data(placed.imageRows), perImage),
        position_ids: row(positions),
        attention_mask: row(data(placed.attentionMask)),
        turns: row(turns),
        ...(spatial ? { position_ids_spatial: spatialRow(spatial, positions, prefix, copies) } : {}),
      },
      pictureFeeds: layouts && familyOf(this.config)?.feeds?.(this.config, Array(copies).fill(layouts).flat()),
      imageTokens: ids.flatMap((id, i) => (id === this.config.image_token_index ? [i] : [])),
    };
  }

  /** See `AnswerModel`. */
  declare(picture: AnswerPicture): { tokens: TokenValues; pixels: Value } {
    const each = this.cutsOf(picture)?.each;
    const rows = each && mulDims(['pictures', each]);
    return {
      tokens: { ...rowInputs(this.config), turns: input('turns', ['batch', 'seq'], 'int32') },
      pixels: pixelInput(this.config, rows),
    };
  }

  /** See `AnswerModel`: [I, N, width]. */
  features(pixels: Value, picture: AnswerPicture): Value {
    return imageFeatures(this.parts.parameters, this.config, pixels, this.cutsOf(picture));
  }

  /** Copies of a picture have as many patches each. */
  private cutsOf({ pixels, layouts }: AnswerPicture): PictureCuts | undefined {
    if (layouts?.length !== 1 || familyOf(this.config)?.tiled !== false) return undefined;
    return { each: layouts[0].pixels, parts: queryParts(this.config, { ...pixels, layouts }) };
  }

  /** See `AnswerModel`. */
  embed(tokens: TokenValues, features: Value): Value {
    const rows = reshape(features, [mulDims(features.shape.slice(0, 2)), features.shape[2]]);
    const embedded = placeFeatures(this.parts.parameters, this.config, tokens, rows);
    return this.tap ? this.tap(-1, embedded, tokens) : embedded;
  }

  /** See `AnswerModel`. */
  decode(hidden: Value, declared: TokenValues, { layer, tap, read }: RowDecoding, repeat: Dim = 1) {
    const tokens = repeatTokens(declared, repeat);
    // A bottleneck may stand on the last block, and sees all of its rows.
    if (read && !tap && !this.tap) {
      const run = languageModel(this.parts.parameters, this.config, hidden, tokens, { from: layer + 1, read });
      return { outputs: run.hidden.slice(1), normed: run.hidden.at(-1)!, blocks: run.blocks };
    }
    const outputs: Value[] = [];
    const run = languageModel(this.parts.parameters, this.config, hidden, tokens, {
      from: layer + 1,
      tap: (at, output, of) => {
        if (at <= layer) return output;
        const own = this.tap ? this.tap(at, output, of) : output;
        outputs.push(tap ? tap(at, own) : own);
        return outputs.at(-1)!;
      },
    });
    const normed = run.hidden.at(-1)!;
    return { outputs, normed: read ? matmul(read, normed) : normed, blocks: run.blocks };
  }

  /** See `AnswerModel`; other families' tokens between tower and projector are no patches. */
  get vision(): AnswerVision<TokenValues> | undefined {
    if (familyOf(this.config)) return undefined;
    const { config, parts } = this;
    return {
      width: towerWidth(config),
      tower: pixels => towerFeatures(parts.parameters, config, pixels),
      features: tower => projectFeatures(parts.parameters, config, tower),
      embed: (declared, tower, repeat) => {
        const tokens = repeatTokens(declared, repeat);
        const features = projectFeatures(parts.parameters, config, tower);
        const perImage = features.shape[1] as number;
        return this.embed({ ...tokens, imageRows: placedBehind(tokens.imageRows, iota(tokens.ids, 0), perImage) }, features);
      },
    };
  }

  /** See `AnswerModel`. */
  logits(normed: Value): Value {
    return languageHead(this.parts.parameters, this.config, normed);
  }
}
