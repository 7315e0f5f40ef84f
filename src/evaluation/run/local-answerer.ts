/** @file Answers by a LLaVA that is open here. A picture is encoded once for all its questions. */
import type { ChatModel } from '../../generation/chat-model.ts';
import { type GenerationOptions, generate } from '../../generation/generate.ts';
import type { LlavaPrompt } from '../../models/llava/decoding.ts';
import { LlavaModel } from '../../models/llava/model.ts';
import { joinPictured, type Pictured } from '../../models/llava/pictures.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import type { Answered, Answerer, AskedPicture, AskedTurn } from './answerer.ts';
import type { FeatureFiles } from './feature-files.ts';
import { KeptBytes } from './kept-bytes.ts';

/** How a model answers. */
export interface LocalAnswererOptions {
  readonly generation: GenerationOptions;
  /** Replaces the template's system text. */
  readonly system?: string;
  /** Questions at once. Default 8. */
  readonly batchSize?: number;
  /** What is written as `model_id`; the model's name by default. */
  readonly modelId?: string;
  /** Memory for encoded pictures, bytes. Default 512 MB. */
  readonly pictureBytes?: number;
  /** Where features of pictures are kept from one run to the next; nowhere by default. Not for a LLaVA-Mini. */
  readonly features?: FeatureFiles;
  /** Of whatever else decides about answers (`alpha`, `image_aspect_ratio`), for the record. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** A LLaVA that answers. It does not release the model. */
export class LocalAnswerer implements Answerer {
  readonly modelId: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly batchSize: number;
  private readonly pictures: KeptBytes<Pictured>;
  private readonly generation: GenerationOptions;

  constructor(
    private readonly chat: ChatModel,
    private readonly options: LocalAnswererOptions,
  ) {
    this.modelId = options.modelId ?? chat.name;
    this.batchSize = options.batchSize ?? 8;
    this.pictures = new KeptBytes(options.pictureBytes ?? 512e6, ({ data }) => data.byteLength);
    this.generation = chat.options(options.generation);
    const { decode: _, signal: __, ...decides } = this.generation;
    this.settings = {
      template: chat.template.name,
      ...(options.system === undefined ? {} : { system: options.system }),
      generation: decides,
      ...options.settings,
    };
  }

  get warnings(): readonly string[] {
    return this.chat.warnings;
  }

  private turns(text: string) {
    const asked = { role: 'user' as const, content: text };
    return this.options.system === undefined ? [asked] : [{ role: 'system' as const, content: this.options.system }, asked];
  }

  length(text: string): number {
    return this.chat.length(this.turns(text));
  }

  /** A picture as this model takes it: features of a LLaVA's tower, pixels for a model that fuses them with the words. [1, …] */
  private picture({ key, read }: AskedPicture, several: boolean, signal: AbortSignal | undefined): Promise<Pictured> {
    return this.pictures.get(several ? `${key} among others` : key, async () => {
      const image = await read();
      const { model } = this.chat;
      if (!(model instanceof LlavaModel)) return this.chat.pixels([image])!;
      // One picture a run: its features do not depend on which others are asked about, so neither does a resumed run.
      const pixels = this.chat.pixels([image], several)!;
      const encode = (): Promise<FloatTensor> => model.imageFeatures(pixels, { signal });
      const features = await (this.options.features ? this.options.features.get(pixels, encode) : encode());
      return pixels.layouts ? { ...features, layouts: pixels.layouts } : features;
    });
  }

  private async prompt({ text, pictures }: AskedTurn, signal: AbortSignal | undefined): Promise<LlavaPrompt> {
    if (pictures.length === 0) return this.chat.prompt(this.turns(text));
    const parts: Pictured[] = [];
    for (const picture of pictures) parts.push(await this.picture(picture, pictures.length > 1, signal));
    const all = joinPictured(parts);
    const { ids } = this.chat.prompt(this.turns(text), all);
    return this.chat.model instanceof LlavaModel ? { ids, imageFeatures: all } : { ids, pixelValues: all };
  }

  async answer(turns: readonly AskedTurn[], onAnswer: (i: number, answered: Answered) => void, signal?: AbortSignal) {
    const prompts: LlavaPrompt[] = [];
    const places: number[] = [];
    for (const [i, turn] of turns.entries()) {
      signal?.throwIfAborted();
      try {
        prompts.push(await this.prompt(turn, signal));
        places.push(i);
      } catch (error) {
        if (!(error instanceof NarrowsError)) throw error;
        onAnswer(i, { failure: messageOf(error) });
      }
    }
    if (prompts.length === 0) return;
    const numbers = places.map(i => turns[i].number);
    const answers = await generate(this.chat.model, prompts, {
      ...this.generation,
      signal,
      batchSize: this.batchSize,
      promptNumbers: numbers,
    });
    for (const [k, { text, ids, finish }] of answers.entries()) onAnswer(places[k], { text, finish, tokens: ids.length });
  }
}
