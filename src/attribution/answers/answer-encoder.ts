/** @file A model that answers in the place of an image–text model: what methods read of one besides the jobs (runtime, files, processor). */
import { checkpointHash } from '../../checkpoints/hash.ts';
import type { ChatModel } from '../../generation/chat-model.ts';
import type { DualEncoder, Tower } from '../../models/dual-encoder.ts';
import { NarrowsError } from '../../system/errors.ts';

/**
 * @param tower of the row
 * @returns an encoder both of whose towers are the row's; it compares nothing: what only a pair has is refused in a sentence
 */
export function answerEncoder(chat: ChatModel, tower: Tower): DualEncoder {
  const { parts } = chat.model;
  const refuse = (): never => {
    throw new NarrowsError(`${chat.name} answers questions and compares no images with texts; this method needs a model that does.`);
  };
  return {
    ...{ name: chat.name, runtime: parts.runtime, parameters: parts.parameters, files: parts.files },
    ...{ checkpoint: parts.checkpoint, processor: parts.processor, warnings: chat.warnings, maxTextLength: chat.maxLength },
    ...{ image: tower, text: tower },
    ...{ vocabularySize: parts.config.text_config.vocab_size, padTokenId: parts.config.text_config.pad_token_id ?? null },
    requireTokenizer: () => chat.tokenizer,
    sha256: () => checkpointHash(parts.checkpoint),
    // The model is the caller's.
    release: async () => {},
    [Symbol.asyncDispose]: async () => {},
    ...{ logitScale: refuse, imageInputs: refuse, textInputs: refuse, prepareImageSize: refuse },
    ...{ runTower: refuse, imageFeatures: refuse, textFeatures: refuse },
  };
}
