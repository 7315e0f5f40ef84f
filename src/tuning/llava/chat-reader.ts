/** @file Samples of instruction data as tokens, labels and pixels. */

import { type EncodedChat, encodeChat } from '../../inputs/chat/encode-chat.ts';
import { findTemplate } from '../../inputs/chat/find-template.ts';
import { type ChatMessage, type Conversation, imageFirst } from '../../inputs/chat/messages.ts';
import type { ChatTemplate } from '../../inputs/chat/template.ts';
import { templateName } from '../../inputs/chat/templates/registry.ts';
import { decodeImage, imageSize } from '../../inputs/image/decode.ts';
import { ImageProcessor } from '../../inputs/image/processor.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { Tokenizer } from '../../inputs/text/tokenizer.ts';
import type { TokenizerConfig, TokenizerJson } from '../../inputs/text/tokenizer-files.ts';
import { imageTokens, type LlavaConfig } from '../../models/llava/config.ts';
import { familyOf } from '../../models/llava/families.ts';
import { imageTokenText, pictureFeeds } from '../../models/llava/files.ts';
import { joinPictured, type Pictured, type PictureLayout, type PictureReader, type Size } from '../../models/llava/pictures.ts';
import { imagesIn } from '../../models/llava/placement.ts';
import type { Feeds } from '../../runtime/runtime.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { floats } from '../../tensor/tensor.ts';
import type { PictureReading } from '../arguments.ts';
import type { Note } from '../batch-loader.ts';
import { type EncodedTurns, independentTurns, packTurns } from './isolated-turns.ts';
import type { LossAverage } from './loss-average.ts';
import { tokenFeeds } from './token-feeds.ts';

/** One sample: a conversation whose images have been found. */
export interface ChatSample extends Conversation {
  /** Its id in the file, or where it stands there. */
  readonly name: string;
  /** Absolute paths. */
  readonly images: readonly string[];
}

/** How samples become what the model is fed. Can be posted to a worker. */
export interface ChatFormat {
  readonly config: LlavaConfig;
  /** Parsed preprocessor_config.json. */
  readonly preprocessor: object;
  readonly tokenizer: { readonly json: TokenizerJson; readonly config: TokenizerConfig };
  /** A template's name, as in `LlavaArguments.template`; the model's own where there is none. */
  readonly template?: string;
  /** Longest sample in tokens, those of images included. */
  readonly maxLength: number;
  readonly aspectRatio: 'pad' | 'square';
  /** The model's directory. */
  readonly directory: string;
  readonly pictures?: PictureReading;
  /** Each question of a sample as if it were asked by itself (isolated-turns.ts). */
  readonly isolatedTurns?: boolean;
  /** What the loss is a mean over; tokens by default. */
  readonly lossAverage?: LossAverage;
}

/** A sample as tokens and labels, and what of it `maxLength` cut. */
export interface EncodedSample extends EncodedTurns, Pick<EncodedChat, 'images' | 'cut' | 'imagesCut'> {}

const DECODERS = 4;

/** Turns samples into tensors. */
export class ChatReader {
  private constructor(
    readonly format: ChatFormat,
    readonly tokenizer: Tokenizer,
    private readonly processor: ImageProcessor,
    readonly template: ChatTemplate,
    private readonly options: { readonly imageToken: number; readonly imageTokenText: string; readonly tokensPerImage: number },
    private readonly pictures?: PictureReader,
  ) {}

  /** Sizes of pictures by path, where how a picture stands in the text depends on it. */
  private readonly sizes = new Map<string, Size>();

  /** @throws NarrowsError for a tokenizer without the image token, or a template that is unknown or nowhere named */
  static async open(format: ChatFormat): Promise<ChatReader> {
    const { config, directory } = format;
    const tokenizer = new Tokenizer(format.tokenizer.json, format.tokenizer.config);
    const text = imageTokenText(tokenizer, config, directory);
    const name = format.template === undefined ? undefined : templateName(format.template);
    const template = await findTemplate(directory, { name, imageTokenText: text });
    const options = { imageToken: config.image_token_index, imageTokenText: text, tokensPerImage: imageTokens(config) };
    const family = familyOf(config);
    const pictures = family?.reader(config, format.preprocessor as Record<string, unknown>, directory, () => {});
    const rules = pictures ? { image_processor_type: 'SiglipImageProcessor' } : format.preprocessor;
    const processor = ImageProcessor.fromConfig(rules).withPadding(format.aspectRatio === 'pad' && !pictures);
    return new ChatReader(format, tokenizer, processor, template, options, pictures);
  }

  /**
   * Looks at the sizes of the samples' pictures, where their tokens depend on them; to be called before `encode`.
   * @throws NarrowsError naming the sample whose picture cannot be read
   */
  async prepare(samples: readonly ChatSample[]): Promise<void> {
    if (!this.pictures) return;
    for (const { name, images } of samples)
      for (const path of images) {
        if (this.sizes.has(path)) continue;
        const size = await imageSize(path, this.format.pictures).catch(error => {
          throw new NarrowsError(`Sample ${name}: ${messageOf(error)}`, { cause: error });
        });
        this.sizes.set(path, size);
      }
  }

  /** How a sample's pictures stand in its text; undefined for a LLaVA, where all do alike. */
  private layouts(images: readonly string[]): PictureLayout[] | undefined {
    return this.pictures?.layouts(
      images.map(path => this.sizes.get(path)!),
      images.length > 1,
    );
  }

