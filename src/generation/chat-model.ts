/** @file A model with all that turns a conversation into tokens and tokens into an answer: tokenizer, template, processor, defaults. */
import type { BottleneckLlavaOptions } from '../bottleneck/gaussian/llava.ts';
import { readConfig } from '../checkpoints/config.ts';
import { type EncodedChat, encodeChat } from '../inputs/chat/encode-chat.ts';
import { findTemplate } from '../inputs/chat/find-template.ts';
import type { ChatMessage } from '../inputs/chat/messages.ts';
import type { ChatTemplate } from '../inputs/chat/template.ts';
import { stackImages } from '../inputs/image/processor.ts';
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { expandToSquare, meanColour } from '../inputs/image/square.ts';
import { Tokenizer } from '../inputs/text/tokenizer.ts';
import type { LlavaPrompt } from '../models/llava/decoding.ts';
import { imageTokenText } from '../models/llava/files.ts';
import { NarrowsError } from '../system/errors.ts';
import type { FloatTensor } from '../tensor/tensor.ts';
import { readGenerationDefaults } from './defaults.ts';
import type { GenerationOptions } from './generate.ts';
import { type AnsweringModel, openLlava, tokensPerImage } from './open-llava.ts';

/** What becomes of a picture that is no square: widened to one with the mean colour (LLaVA-1.5's evaluation), or as the processor says. */
export type ImageAspect = 'pad' | 'square';

/** How a chat model is opened. */
export interface ChatOptions extends BottleneckLlavaOptions {
  /** Name of a chat template (see `findTemplate`); the checkpoint decides by default. */
  readonly template?: string;
  /** By default what the checkpoint says (`image_aspect_ratio` of config.json, `do_pad` of its preprocessor), else `square`. */
  readonly imageAspect?: ImageAspect;
}

/** What a template writes behind an answer. */
function answerEnd(template: ChatTemplate): string {
  const answer = 'ANSWER';
  const spans = template.render([
    { role: 'user', content: 'QUESTION' },
    { role: 'assistant', content: answer },
  ]);
  const said = spans
    .filter(span => span.supervised)
    .map(span => span.text)
    .join('');
  return said.slice(said.indexOf(answer) + answer.length);
}

/** A model ready to talk. Release it (or `await using`) when done. */
export class ChatModel implements AsyncDisposable {
  private constructor(
    readonly model: AnsweringModel,
    readonly template: ChatTemplate,
    readonly tokenizer: Tokenizer,
    /** Most tokens of a conversation, images and answer included. */
    readonly maxLength: number,
    /** How the checkpoint wants to be continued; what ends an answer follows from it and from the template. */
    readonly defaults: GenerationOptions,
    private readonly aspect: ImageAspect,
    private readonly imageText: string | undefined,
  ) {}

  /**
   * @param reference a shipped model's name, a directory, or `org/name[@revision]`
   * @throws NarrowsError as `openLlava`; for a checkpoint without a usable tokenizer, or whose template nothing tells
   */
  static async open(reference?: string, options: ChatOptions = {}): Promise<ChatModel> {
    return ChatModel.from(await openLlava(reference, options), options);
  }

  /** As `open`, for a model that is loaded already; it is released where this fails. */
  static async from(model: AnsweringModel, options: Pick<ChatOptions, 'template' | 'imageAspect'> = {}): Promise<ChatModel> {
    try {
      return await ChatModel.assemble(model, options);
    } catch (error) {
      await model.release();
      throw error;
    }
  }

  private static async assemble(model: AnsweringModel, options: Pick<ChatOptions, 'template' | 'imageAspect'>): Promise<ChatModel> {
    const { config, parts } = model;
    const { tokenizer } = parts;
    const { directory } = parts.checkpoint;
    if (!(tokenizer instanceof Tokenizer)) throw tokenizer;
    const imageText = config.image_token_index >= 0 ? imageTokenText(tokenizer, config, directory) : undefined;
    const template = await findTemplate(directory, { name: options.template, imageTokenText: imageText });
    const { eosTokens, ...defaults } = await readGenerationDefaults(directory, config.text_config.eos_token_id);
    const end = answerEnd(template);
    const token = tokenizer.encode(end).tokens.find(({ end: to, text }) => to > 0 && end.startsWith(text))?.id;
    const special = token !== undefined && tokenizer.decode([token]) === '';
    const ends = special ? { eosTokens: [...new Set([...eosTokens, token])] } : { eosTokens, ...(end ? { stop: [end] } : {}) };
    const json = await readConfig(directory);
    const { do_pad } = parts.processor.config as { do_pad?: boolean };
    const said = json.image_aspect_ratio ?? (do_pad ? 'pad' : 'square');
    return new ChatModel(
      model,
      template,
      tokenizer,
      config.text_config.max_position_embeddings,
      { ...defaults, ...ends },
      options.imageAspect ?? (said === 'pad' ? 'pad' : 'square'),
      imageText,
    );
  }

  get name(): string {
    return this.model.parts.name;
  }

  /** Pictures as the tower takes them, [images, C, S, S]; undefined for none. */
  pixels(images: readonly RgbImage[]): FloatTensor | undefined {
    if (images.length === 0) return undefined;
    return stackImages(images.map(image => this.model.parts.processor.process(this.picture(image)).pixelValues));
  }

  /** A picture as the processor gets it: widened to a square where the checkpoint wants that. */
  picture(image: RgbImage): RgbImage {
    return this.aspect === 'pad' ? expandToSquare(image, meanColour(this.model.parts.processor.config.image_mean)) : image;
  }

  /**
   * Turns up to a question as tokens, with the text that they stand for.
   * @throws NarrowsError where the template cannot render them
   */
  encoded(messages: readonly ChatMessage[]): EncodedChat {
    return encodeChat(this.tokenizer, this.template, messages, {
      imageToken: this.model.config.image_token_index,
      imageTokenText: this.imageText,
      tokensPerImage: tokensPerImage(this.model),
      generationPrompt: true,
    });
  }

  /**
   * Turns up to a question as a prompt that ends where the answer begins.
   * @param messages `<image>` marks where each image stands
   * @throws NarrowsError where the template cannot render them, or they leave no room for an answer
   */
  prompt(messages: readonly ChatMessage[], pixelValues?: FloatTensor): LlavaPrompt {
    const { ids } = this.encoded(messages);
    if (ids.length >= this.maxLength)
      throw new NarrowsError(
        `The conversation has ${ids.length} tokens, its images included, and ${this.name} reads ${this.maxLength} at most, answer included; shorten it or begin a new one.`,
      );
    return { ids, ...(pixelValues ? { pixelValues } : {}) };
  }

  /** Options of `streamTokens` and `generate`: the checkpoint's, those given over them; given stop strings come on top. */
  options(given: GenerationOptions = {}): GenerationOptions {
    const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as GenerationOptions;
    const stop = [...(this.defaults.stop ?? []), ...(given.stop ?? [])];
    return {
      ...this.defaults,
      maxLength: this.maxLength,
      ...set,
      decode: ids => this.tokenizer.decode(ids),
      ...(stop.length ? { stop } : {}),
    };
  }

  /** Frees the model. */
  release(): Promise<void> {
    return this.model.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
