/** @file The tiny checkpoints of other families than LLaVA, with what transformers computed on them (bench/peers/make_mllm_tiny.py), for tests. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ChatMessage } from '../../inputs/chat/messages.ts';
import { decodeImage } from '../../inputs/image/decode.ts';
import { joinPictured, type Pictured } from '../../models/llava/pictures.ts';
import type { ChatModel } from '../chat-model.ts';

/** Folders of src/models by what they hold. */
export const FAMILY_GOLDENS = [
  'smolvlm/testdata/smolvlm-tiny',
  'smolvlm/testdata/idefics3-tiny-bf16',
  'llava-next/testdata/onevision-tiny',
  'llava-next/testdata/next-mistral-tiny-fp16',
  'qwen2-vl/testdata/qwen2-vl-tiny',
  'qwen2-vl/testdata/qwen2.5-vl-tiny-bf16',
] as const;

/** Path of one of them. */
export const familyDirectory = (name: string): string => fileURLToPath(new URL(`../../models/${name}`, import.meta.url));

/** A conversation of a golden. */
export interface FamilyCase {
  /** As apply_chat_template wrote it. */
  readonly text: string;
  readonly pictures: readonly string[];
  readonly messages: readonly ChatMessage[];
}

/** The conversations of a golden. */
export const familyCases = async (directory: string): Promise<FamilyCase[]> =>
  JSON.parse(await readFile(join(directory, 'cases.json'), 'utf8'));

/** Pixel values of a conversation's pictures by the model's own rules. */
export async function casePixels(chat: ChatModel, directory: string, { pictures }: FamilyCase): Promise<Pictured | undefined> {
  return chat.pixels(await Promise.all(pictures.map(name => decodeImage(join(directory, name)))));
}

/** Those of all conversations, one behind the other. */
export async function allPixels(chat: ChatModel, directory: string): Promise<Pictured> {
  const parts: Pictured[] = [];
  for (const one of await familyCases(directory)) {
    const pixels = await casePixels(chat, directory, one);
    if (pixels) parts.push(pixels);
  }
  return joinPictured(parts);
}