  /** Tokens and labels. @param note called where a sample is cut, or teaches nothing */
  encode(sample: ChatSample, note: Note = () => {}): EncodedSample {
    const { maxLength } = this.format;
    try {
      const encoded = this.tokens(imageFirst(sample).messages, this.layouts(sample.images));
      if (encoded.cut) note(cutSentence(sample.name, encoded, maxLength), `cut ${sample.name}`);
      if (!encoded.labels.some((label, i) => i > 0 && label !== -100))
        note(`Nothing of sample ${sample.name} is supervised${encoded.cut ? ' once it is cut' : ''}.`, `unsupervised ${sample.name}`);
      return encoded;
    } catch (error) {
      if (!(error instanceof NarrowsError)) throw error;
      throw new NarrowsError(`Sample ${sample.name}: ${error.message}`, { cause: error });
    }
  }

  private tokens(messages: readonly ChatMessage[], pictures?: readonly PictureLayout[]): EncodedSample {
    const { maxLength, isolatedTurns } = this.format;
    const encode = (turns: readonly ChatMessage[]): EncodedChat =>
      encodeChat(this.tokenizer, this.template, turns, { ...this.options, maxLength, ...(pictures ? { pictures } : {}) });
    if (!isolatedTurns) return encode(messages);
    const rows = independentTurns(messages).map(encode);
    const { images, imagesCut } = rows[0];
    const { ids, labels, turns, left } = packTurns(rows, this.options.imageToken, maxLength);
    const cut = rows.reduce((sum, row) => sum + row.cut, left);
    return { ids, labels, turns, images, imagesCut, cut };
  }

  private decode(name: string, path: string, note: Note): Promise<RgbImage> {
    return decodeImage(path, {
      ...this.format.pictures,
      onWarning: (message, kind) => note(`Sample ${name}: ${message} (Said once for all pictures.)`, `picture ${kind}`),
      onNote: message => note(`Sample ${name}: ${message} (Said once for all pictures.)`, 'picture note'),
    });
  }

  /** Pixel values [3, S, S] of an image. @throws NarrowsError naming the sample */
  private async pixels(name: string, path: string, note: Note): Promise<Float32Array> {
    const size = this.format.config.vision_config.image_size;
    try {
      const decoded = await this.decode(name, path, note);
      const { shape, data } = this.processor.process(decoded).pixelValues;
      if (shape[1] === size && shape[2] === size) return data;
      throw new NarrowsError(`the preprocessor makes ${path} ${shape[2]} x ${shape[1]}, but the tower takes ${size} x ${size}.`);
    } catch (error) {
      throw new NarrowsError(`Sample ${name}: ${messageOf(error)}`, { cause: error });
    }
  }

  /** Images of samples, in order, as one tensor [images, 3, S, S]; a few are decoded at a time. */
  async images(samples: readonly ChatSample[], encoded: readonly EncodedSample[], note: Note = () => {}): Promise<Pictured | undefined> {
    if (this.pictures) return this.familyImages(this.pictures, samples, encoded, note);
    const wanted = samples.flatMap((sample, i) => sample.images.slice(0, encoded[i].images).map(path => [sample.name, path] as const));
    if (wanted.length === 0) return undefined;
    const size = this.format.config.vision_config.image_size;
    const each = 3 * size * size;
    const out = new Float32Array(wanted.length * each);
    let next = 0;
    const work = async (): Promise<void> => {
      for (let i = next++; i < wanted.length; i = next++) out.set(await this.pixels(...wanted[i], note), i * each);
    };
    await Promise.all(Array.from({ length: DECODERS }, work));
    return floats([wanted.length, 3, size, size], out);
  }

  /** As `images`, for a family: the tiles or patches of all pictures, one sample's behind the other's. */
  private async familyImages(reader: PictureReader, samples: readonly ChatSample[], encoded: readonly EncodedSample[], note: Note) {
    const parts: Pictured[] = [];
    for (const [i, { name, images }] of samples.entries()) {
      const kept = images.slice(0, encoded[i].images);
      if (kept.length === 0) continue;
      try {
        const decoded: RgbImage[] = [];
        for (const path of kept) decoded.push(await this.decode(name, path, note));
        parts.push(reader.process(decoded, images.length > 1));
      } catch (error) {
        throw new NarrowsError(`Sample ${name}: ${messageOf(error)}`, { cause: error });
      }
    }
    return parts.length ? joinPictured(parts) : undefined;
  }

  /** What a training graph is fed besides `loss_divisor`, weights, noise and alpha; rows are padded behind. */
  async feeds(samples: readonly ChatSample[], encoded: readonly EncodedSample[], note?: Note): Promise<Feeds> {
    const pixels = await this.images(samples, encoded, note);
    const { config, lossAverage } = this.format;
    return {
      ...tokenFeeds(config, encoded, imagesIn(config, pixels), lossAverage, pixels?.layouts),
      ...(pixels && pictureFeeds(config, pixels)),
    };
  }
}

function cutSentence(name: string, { ids, cut, imagesCut }: EncodedSample, most: number): string {
  const images = imagesCut ? ` (${imagesCut} image${imagesCut > 1 ? 's' : ''} among them)` : '';
  return `Sample ${name} has ${ids.length + cut} tokens; the last ${cut}${images} are cut, since "model_max_length" is ${most}.`;
}
