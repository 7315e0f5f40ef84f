/** @file What a chat template is: it renders turns into spans of text that know whether they are supervised. */
import type { ChatMessage, Role } from './messages.ts';

/** A piece of the rendered text. Labels follow from spans only: tokens are never counted. */
export interface Span {
  /** `<image>` marks an image. */
  readonly text: string;
  /** Part of an answer, its end-of-turn token included: the loss is taken here. */
  readonly supervised: boolean;
  /** Whose turn the piece belongs to, mark-up included. */
  readonly role: Role;
}

/** Options of `ChatTemplate.render`. */
export interface RenderOptions {
  /** Ends the text with what comes before an answer, for generation. */
  readonly generationPrompt?: boolean;
}

/** Renders conversations. */
export interface ChatTemplate {
  /** A name of the registry, or `jinja`. */
  readonly name: string;
  /** Where it was found: a file, or what chose it. */
  readonly source?: string;
  /** A text that ends an answer, where that is no special token. */
  readonly stop?: string;
  /**
   * The template as text for a checkpoint's chat_template.jinja, which Python renders alike; undefined where it has none.
   * @param system stands in front where a conversation has no system turn, in place of the template's default
   */
  toJinja?(system?: string): string;
  /** @throws NarrowsError for turns that the template cannot render */
  render(messages: readonly ChatMessage[], options?: RenderOptions): Span[];
}

/** Special tokens that templates write. */
export interface TemplateTokens {
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** The image's text in a checkpoint's own template; `<image>` by default. */
  readonly imageToken?: string;
}

/** The rendered text. */
export const joinSpans = (spans: readonly Span[]): string => spans.map(span => span.text).join('');

/** Drops empty spans, joins neighbours of the same kind. */
export function tidySpans(spans: readonly Span[]): Span[] {
  const out: Span[] = [];
  for (const span of spans) {
    const last = out.at(-1);
    if (span.text === '') continue;
    if (last && last.supervised === span.supervised && last.role === span.role)
      out[out.length - 1] = { ...last, text: last.text + span.text };
    else out.push(span);
  }
  return out;
}

/** A span that is not supervised. */
export const prompt = (role: Role, text: string): Span => ({ text, supervised: false, role });

/** A span of an answer. */
export const answer = (text: string): Span => ({ text, supervised: true, role: 'assistant' });
