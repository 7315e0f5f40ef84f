/** @file Instruction data from a file, and what of its images is there. */
import { readdir } from '../../node/disk.ts';
import { basename, dirname, resolve } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { PromiseCache } from '../../system/promise-cache.ts';
import { readError } from '../../system/read-error.ts';
import { jsonRecords } from './json-records.ts';
import type { Conversation } from './messages.ts';
import { parseRecord, type RecordOptions } from './parse-record.ts';

/** Options of `readConversations`. */
export interface ReadOptions extends RecordOptions {
  readonly signal?: AbortSignal;
}

/**
 * Streams the conversations of a `.json` (a list) or `.jsonl` file, LLaVA's records or Hugging Face's `messages`. Memory stays that of one
 * record, however large the file.
 * @throws NarrowsError naming file and line for broken JSON or a record that is none, and for a file without conversations
 */
export async function* readConversations(file: string, options: ReadOptions = {}): AsyncGenerator<Conversation> {
  let any = false;
  for await (const { value, where } of jsonRecords(file)) {
    options.signal?.throwIfAborted();
    any = true;
    yield parseRecord(value, where, options);
  }
  if (!any) throw new NarrowsError(`${file} holds no conversations.`);
}

/** All conversations of a file at once. @throws as `readConversations` */
export async function loadConversations(file: string, options: ReadOptions = {}): Promise<Conversation[]> {
  const all: Conversation[] = [];
  for await (const conversation of readConversations(file, options)) all.push(conversation);
  return all;
}

/** Why a directory has no files: it is not there, or its name can be none. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE']);

/** Says which images lie in a folder. Each directory is listed once, so that a million questions are cheap. */
export class ImageFolder {
  private readonly listings = new PromiseCache<ReadonlySet<string>>();

  /** @param directory what the images' paths are relative to */
  constructor(readonly directory: string) {}

  /** Where an image is read from. */
  path(image: string): string {
    return resolve(this.directory, image);
  }

  /** @throws NarrowsError for a directory that is there and cannot be listed: its images are not missing, and the next question asks again */
  async has(image: string): Promise<boolean> {
    const path = this.path(image);
    const directory = dirname(path);
    try {
      return (await this.listings.get(directory, async () => new Set(await readdir(directory)))).has(basename(path));
    } catch (error) {
      if (ABSENT.has((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw readError(directory, error);
    }
  }
}

/** Images that are named but not there. */
export interface MissingImages {
  /** Each once, in the order met. */
  readonly images: readonly string[];
  /** Conversations that name one of them, of how many. */
  readonly conversations: number;
  readonly of: number;
}

/** Lists and counts the images that a folder lacks. */
export async function missingImages(
  conversations: Iterable<Conversation> | AsyncIterable<Conversation>,
  folder: ImageFolder | string,
): Promise<MissingImages> {
  const place = typeof folder === 'string' ? new ImageFolder(folder) : folder;
  const images = new Set<string>();
  let [count, of] = [0, 0];
  for await (const conversation of conversations) {
    of++;
    const lost = await missingOf(conversation, place);
    for (const image of lost) images.add(image);
    if (lost.length) count++;
  }
  return { images: [...images], conversations: count, of };
}

/** Images of one conversation that a folder lacks. */
export async function missingOf({ images }: Pick<Conversation, 'images'>, folder: ImageFolder): Promise<string[]> {
  const lost: string[] = [];
  for (const image of images) if (!(await folder.has(image))) lost.push(image);
  return lost;
}

/** Passes on the conversations whose images are all there. @param onMissing called for each that is left out */
export async function* skipMissing(
  conversations: Iterable<Conversation> | AsyncIterable<Conversation>,
  folder: ImageFolder | string,
  onMissing?: (conversation: Conversation, images: readonly string[]) => void,
): AsyncGenerator<Conversation> {
  const place = typeof folder === 'string' ? new ImageFolder(folder) : folder;
  for await (const conversation of conversations) {
    const lost = await missingOf(conversation, place);
    if (lost.length === 0) yield conversation;
    else onMissing?.(conversation, lost);
  }
}

/** One sentence about missing images; undefined where none is missing. */
export function missingSentence({ images, conversations, of }: MissingImages, folder: string, shown = 5): string | undefined {
  if (images.length === 0) return undefined;
  const one = images.length === 1;
  const more = images.length > shown ? ` and ${images.length - shown} more` : '';
  return `${images.length} image${one ? '' : 's'} of ${conversations} of ${of} conversations ${one ? 'is' : 'are'} missing from ${folder}: ${images.slice(0, shown).join(', ')}${more}; add ${one ? 'it' : 'them'}, or leave those conversations out with --skip-missing.`;
}
