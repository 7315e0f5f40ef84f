/** @file A model with all that turns a conversation into tokens and tokens into an answer: tokenizer, template, processor, defaults. */
import { readConfigFrom, readJsonFrom } from '../checkpoints/config.ts';
import { answerEnd } from '../inputs/chat/answer-end.ts';
import { findTemplateFrom } from '../inputs/chat/checkpoint-template.ts';
import { type EncodedChat, encodeChat } from '../inputs/chat/encode-chat.ts';
import type { ChatMessage } from '../inputs/chat/messages.ts';
import { missingMarks } from '../inputs/chat/picture-marks.ts';
import type { ChatTemplate } from '../inputs/chat/template.ts';
import { templateName } from '../inputs/chat/templates/registry.ts';
import { type ImageProcessor, stackImages } from '../inputs/image/processor.ts';
import type { RgbImage } from '../inputs/image/rgb-image.ts';
import { expandToSquare, meanColour } from '../inputs/image/square.ts';
import { Tokenizer } from '../inputs/text/tokenizer.ts';
import type { LlavaPrompt } from '../models/llava/decoding.ts';
import { familyOf } from '../models/llava/families.ts';
import type { PictureFamily } from '../models/llava/family.ts';
import { imageTokenText } from '../models/llava/files.ts';
import type { Pictured } from '../models/llava/pictures.ts';
import { NarrowsError } from '../system/errors.ts';
import type { ModelFiles } from '../system/model-files.ts';
import { type GenerationDefaults, readGenerationDefaultsFrom } from './defaults.ts';
import type { GenerationOptions } from './generate.ts';
import { type AnsweringModel, tokensPerImage } from './open-llava-files.ts';

/** What becomes of a picture that is no square: widened to one with the mean colour (LLaVA-1.5's evaluation), or as the processor says. */
export type ImageAspect = 'pad' | 'square';

/** What a chat may choose over what its checkpoint says. */
export interface ChatSettings {
  /** Name of a chat template (see `findTemplate`); the checkpoint decides by default. */
  readonly template?: string;
  /** By default what the checkpoint says (`image_aspect_ratio` of config.json, `do_pad` of its preprocessor), else `square`. */
  readonly imageAspect?: ImageAspect;
}

const defined = <T extends object>(values: T): Partial<T> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;

/** `eos_token_id` of config.json itself, which comes before its decoder's. */
const eosOf = (json: Readonly<Record<string, unknown>>): number | readonly number[] | undefined => {
  const value = json.eos_token_id;
  const ids = [value].flat();
  return ids.every(id => Number.isInteger(id)) ? (value as number | number[]) : undefined;
};

/** End tokens and stop strings, of the checkpoint and of the template; the tokenizer's own end token where neither names any. */
function endsOf(template: ChatTemplate, tokenizer: Tokenizer, defaults: GenerationDefaults['defaults']) {
  const { token, stop } = answerEnd(template, tokenizer);
  const stops = [...(defaults.stop ?? []), ...(stop === undefined ? [] : [stop])];
  const known = [...new Set([...defaults.eosTokens, ...(token === undefined ? [] : [token])])];
  const warnings: string[] = [];
  let eosTokens = known;
  if (!known.length && !stops.length) {
    const { eosId } = tokenizer;
    eosTokens = eosId === undefined ? [] : [eosId];
    warnings.push(
      eosId === undefined
        ? `Nothing says what ends an answer (no eos_token_id in generation_config.json or config.json, none in the template ${template.name}, no eos_token in tokenizer_config.json): answers go on to the largest number of tokens; name a text that ends them as a stop string.`
        : `Neither generation_config.json nor config.json nor the template ${template.name} names what ends an answer; the tokenizer's ${JSON.stringify(tokenizer.textOf(eosId))} does.`,
    );
  }
  return { options: { eosTokens, ...(stops.length ? { stop: stops } : {}) }, warnings };
}

/** What becomes of pictures that are no squares, and a word on a rule that is not known. */
function aspectOf(json: Readonly<Record<string, unknown>>, directory: string, pads: boolean, given?: ImageAspect, family?: PictureFamily) {
  if (family && given === 'pad')
    throw new NarrowsError(
      `${directory} is a ${family.title}, which takes pictures of any shape as they are: image_aspect_ratio cannot be "pad".`,
      {
        kind: 'usage',
      },
    );
  if (family) return { aspect: 'square' as const, warning: [] };
  const said = json.image_aspect_ratio ?? undefined;
  const known = said === 'pad' || said === 'square';
  const aspect: ImageAspect = given ?? (known ? said : pads ? 'pad' : 'square');
  const warning =
    said === undefined || known || given !== undefined
      ? []
      : [
          `${directory}/config.json: image_aspect_ratio ${JSON.stringify(said)} is not known here; pictures are taken as "${aspect}", which may not be what the model was trained with.`,
        ];
  return { aspect, warning };
}

