/** @file The body of `/v1/chat/completions` as a conversation with pictures and options of generation. */
import { z } from 'zod';
import type { GenerationOptions } from '../../generation/generate.ts';
import { type ChatMessage, checkConversation, IMAGE_MARK } from '../../inputs/chat/messages.ts';
import { ApiError } from './api-error.ts';

const part = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text'), text: z.string() }),
  z.looseObject({ type: z.literal('image_url'), image_url: z.union([z.string(), z.looseObject({ url: z.string() })]) }),
]);
const message = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant']),
  content: z.union([z.string(), z.array(part)]),
});
const whole = z.number().int();

const schema = z.looseObject({
  model: z.string().nullish(),
  messages: z.array(message).min(1),
  temperature: z.number().min(0).max(100).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  top_k: whole.nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().gt(0).nullish(),
  seed: whole.nonnegative().nullish(),
  max_tokens: whole.min(1).nullish(),
  max_completion_tokens: whole.min(1).nullish(),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(16)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
});

/** Keys that change an answer and are not supported, with the values at which they change nothing. */
const UNSUPPORTED: Readonly<Record<string, readonly unknown[]>> = {
  n: [1],
  best_of: [1],
  logprobs: [false],
  top_logprobs: [0],
  echo: [false],
  frequency_penalty: [0],
  presence_penalty: [0],
  logit_bias: [],
  tools: [],
  functions: [],
  response_format: [],
  guided_json: [],
  audio: [],
};

/** A request that can be answered. */
export interface ChatRequest {
  readonly model?: string;
  /** `<image>` where pictures stand. */
  readonly messages: readonly ChatMessage[];
  /** Their data URIs, in order. */
  readonly pictures: readonly string[];
  /** What the request says; the server's flags and the checkpoint decide the rest. */
  readonly options: GenerationOptions;
  readonly stream: boolean;
  /** A stream ends with a chunk that says what it cost. */
  readonly includeUsage: boolean;
}

type Content = z.infer<typeof message>['content'];

/**
 * A turn's text with marks. Pictures in front stand on lines of their own, as in LLaVA's prompts; those behind all text (OpenAI's examples) come to the front;
 * those between texts stay where they are.
 */
function turnOf(content: Content, number: number): { content: string; pictures: string[] } {
  const parts = typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content;
  const pictures: string[] = [];
  let [text, behind, front] = ['', 0, 0];
  for (const each of parts) {
    if (each.type === 'image_url') {
      const { image_url: image } = each;
      pictures.push(typeof image === 'string' ? image : image.url);
      if (text === '') front++;
      else behind++;
      continue;
    }
    if (each.text.includes(IMAGE_MARK))
      throw new ApiError(400, `Message ${number} holds ${IMAGE_MARK} in its text; send pictures as image_url.`, null, 'messages');
    text += (text === '' ? '' : IMAGE_MARK.repeat(behind) || '\n') + each.text;
    if (text !== '') behind = 0;
  }
  return { content: `${`${IMAGE_MARK}\n`.repeat(front + behind)}${text}`, pictures: reorder(pictures, behind) };
}

/** The last ones come to the front with their marks. */
const reorder = (pictures: readonly string[], last: number): string[] => [
  ...pictures.slice(pictures.length - last),
  ...pictures.slice(0, pictures.length - last),
];

function refuseUnsupported(body: Readonly<Record<string, unknown>>): void {
  for (const [key, harmless] of Object.entries(UNSUPPORTED)) {
    const value = body[key];
    const empty = value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
    const text = key === 'response_format' && (value as { type?: unknown })?.type === 'text';
    if (!empty && !text && !harmless.includes(value))
      throw new ApiError(400, `Unsupported parameter: ${key}; leave it out.`, 'unsupported_parameter', key);
  }
}

/** Reads a parsed body. @throws ApiError for what cannot be answered, with the key that is at fault */
export function chatRequest(body: unknown): ChatRequest {
  const parsed = schema.safeParse(body);
  if (!parsed.success) {
    const [{ path, message: said }] = parsed.error.issues;
    const key = path.join('.') || 'body';
    throw new ApiError(400, `The key "${key}" is wrong (${said}).`, null, String(path[0] ?? '') || null);
  }
  const r = parsed.data;
  refuseUnsupported(r);
  const turns = r.messages.map(({ role, content }, i) => ({
    ...turnOf(content, i + 1),
    role: role === 'developer' ? ('system' as const) : role,
  }));
  const pictures = turns.flatMap(turn => turn.pictures);
  const messages = turns.map(({ role, content }) => ({ role, content }));
  checkConversation({ images: pictures, messages }, 'messages', { answer: false });
  if (messages.at(-1)?.role !== 'user') throw new ApiError(400, 'The last message must be of the user.', null, 'messages');
  const stop = r.stop === null || r.stop === undefined ? undefined : [r.stop].flat();
  const maxNewTokens = r.max_completion_tokens ?? r.max_tokens ?? undefined;
  return {
    ...(r.model ? { model: r.model } : {}),
    messages,
    pictures,
    options: {
      temperature: r.temperature ?? undefined,
      topP: r.top_p ?? undefined,
      topK: r.top_k && r.top_k > 0 ? r.top_k : undefined,
      minP: r.min_p ?? undefined,
      repetitionPenalty: r.repetition_penalty ?? undefined,
      seed: r.seed ?? undefined,
      maxNewTokens,
      stop,
    },
    stream: r.stream === true,
    includeUsage: r.stream_options?.include_usage === true,
  };
}
