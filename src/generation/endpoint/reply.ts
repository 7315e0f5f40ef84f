/** @file A model's reply as it is kept, and what is made of it. */
import { z } from 'zod';
import { stripThinking } from '../thinking.ts';
import { EndpointError } from './failure.ts';

/** Tokens that a reply cost, as the server counts them; a number is missing where the server gives none. */
export interface Usage {
  readonly prompt?: number;
  readonly completion?: number;
  readonly total?: number;
}

const count = z.number().nonnegative();

/** Form of a reply on the disk. */
export const replySchema = z.strictObject({
  /** As the model wrote it, thinking included. */
  raw: z.string(),
  finish: z.string().nullable(),
  refusal: z.string().optional(),
  /** The model's name as the server says it. */
  model: z.string().optional(),
  usage: z.strictObject({ prompt: count.optional(), completion: count.optional(), total: count.optional() }).optional(),
});

/** A reply of the model, whatever it says. */
export type ModelReply = z.infer<typeof replySchema>;

/** An answer. */
export interface EndpointAnswer {
  /** Without thinking and without white space around it. */
  readonly text: string;
  /** As the model wrote it. */
  readonly raw: string;
  /** `stop`, `length`, or what else the server says. */
  readonly finish: string;
  readonly usage?: Usage;
  /** The name that the server gives the model, where it gives one. */
  readonly model?: string;
  /** It was kept from an earlier request, and nothing was sent. */
  readonly cached: boolean;
  /** What is to be known about it, in sentences. */
  readonly warnings: readonly string[];
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Text of a message's content: a string, or parts of which those of text count. */
function contentText(content: unknown): string {
  if (!Array.isArray(content)) return text(content) ?? '';
  return content.map(part => (part?.type === 'text' || part?.type === 'output_text' ? (text(part.text) ?? '') : '')).join('');
}

function usageOf(value: unknown): Usage | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const given = value as Record<string, unknown>;
  const number = (key: string): number | undefined => (count.safeParse(given[key]).success ? (given[key] as number) : undefined);
  const parts = { prompt: number('prompt_tokens'), completion: number('completion_tokens'), total: number('total_tokens') };
  const known = Object.entries(parts).filter(([, each]) => each !== undefined);
  return known.length ? Object.fromEntries(known) : undefined;
}

/** The reply in a body of `/chat/completions`; undefined where there is no message in it. */
export function replyOf(body: unknown): ModelReply | undefined {
  const { choices, model, usage } = (body ?? {}) as { choices?: unknown; model?: unknown; usage?: unknown };
  const choice = Array.isArray(choices) ? choices[0] : undefined;
  const message = choice?.message;
  if (typeof message !== 'object' || message === null) return undefined;
  const refusal = text(message.refusal);
  const name = text(model);
  const counted = usageOf(usage);
  return {
    raw: contentText(message.content),
    finish: text(choice.finish_reason) ?? null,
    ...(refusal ? { refusal } : {}),
    ...(name ? { model: name } : {}),
    ...(counted ? { usage: counted } : {}),
  };
}

/**
 * What a reply says.
 * @param maxTokens that were asked for, for the sentence about an answer that was cut
 * @throws EndpointError `refused`, `filtered` or `empty` where it is no answer
 */
export function answerOf(reply: ModelReply, cached: boolean, maxTokens?: number): EndpointAnswer {
  const { raw, finish, refusal, usage, model } = reply;
  const answer = stripThinking(raw).text.trim();
  const cut = finish === 'length';
  const bound = maxTokens === undefined ? "at the server's limit" : `after ${maxTokens} tokens`;
  if (finish === 'content_filter') throw new EndpointError('filtered', "The endpoint's content filter withheld the answer.");
  if (answer === '' && refusal) throw new EndpointError('refused', 'The model refused to answer.');
  if (answer === '' && raw.trim() !== '')
    throw new EndpointError('empty', `The model thought and gave no answer${cut ? `: it was cut ${bound}; allow more` : ''}.`);
  if (answer === '') throw new EndpointError('empty', `The model gave an empty answer${cut ? `, cut ${bound}` : ''}.`);
  return {
    text: answer,
    raw,
    finish: finish ?? 'stop',
    ...(usage ? { usage } : {}),
    ...(model ? { model } : {}),
    cached,
    warnings: cut ? [`The answer was cut ${bound}.`] : [],
  };
}

/**
 * Whether a server's name for its model may mean the one that was asked for: the same, a dated version (`gpt-4o-2024-08-06`), a tag
 * (`llava:latest`), or with and without its organisation.
 */
export function sameModel(asked: string, said: string): boolean {
  const both = asked.includes('/') && said.includes('/');
  const short = (name: string): string => (both ? name : name.slice(name.lastIndexOf('/') + 1)).toLowerCase();
  const [a, b] = [short(asked), short(said)];
  const rest = b.startsWith(a) ? b.slice(a.length) : undefined;
  return rest !== undefined && (rest === '' || /^([:@]|-\d{4}(?!\d))/.test(rest));
}
