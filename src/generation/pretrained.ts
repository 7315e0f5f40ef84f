/** @file Models that talk by their names and directories: Node's way into chat-model.ts. */
import type { BottleneckLlavaOptions } from '../bottleneck/gaussian/pretrained.ts';
import { ChatModel as ChatFromModel, type ChatSettings } from './chat-model.ts';
import { openLlava } from './open-llava.ts';

/** How a chat model is found and opened. */
export interface ChatOptions extends BottleneckLlavaOptions, ChatSettings {}

/** A model ready to talk. `instanceof` holds for every one, however it was opened. */
export class ChatModel extends ChatFromModel {
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof ChatFromModel;
  }

  /**
   * @param reference a shipped model's name, a directory, or `org/name[@revision]`
   * @throws NarrowsError as `openLlava`; for a checkpoint without a usable tokenizer, or whose template nothing names
   */
  static async open(reference?: string, options: ChatOptions = {}): Promise<ChatFromModel> {
    return ChatFromModel.from(await openLlava(reference, options), options);
  }
}
