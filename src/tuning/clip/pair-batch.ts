/** @file Training batches of image–caption pairs. A batch is a function of (seed, step) and the files only. */
import { decodeImage } from '../../inputs/image/decode.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import { ImageProcessor } from '../../inputs/image/processor.ts';
import { Tokenizer } from '../../inputs/text/tokenizer.ts';
import type { TokenizerConfig, TokenizerJson } from '../../inputs/text/tokenizer-files.ts';
import type { CLIPTextConfig } from '../../models/clip/config.ts';
import { eosPositions } from '../../models/clip/text.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { RandomStream } from '../../tensor/random.ts';
import { floats, ints } from '../../tensor/tensor.ts';
import type { PictureReading } from '../arguments.ts';
import type { Note } from '../batch-loader.ts';
import type { Span } from '../parallel/leaves.ts';
import type { Batch } from './batch.ts';
import type { Pair } from './pairs.ts';

/** How pairs become what the towers are fed. Can be posted to a worker. */
export interface PairFormat {
  readonly preprocessor: object;
  readonly tokenizer: { readonly json: TokenizerJson; readonly config: TokenizerConfig };
  readonly textConfig: CLIPTextConfig;
  readonly imageSize: number;
  readonly patchSize: number;
  /** Longest text in tokens. */
  readonly maxLength: number;
  readonly pictures?: PictureReading;
}

/** What the batches of a run are drawn from. */
export interface PairBatchSettings {
  readonly pairs: readonly Pair[];
  readonly format: PairFormat;
  readonly seed: number;
  readonly batchSize: number;
  /** How many patches, at random, are kept at a step (FLIP, arXiv 2212.00794); all where ≥ the grid. */
  readonly keptPatches: readonly { readonly fromStep: number; readonly count: number }[];
  /** Batches hold `groups` [batch], equal where captions are: see `captionGroups`. */
  readonly grouped?: boolean;
  /** Take the next pair of the order where an image cannot be read. */
  readonly ignoreBad: boolean;
}

const DECODERS = 4;

/** Of each text the place at which it comes first: equal where texts are. */
export function captionGroups(texts: readonly string[]): Int32Array {
  const first = new Map<string, number>();
  return Int32Array.from(texts, (text, i) => {
    if (!first.has(text)) first.set(text, i);
    return first.get(text)!;
  });
}

/** Turns pairs into tensors. */
export class PairReader {
  private readonly processor: ImageProcessor;
  private readonly tokenizer: Tokenizer;

  constructor(private readonly format: PairFormat) {
    this.processor = ImageProcessor.fromConfig(format.preprocessor);
    this.tokenizer = new Tokenizer(format.tokenizer.json, format.tokenizer.config);
  }

  get vocabularySize(): number {
    return this.tokenizer.vocabularySize;
  }

  /** Number of patches of an image. */
  get grid(): number {
    return Math.floor(this.format.imageSize / this.format.patchSize) ** 2;
  }

  /** Pixel values [3, S, S] of a pair's image. @throws NarrowsError naming file and line */
  async pixels({ image, place }: Pair, note: Note = () => {}): Promise<Float32Array> {
    const size = this.format.imageSize;
    try {
      const { shape, data } = this.processor.process(await decodeImage(image, this.reading(place, note))).pixelValues;
      if (shape[1] === size && shape[2] === size) return data;
      throw new NarrowsError(`The preprocessor makes it ${shape[2]} x ${shape[1]}, but the model takes ${size} x ${size}.`);
    } catch (error) {
      throw new NarrowsError(`${place}: ${messageOf(error)}`, { cause: error });
    }
  }

  private reading(place: string, note: Note): ImageReadOptions {
    return {
      ...this.format.pictures,
      onWarning: (message, kind) => note(`${place}: ${message} (Said once for all pictures.)`, `picture ${kind}`),
      onNote: message => note(`${place}: ${message} (Said once for all pictures.)`, 'picture note'),
    };
  }

  /** Images of pairs, a few at a time; an Error stands for one that cannot be read. */
  async images(pairs: readonly Pair[], note?: Note): Promise<(Float32Array | Error)[]> {
    const out: (Float32Array | Error)[] = new Array(pairs.length);
    let next = 0;
    const work = async (): Promise<void> => {
      for (let i = next++; i < pairs.length; i = next++) out[i] = await this.pixels(pairs[i], note).catch((error: Error) => error);
    };
    await Promise.all(Array.from({ length: DECODERS }, work));
    return out;
  }

  /** The chosen patches of an image as [K, 3·p·p] into `out` at `at`. */
  patches(pixels: Float32Array, kept: ArrayLike<number>, out: Float32Array, at: number): void {
    const { imageSize: size, patchSize: patch } = this.format;
    const columns = Math.floor(size / patch);
    for (let k = 0; k < kept.length; k++) {
      const corner = Math.floor(kept[k] / columns) * patch * size + (kept[k] % columns) * patch;
      for (let c = 0; c < 3; c++)
        for (let y = 0; y < patch; y++, at += patch) {
          const from = c * size * size + corner + y * size;
          out.set(pixels.subarray(from, from + patch), at);
        }
    }
  }

