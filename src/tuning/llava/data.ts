/** @file Reads the conversations of a run and finds their images. */

import { ImageFolder, missingImages, missingSentence, readConversations, skipMissing } from '../../inputs/chat/read-conversations.ts';
import { readPieces } from '../../node/disk.ts';
import { createHash } from '../../node/hash.ts';
import { dirname, resolve } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { readError } from '../../system/read-error.ts';
import type { Note } from '../batch-loader.ts';
import type { ChatSample } from './chat-reader.ts';

/** A file's samples. */
export interface ChatData {
  readonly samples: readonly ChatSample[];
  /** SHA-256 of the file, and of what is left of it where images are missing. */
  readonly hash: string;
}

/** Where samples come from. */
export interface DataOptions {
  /** What image paths are relative to; the file's own directory by default. */
  readonly imageFolder?: string;
  /** Leave out samples whose images are missing. */
  readonly skipMissing: boolean;
  readonly signal?: AbortSignal;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of readPieces(path)) hash.update(chunk);
  } catch (error) {
    throw readError(path, error);
  }
  return hash.digest('hex');
}

/**
 * Reads LLaVA's JSON or JSONL, whole, and looks for every image. @param note called with how many samples are left out
 * @throws NarrowsError naming file and line of what is wrong, or listing and counting the images that are missing
 */
export async function readChatData(path: string, options: DataOptions, note: Note = () => {}): Promise<ChatData> {
  const directory = resolve(options.imageFolder ?? dirname(path));
  const folder = new ImageFolder(directory);
  const all = [];
  for await (const conversation of readConversations(path, { signal: options.signal })) all.push(conversation);
  const missing = await missingImages(all, folder);
  const sentence = missingSentence(missing, directory);
  if (sentence && !options.skipMissing) throw new NarrowsError(sentence);
  if (sentence) note(`${missing.conversations} of ${missing.of} samples are left out, since ${missing.images.length} images are missing.`);
  const samples: ChatSample[] = [];
  for await (const conversation of skipMissing(all, folder)) {
    const { id, source } = conversation;
    const images = conversation.images.map(image => folder.path(image));
    samples.push({ ...conversation, images, name: id === undefined ? (source ?? String(samples.length)) : `"${id}"` });
  }
  if (samples.length === 0) throw new NarrowsError(`${path} holds no sample whose images are all there.`);
  // What is left out depends on what is there: a run must not go on with other samples.
  const left = missing.conversations
    ? ` without ${createHash('sha256')
        .update(samples.map(s => s.name).join('\n'))
        .digest('hex')}`
    : '';
  return { samples, hash: `${await hashOf(path)}${left}` };
}

/** How long a sample is, in words and images' tokens, negative where it has no image: what LLaVA groups by. */
export function groupLength({ messages, images }: ChatSample, tokensPerImage: number): number {
  const words = messages.reduce((sum, { content }) => sum + content.split(/\s+/).filter(Boolean).length, 0);
  return images.length ? words + images.length * tokensPerImage : -Math.max(1, words);
}
