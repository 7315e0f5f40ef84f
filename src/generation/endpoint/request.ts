/** @file The body of a request as OpenAI-compatible servers read it: messages with pictures as data URIs, and settings. */
import { IMAGE_MARK, type Role } from '../../inputs/chat/messages.ts';
import { NarrowsError } from '../../system/errors.ts';

/** One turn. */
export interface EndpointMessage {
  readonly role: Role;
  /** `<image>` where pictures stand; those without a mark stand before the text. */
  readonly content: string;
  /** Data URIs, in order (see `pictureUri`). */
  readonly pictures?: readonly string[];
}

/** How answers are drawn. What is undefined is not sent: the server decides. */
export interface EndpointSettings {
  readonly temperature?: number;
  readonly maxTokens?: number;
  readonly seed?: number;
  readonly topP?: number;
  readonly stop?: readonly string[];
}

type Part = { readonly type: 'text'; readonly text: string } | { readonly type: 'image_url'; readonly image_url: { readonly url: string } };

/** A request's body. */
export interface RequestBody {
  readonly model: string;
  readonly messages: readonly { readonly role: Role; readonly content: string | readonly Part[] }[];
  readonly temperature?: number;
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  readonly seed?: number;
  readonly top_p?: number;
  readonly stop?: readonly string[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage: boolean };
}

const picture = (url: string): Part => ({ type: 'image_url', image_url: { url } });

function contentOf({ content, pictures = [] }: EndpointMessage): string | readonly Part[] {
  if (pictures.length === 0) return content;
  const texts = content.split(IMAGE_MARK);
  const marks = texts.length - 1;
  if (marks > 0 && marks !== pictures.length)
    throw new NarrowsError(`A prompt has ${marks} <image> marks and ${pictures.length} pictures; there must be one for each.`);
  if (marks === 0) return [...pictures.map(picture), { type: 'text', text: content }];
  let leading = true;
  return texts.flatMap((text, i): Part[] => {
    // The line end that LLaVA's prompts put behind a picture in front is no part of the words.
    const words = i > 0 && leading ? text.replace(/^\n/, '') : text;
    if (words.trim() !== '') leading = false;
    return [...(i > 0 ? [picture(pictures[i - 1])] : []), ...(words.trim() === '' ? [] : [{ type: 'text' as const, text: words }])];
  });
}

/**
 * A request's body, its keys in the order of OpenAI's examples.
 * @throws NarrowsError where marks and pictures do not fit each other
 */
export function requestBody(model: string, messages: readonly EndpointMessage[], settings: EndpointSettings): RequestBody {
  const { temperature, maxTokens, seed, topP, stop } = settings;
  return {
    model,
    messages: messages.map(message => ({ role: message.role, content: contentOf(message) })),
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
    ...(seed === undefined ? {} : { seed }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(stop?.length ? { stop } : {}),
  };
}

/** The body for servers that know the length only as `max_completion_tokens`. */
export function withCompletionTokens({ max_tokens, ...rest }: RequestBody): RequestBody {
  return max_tokens === undefined ? rest : { ...rest, max_completion_tokens: max_tokens };
}