/** Says that a run of Narrows was trained with a template that its checkpoint does not hold (runs before templates were stored; stage 1). */
async function trainedOtherwise(files: ModelFiles, template: ChatTemplate, given: string | undefined): Promise<string[]> {
  if (given !== undefined) return [];
  const json = (await readJsonFrom(files, 'training_args.json').catch(() => undefined)) as { template?: unknown } | undefined;
  const trained = typeof json?.template === 'string' ? templateName(json.template) : undefined;
  if (trained === undefined || trained === template.name || trained === 'jinja') return [];
  return [
    `${files.name} was trained with the template ${trained} (training_args.json), and answers with ${template.name}; --template ${trained} asks as it was trained.`,
  ];
}

/** What a `ChatModel` is put together from. */
interface ChatParts extends Pick<ChatModel, 'model' | 'template' | 'tokenizer' | 'defaults' | 'warnings'> {
  /** Tokens of prompt and answer together, where generation_config.json bounds them and no number of new tokens does. */
  readonly longest: number | undefined;
  readonly processor: ImageProcessor;
  /** How the tokenizer writes the image token, where there is one. */
  readonly imageText: string | undefined;
}

/** A model ready to talk. Release it (or `await using`) when done. */
export class ChatModel implements AsyncDisposable {
  readonly model: AnsweringModel;
  readonly template: ChatTemplate;
  readonly tokenizer: Tokenizer;
  /** Most tokens of a conversation, images and answer included. */
  readonly maxLength: number;
  /** How the checkpoint wants to be continued; what ends an answer follows from it and from the template. */
  readonly defaults: GenerationOptions;
  /** What was assumed, ignored or is missing, in sentences: said once by whoever opens the model. */
  readonly warnings: readonly string[];
  private readonly longest: number | undefined;
  private readonly processor: ImageProcessor;
  private readonly imageText: string | undefined;

  protected constructor(parts: ChatParts) {
    this.model = parts.model;
    this.template = parts.template;
    this.tokenizer = parts.tokenizer;
    this.maxLength = parts.model.config.text_config.max_position_embeddings;
    this.defaults = parts.defaults;
    this.warnings = parts.warnings;
    this.longest = parts.longest;
    this.processor = parts.processor;
    this.imageText = parts.imageText;
  }

  /**
   * A model that is loaded (by its files: `openLlavaFrom`; by a name: `ChatModel.open` of generation/pretrained.ts); it is released where this
   * fails.
   * @throws NarrowsError for a checkpoint without a usable tokenizer, or whose template nothing names
   */
  static async from(model: AnsweringModel, options: ChatSettings = {}): Promise<ChatModel> {
    try {
      return await ChatModel.assemble(model, options);
    } catch (error) {
      await model.release();
      throw error;
    }
  }

  private static async assemble(model: AnsweringModel, options: ChatSettings): Promise<ChatModel> {
    const { config, parts } = model;
    const { tokenizer, files } = parts;
    if (!(tokenizer instanceof Tokenizer)) throw tokenizer;
    const imageText = config.image_token_index >= 0 ? imageTokenText(tokenizer, config, files.name) : undefined;
    const template = await findTemplateFrom(files, { name: options.template, imageTokenText: imageText });
    const json = await readConfigFrom(files);
    const { defaults, maxLength, warnings } = await readGenerationDefaultsFrom(files, eosOf(json) ?? config.text_config.eos_token_id);
    const ends = endsOf(template, tokenizer, defaults);
    const family = familyOf(config);
    const { aspect, warning } = aspectOf(json, files.name, parts.processor.config.do_pad, options.imageAspect, family);
    const unmarked = family?.around && missingMarks(template, family.around, family.title);
    const otherwise = await trainedOtherwise(files, template, options.template);
    return new ChatModel({
      model,
      template,
      tokenizer,
      defaults: { ...defaults, ...ends.options },
      warnings: [...parts.warnings, ...warnings, ...ends.warnings, ...warning, ...otherwise, ...(unmarked ? [unmarked] : [])],
      longest: maxLength,
      processor: parts.processor.withPadding(aspect === 'pad'),
      imageText,
    });
  }

  get name(): string {
    return this.model.parts.name;
  }

