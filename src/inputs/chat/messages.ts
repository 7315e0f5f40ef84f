/** @file Conversations as the rest of the program knows them, and what makes one well formed. */
import { NarrowsError } from '../../system/errors.ts';

/** Who speaks. */
export type Role = 'system' | 'user' | 'assistant';

/** One turn. `<image>` in the content marks where an image stands. */
export interface ChatMessage {
  readonly role: Role;
  readonly content: string;
}

/** One sample of instruction data, or the beginning of a chat. */
export interface Conversation {
  readonly id?: string;
  /** Paths as written in the file, relative to the folder of images, in the order of their `<image>` marks. */
  readonly images: readonly string[];
  readonly messages: readonly ChatMessage[];
  /** Where it was read, such as `data.jsonl, line 7`. */
  readonly source?: string;
}

/** What marks an image in a text (LLaVA's DEFAULT_IMAGE_TOKEN). */
export const IMAGE_MARK = '<image>';

/** Number of image marks in a text. */
export const countMarks = (text: string): number => text.split(IMAGE_MARK).length - 1;

/**
 * Checks that turns alternate (after at most one system turn), start with the user, hold an answer where one is needed, and that there is
 * one `<image>` in a user's turn for each image.
 * @param where names the conversation in the error
 * @param options `answer`: an assistant's turn is needed (training); true by default
 * @throws NarrowsError in one sentence
 */
export function checkConversation(
  { images, messages }: Pick<Conversation, 'images' | 'messages'>,
  where: string,
  { answer = true }: { readonly answer?: boolean } = {},
): void {
  const turns = messages[0]?.role === 'system' ? messages.slice(1) : messages;
  if (turns.length === 0) throw new NarrowsError(`${where}: the conversation has no turns.`);
  turns.forEach(({ role }, i) => {
    const expected = i % 2 === 0 ? 'user' : 'assistant';
    if (role === expected) return;
    const before = i === 0 ? 'begins' : 'goes on';
    throw new NarrowsError(
      `${where}: the conversation ${before} with a turn of the ${role} where the ${expected}'s belongs (turn ${i + 1}); turns must alternate, the user's first.`,
    );
  });
  if (answer && turns.length < 2)
    throw new NarrowsError(`${where}: the conversation has no turn of the assistant, so there is nothing to learn from it.`);
  const stray = messages.find(({ role, content }) => role !== 'user' && content.includes(IMAGE_MARK));
  if (stray) throw new NarrowsError(`${where}: <image> is in a turn of the ${stray.role}; it belongs in a turn of the user.`);
  const marks = messages.reduce((sum, { content }) => sum + countMarks(content), 0);
  if (marks === images.length) return;
  const many = (n: number, what: string): string => `${n === 0 ? 'no' : n} ${what}${n === 1 ? '' : 's'}`;
  const mend = marks > images.length ? 'name one image for each <image>' : 'write <image> in the text where each image belongs';
  throw new NarrowsError(
    `${where}: the text has ${many(marks, '<image> mark')}, but the record names ${many(images.length, 'image')}; ${mend}.`,
  );
}

/**
 * LLaVA's convention (`preprocess_multimodal`): in a conversation of one image, `<image>` moves to the front of its turn, followed by a
 * line end. Conversations of several images are left as they are.
 */
export function imageFirst<C extends Pick<Conversation, 'images' | 'messages'>>(conversation: C): C {
  if (conversation.images.length !== 1) return conversation;
  const messages = conversation.messages.map(message =>
    message.content.includes(IMAGE_MARK)
      ? { ...message, content: `${IMAGE_MARK}\n${message.content.replaceAll(IMAGE_MARK, '').trim()}`.trim() }
      : message,
  );
  return { ...conversation, messages };
}