  /** Texts as ids [B, T] and the positions [B] at which they are pooled. */
  texts(texts: readonly string[], note: Note = () => {}): Pick<Batch, 'ids' | 'eos'> {
    const { inputIds: ids, rows } = this.tokenizer.encodeBatch(texts, { maxLength: this.format.maxLength });
    const cut = rows.findIndex(row => row.truncated);
    if (cut >= 0)
      note(`Captions of more than ${this.format.maxLength} tokens are cut, such as ${JSON.stringify(texts[cut])}.`, 'truncated');
    return { ids, eos: eosPositions(this.format.textConfig, ids) };
  }

  /** What the towers are fed: patches [B, K, 3·p·p], kept [B, K], ids [B, T], eos [B]. */
  tensors(images: readonly Float32Array[], kept: readonly ArrayLike<number>[], texts: readonly string[], note?: Note): Batch {
    const count = kept[0].length;
    const width = 3 * this.format.patchSize ** 2;
    const pixels = new Float32Array(images.length * count * width);
    const rows = new Int32Array(images.length * count);
    for (const [b, image] of images.entries()) {
      this.patches(image, kept[b], pixels, b * count * width);
      rows.set(kept[b], b * count);
    }
    return { patches: floats([images.length, count, width], pixels), kept: ints([images.length, count], rows), ...this.texts(texts, note) };
  }
}

/** Draws the batches of a run: every epoch in an order of its own, the last pairs that do not fill a batch left out. */
export class PairBatches {
  private readonly reader: PairReader;
  private readonly stream: RandomStream;
  private readonly patchStream: RandomStream;
  private order: { epoch: number; rows: number[] } | undefined;

  constructor(private readonly settings: PairBatchSettings) {
    this.reader = new PairReader(settings.format);
    this.stream = new RandomStream(settings.seed, 'pairs');
    this.patchStream = new RandomStream(settings.seed, 'patches');
  }

  private orderOf(epoch: number): number[] {
    if (this.order?.epoch !== epoch) this.order = { epoch, rows: this.stream.reader(epoch, 0).shuffle([...this.settings.pairs.keys()]) };
    return this.order.rows;
  }

  /** The batch of a step. @param rows only these of it; groups are of all @throws NarrowsError naming file and line of an image that cannot be read */
  async batch(step: number, note: Note = () => {}, rows: Span = { from: 0, to: this.settings.batchSize }): Promise<Batch> {
    const { pairs, batchSize, keptPatches, ignoreBad } = this.settings;
    const perEpoch = Math.floor(pairs.length / batchSize);
    const order = this.orderOf(Math.floor(step / perEpoch));
    const from = (step % perEpoch) * batchSize;
    const images: (Float32Array | undefined)[] = [];
    const texts: string[] = [];
    const isMine = (i: number): boolean => i >= rows.from && i < rows.to;
    // Where images are bad, the pairs after the batch fill it up: the same ones whenever the batch is drawn.
    for (let used = 0; images.length < batchSize; ) {
      const wanted = Math.min(batchSize - images.length, order.length - used);
      if (wanted === 0) throw new NarrowsError(`Fewer than ${batchSize} images can be read; that does not fill a batch.`);
      const chosen = Array.from({ length: wanted }, (_, i) => pairs[order[(from + used + i) % order.length]]);
      used += wanted;
      // Where one that cannot be read ends the run, others' pictures need not be looked at.
      const read = await this.reader.images(ignoreBad ? chosen : chosen.filter((_, i) => isMine(i)), note);
      const found = ignoreBad ? read : chosen.map((_, i) => (isMine(i) ? read[i - rows.from] : undefined));
      for (const [i, image] of found.entries()) {
        if (image instanceof Error) {
          if (!ignoreBad || !(image instanceof NarrowsError)) throw image;
          note(`Left out: ${image.message}`, chosen[i].place);
          continue;
        }
        images.push(image);
        texts.push(chosen[i].text);
      }
    }
    const { grid } = this.reader;
    const count = Math.min(grid, keptPatches.filter(k => k.fromStep <= step).at(-1)?.count ?? grid);
    const all = [...Array(grid).keys()];
    const mine = images.flatMap((image, b) => (image && isMine(b) ? [{ image, b }] : []));
    const kept = mine.map(({ b }) =>
      count === grid
        ? all
        : this.patchStream
            .reader(step, b)
            .shuffle(all)
            .slice(0, count)
            .sort((a, c) => a - c),
    );
    const batch = this.reader.tensors(
      mine.map(({ image }) => image),
      kept,
      texts.slice(rows.from, rows.to),
      note,
    );
    return this.settings.grouped ? { ...batch, groups: ints([texts.length], captionGroups(texts)) } : batch;
  }
}
