/** @file One record of instruction data, as LLaVA or Hugging Face write it, to a conversation. */
import { NarrowsError } from '../../system/errors.ts';
import { exactJson } from '../../system/exact-json.ts';
import { type ChatMessage, type Conversation, checkConversation, IMAGE_MARK, imageFirst, type Role } from './messages.ts';

type Fields = Readonly<Record<string, unknown>>;

const ROLES: Readonly<Record<string, Role>> = { human: 'user', user: 'user', gpt: 'assistant', assistant: 'assistant', system: 'system' };
const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
const shown = (value: unknown): string => {
  const text = exactJson(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};

/** `null` and an empty text name no image, as in the question files of LLaVA. */
const isNone = (value: unknown): boolean => value === undefined || value === null || value === '';

/** The path of an image: a string, or an object with `path` (as `datasets` writes it). */
function imagePath(value: unknown, where: string): string {
  const path = isObject(value) ? value.path : value;
  if (typeof path !== 'string' || path === '')
    throw new NarrowsError(`${where}: ${shown(value)} names no image; give the path of a file in the folder of images.`);
  if (/^[a-z][a-z0-9+.-]+:/i.test(path) && !/^[a-z]:[\\/]/i.test(path))
    throw new NarrowsError(`${where}: the image ${shown(path)} is an address; save it to a file and name that.`);
  return path;
}

/** A content as one text; images named inside it are added to `images`. */
function contentText(content: unknown, images: string[], where: string): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) throw new NarrowsError(`${where}: a turn holds ${shown(content)} where its text belongs.`);
  return content
    .map(part => {
      if (isObject(part) && part.type === 'text' && typeof part.text === 'string') return part.text;
      if (!isObject(part) || part.type !== 'image')
        throw new NarrowsError(
          `${where}: a turn holds the part ${shown(part)}; parts are {"type": "text", "text": ...} and {"type": "image"}.`,
        );
      const named = part.image ?? part.path ?? part.url;
      if (!isNone(named)) images.push(imagePath(named, where));
      return IMAGE_MARK;
    })
    .join('');
}

function turns(record: Fields, images: string[], where: string): ChatMessage[] {
  const key = record.conversations !== undefined ? 'conversations' : 'messages';
  const list = record[key];
  if (!Array.isArray(list)) {
    const keys = Object.keys(record).slice(0, 6).join(', ') || 'no keys';
    throw new NarrowsError(`${where}: the record has no list "conversations" (LLaVA) or "messages" (Hugging Face); it has ${keys}.`);
  }
  return list.map((turn, i) => {
    const at = `${where}, turn ${i + 1}`;
    if (!isObject(turn)) throw new NarrowsError(`${at}: ${shown(turn)} is no turn; give {"from": ..., "value": ...}.`);
    const named = turn.from ?? turn.role;
    const role = typeof named === 'string' && Object.hasOwn(ROLES, named) ? ROLES[named] : undefined;
    if (!role) throw new NarrowsError(`${at}: nobody is known as ${shown(named)}; turns are from ${Object.keys(ROLES).join(', ')}.`);
    return { role, content: contentText(turn.value ?? turn.content, images, at) };
  });
}

/** Options of `parseRecord`. */
export interface RecordOptions {
  /** Moves a single image to the front of its turn, as LLaVA's `preprocess_multimodal` does. Default true. */
  readonly imageFirst?: boolean;
  /** An assistant's turn is needed (training). Default true. */
  readonly answer?: boolean;
}

/**
 * A conversation from a record `{id, image?, conversations: [{from, value}]}` (LLaVA) or `{messages: [{role, content}], images?}` (Hugging
 * Face; contents may be lists of parts). A turn of the assistant before the first of the user is dropped, as LLaVA does.
 * @param where names the record in errors
 * @throws NarrowsError in one sentence for what is missing or does not fit together
 */
export function parseRecord(value: unknown, where: string, { imageFirst: move = true, answer = true }: RecordOptions = {}): Conversation {
  if (!isObject(value)) throw new NarrowsError(`${where}: ${shown(value)} is no JSON object.`);
  const inside: string[] = [];
  const messages = turns(value, inside, where);
  const named = [value.image, value.images].find(one => !isNone(one)) ?? [];
  const outside = [named].flat().map(image => imagePath(image, where));
  const images = outside.length ? outside : inside;
  const first = messages[0]?.role === 'system' ? 1 : 0;
  if (messages[first]?.role === 'assistant' && messages.length > first + 1) messages.splice(first, 1);
  const id = ['string', 'number', 'bigint'].includes(typeof value.id) ? { id: String(value.id) } : {};
  const conversation: Conversation = { ...id, images, messages, source: where };
  checkConversation(conversation, where, { answer });
  return move ? imageFirst(conversation) : conversation;
}