  /**
   * Pictures of one conversation as the tower takes them, [images, C, S, S]; undefined for none. A family with tiles gives all tiles of all
   * pictures, with their layouts: whoever hands them on must keep these (`joinPictured`).
   * @param several whether the conversation has other pictures besides
   */
  pixels(images: readonly RgbImage[], several = images.length > 1): Pictured | undefined {
    if (images.length === 0) return undefined;
    const { pictures } = this.model.parts;
    if (pictures) return pictures.process(images, several);
    return stackImages(images.map(image => this.processor.process(image).pixelValues));
  }

  /** A picture as the processor gets it: widened to a square where the checkpoint wants that. */
  picture(image: RgbImage): RgbImage {
    return this.processor.config.do_pad ? expandToSquare(image, meanColour(this.processor.config.image_mean)) : image;
  }

  /**
   * Turns up to a question as tokens, with the text that they stand for.
   * @param options.generationPrompt false: up to an answer
   * @param options.pictures pixels or features of the conversation's pictures, whose layouts a family needs
   * @throws NarrowsError where the template cannot render them, or pictures and marks differ in number
   */
  encoded(
    messages: readonly ChatMessage[],
    { generationPrompt = true, pictures }: { readonly generationPrompt?: boolean; readonly pictures?: Pick<Pictured, 'layouts'> } = {},
  ): EncodedChat {
    return this.encodedWith(messages, generationPrompt, familyOf(this.model.config) && (pictures?.layouts ?? []));
  }

  private encodedWith(messages: readonly ChatMessage[], generationPrompt: boolean, pictures?: Pictured['layouts']): EncodedChat {
    const chat = encodeChat(this.tokenizer, this.template, messages, {
      imageToken: this.model.config.image_token_index,
      imageTokenText: this.imageText,
      tokensPerImage: tokensPerImage(this.model),
      ...(pictures ? { pictures } : {}),
      generationPrompt,
    });
    const [first] = messages;
    if (first?.role === 'system' && !chat.text.includes(first.content.trim()))
      throw new NarrowsError(
        `The chat template ${this.template.name} leaves the system text out, so it would not be read; ask without it, or choose another template.`,
      );
    return chat;
  }

  /**
   * Turns up to a question as a prompt that ends where the answer begins.
   * @param messages `<image>` marks where each image stands
   * @throws NarrowsError where the template cannot render them, or they leave no room for an answer
   */
  prompt(messages: readonly ChatMessage[], pixelValues?: Pictured): LlavaPrompt {
    const { ids } = this.encoded(messages, { pictures: pixelValues });
    if (ids.length >= this.maxLength)
      throw new NarrowsError(
        `The conversation has ${ids.length} tokens, its images included, and ${this.name} reads ${this.maxLength} at most, answer included; shorten it or begin a new one.`,
      );
    return { ids, ...(pixelValues ? { pixelValues } : {}) };
  }

  /**
   * Tokens of a question, images included, without reading its pictures: exact for a LLaVA; where pictures differ in tokens, with as many as
   * an ordinary one takes. @throws NarrowsError as `prompt` where the number is exact
   */
  length(messages: readonly ChatMessage[]): number {
    return familyOf(this.model.config) ? this.encodedWith(messages, true).ids.length : this.prompt(messages).ids.length;
  }

  /**
   * Options of `streamTokens` and `generate`: the checkpoint's, those given over them; given stop strings come on top. A given temperature or
   * number of beams decides between drawing and beam search.
   */
  options(given: GenerationOptions = {}): GenerationOptions {
    const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as GenerationOptions;
    const stop = [...(this.defaults.stop ?? []), ...(given.stop ?? [])];
    const { numBeams, lengthPenalty, earlyStopping, temperature, topK, topP, minP, ...rest } = this.defaults;
    const draws = set.temperature !== undefined && set.temperature > 0;
    const searches = set.numBeams !== undefined && set.numBeams > 1;
    const merged = {
      ...rest,
      ...defined(searches ? {} : { temperature, topK, topP, minP }),
      ...defined(draws && set.numBeams === undefined ? {} : { numBeams, lengthPenalty, earlyStopping }),
      maxLength: set.maxNewTokens === undefined ? Math.min(this.maxLength, this.longest ?? this.maxLength) : this.maxLength,
      ...set,
    };
    const { minNewTokens, maxNewTokens } = merged;
    // What the checkpoint asks for at least gives way to what is asked for at most.
    const least =
      set.minNewTokens === undefined && minNewTokens && maxNewTokens ? { minNewTokens: Math.min(minNewTokens, maxNewTokens) } : {};
    const decode = Object.assign((ids: readonly number[]) => this.tokenizer.decode(ids), {
      settled: (ids: readonly number[]) => this.tokenizer.decodeSettled(ids),
    });
    return { ...merged, ...least, decode, ...(stop.length ? { stop } : {}) };
  }

  /** Frees the model. */
  release(): Promise<void> {
    return this.model.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
