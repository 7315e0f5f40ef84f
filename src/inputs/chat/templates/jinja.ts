/** @file `jinja`: the chat template that a checkpoint brings, rendered by @huggingface/jinja as transformers' `apply_chat_template` does. */
import { messageOf, NarrowsError } from '../../../system/errors.ts';
import { type ChatMessage, countMarks, IMAGE_MARK } from '../messages.ts';
import { type ChatTemplate, prompt, type RenderOptions, type Span, type TemplateTokens, tidySpans } from '../template.ts';
import {
  answersBetween,
  answersByGaps,
  answersByPrefixes,
  CLOSE,
  markGeneration,
  OPEN,
  type Range,
  type Render,
  withEnds,
  withStarts,
} from './jinja-answers.ts';
import type { RenderJinja } from './jinja-engine.ts';
import { runnableJinja } from './jinja-runner.ts';
import { literal } from './jinja-text.ts';

/** What a Jinja template needs to know of its checkpoint. */
export interface JinjaOptions extends TemplateTokens {
  /** Named in errors. */
  readonly source: string;
  /** What the template writes for an image; `<image>` by default. */
  readonly imageTokenText?: string;
  /** Texts of all special tokens, among them those that end a turn. */
  readonly specialTokens?: readonly string[];
  /** Other variables, such as `unk_token`. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

type Part = { readonly type: 'text'; readonly text: string } | { readonly type: 'image' };
/** How contents are handed to the template: as lists of parts, as lists but for the system's, or as texts. */
type Style = 'parts' | 'parts but system' | 'text';
const STYLES: readonly Style[] = ['parts', 'parts but system', 'text'];

/** A content as a list of parts. The line end behind an image is left to the template. */
export function contentParts(content: string): Part[] {
  return content.split(IMAGE_MARK).flatMap((text, i): Part[] => {
    const rest = i > 0 ? text.replace(/^\n/, '') : text;
    return [...(i > 0 ? [{ type: 'image' } as const] : []), ...(rest === '' ? [] : [{ type: 'text', text: rest } as const])];
  });
}

/** A content without its marks, for a template that writes the image itself; as LLaVA's, a mark has a line end behind it. */
const withoutMarks = (content: string): string => content.replaceAll(`${IMAGE_MARK}\n`, '').replaceAll(IMAGE_MARK, '');

function inStyle(messages: readonly ChatMessage[], style: Style): object[] {
  return messages.map(({ role, content }) => ({
    role,
    content: style === 'text' || (style === 'parts but system' && role === 'system') ? content : contentParts(content),
  }));
}

const PROBE = { system: 'narrowssystem', user: 'narrowsquestion', assistant: 'narrowsanswer' } as const;

/**
 * A chat template in Jinja. Contents are given as lists of parts where the template takes them (LLaVA's processors do), else as texts.
 * Answers are what `{% generation %}` encloses; without it they are found by rendering the conversation a second time with stand-ins. The
 * end-of-turn token that follows is part of the answer.
 * @throws NarrowsError where the template is not Jinja
 */
export function jinjaTemplate(source: string, options: JinjaOptions): ChatTemplate {
  const { bosToken = '', eosToken = '', imageTokenText: image = IMAGE_MARK, specialTokens = [] } = options;
  const marked = markGeneration(source);
  let run: RenderJinja;
  try {
    run = runnableJinja(marked);
  } catch (error) {
    throw new NarrowsError(`The chat template of ${options.source} cannot be read (${messageOf(error)}); choose another with --template.`, {
      cause: error,
    });
  }
  const raw = (messages: readonly ChatMessage[], style: Style, generationPrompt: boolean): string =>
    run({
      tools: null,
      documents: null,
      ...options.variables,
      bos_token: bosToken,
      eos_token: eosToken,
      messages: inStyle(messages, style),
      add_generation_prompt: generationPrompt,
    });
  const styles = new Map<boolean, Style>();
  /** The first style in which a probe shows its texts and its image once each; else the first that shows its texts; else contents as texts. */
  const styleFor = (system: boolean): Style => {
    const known = styles.get(system);
    if (known) return known;
    const turns: ChatMessage[] = [
      ...(system ? [{ role: 'system' as const, content: PROBE.system }] : []),
      { role: 'user', content: `${IMAGE_MARK}\n${PROBE.user}` },
      { role: 'assistant', content: PROBE.assistant },
    ];
    const texts = [PROBE.user, PROBE.assistant, ...(system ? [PROBE.system] : [])];
    const shows: { style: Style; image: boolean }[] = [];
    for (const style of STYLES) {
      try {
        const text = raw(turns, style, false);
        const once = (part: string): boolean => text.split(part).length === 2;
        // A list that was printed as it is shows its keys.
        if (texts.every(once) && !/["']type["']/.test(text)) shows.push({ style, image: once(image) });
      } catch {
        // Another style may do; if none does, rendering the conversation itself says what is wrong.
      }
    }
    const style = (shows.find(one => one.image) ?? shows[0])?.style ?? 'text';
    styles.set(system, style);
    return style;
  };
  let tail: string | undefined;
  /** What the generation prompt adds to a question; nothing where the template has none. */
  const generationTail = (render: Render): string => {
    if (tail !== undefined) return tail;
    const question: ChatMessage[] = [{ role: 'user', content: PROBE.user }];
    try {
      const [without, whole] = [render(question, false), render(question, true)];
      tail = whole.startsWith(without) ? whole.slice(without.length) : '';
    } catch {
      tail = '';
    }
    return tail;
  };
  const drawn = new Map<Style, number>();
  /** Images that the template writes by itself, whatever the contents hold (JoyCaption's: one, in front of the first question). */
  const writesItself = (style: Style): number => {
    const known = drawn.get(style);
    if (known !== undefined) return known;
    let images = 0;
    try {
      images = raw([{ role: 'user', content: PROBE.user }], style, false).split(image).length - 1;
    } catch {
      // A template that takes no single question: rendering the conversation itself says what is wrong.
    }
    drawn.set(style, images);
    return images;
  };
  /** @throws NarrowsError where a system text would come out as something that the model has said */
  const checkSystem = (style: Style): void => {
    const render: Render = (some, more) => raw(some, style, more).replaceAll(OPEN, '').replaceAll(CLOSE, '');
    const tail = generationTail(render).trim();
    let text = '';
    try {
      text = render(
        [
          { role: 'system', content: PROBE.system },
          { role: 'user', content: PROBE.user },
        ],
        false,
      );
    } catch {
      // As above.
    }
    const before = text.slice(0, Math.max(0, text.indexOf(PROBE.system))).trimEnd();
    if (tail !== '' && before.endsWith(tail))
      throw new NarrowsError(
        `The chat template of ${options.source} knows no system text and makes a turn of the assistant of it (${JSON.stringify(tail)}); leave the system text out, or choose another with --template.`,
      );
  };
  const refuse = (error: unknown): NarrowsError =>
    new NarrowsError(
      `The chat template of ${options.source} refuses the conversation (${messageOf(error)}); choose another with --template.`,
      {
        cause: error,
      },
    );

  return {
    name: 'jinja',
    source: options.source,
    toJinja(system) {
      if (system === undefined) return source;
      const content = styleFor(true) === 'parts' ? `[{'type': 'text', 'text': ${literal(system)}}]` : literal(system);
      const first = `{%- if messages[0]['role'] != 'system' %}{%- set messages = [{'role': 'system', 'content': ${content}}] + messages %}{%- endif %}`;
      return source.startsWith(first) ? source : `${first}${source}`;
    },
    render(given: readonly ChatMessage[], { generationPrompt = false }: RenderOptions = {}): Span[] {
      const system = given[0]?.role === 'system';
      const style = styleFor(system);
      if (system) checkSystem(style);
      const itself = writesItself(style);
      const messages = itself ? given.map(message => ({ ...message, content: withoutMarks(message.content) })) : given;
      const render: Render = (some, more) => raw(some, style, more);
      let shown: string;
      try {
        shown = render(messages, generationPrompt);
      } catch (error) {
        throw refuse(error);
      }
      const text = shown.replaceAll(OPEN, '').replaceAll(CLOSE, '');
      const bare: Render = (some, more) => render(some, more).replaceAll(OPEN, '').replaceAll(CLOSE, '');
      const answers = messages.some(message => message.role === 'assistant');
      const found = !answers
        ? []
        : shown.includes(OPEN)
          ? answersBetween(shown)
          : (answersByGaps(bare, text, messages, generationPrompt) ?? answersByPrefixes(bare, text, messages, specialTokens));
      if (!found)
        throw new NarrowsError(
          `The chat template of ${options.source} changes answers so that they cannot be separated from the rest; put {% generation %} around them in it, or choose another with --template.`,
        );
      const ranges = answers
        ? withEnds(withStarts(found, text, generationTail(bare)), text, { bare, messages, eosToken, specialTokens })
        : [];
      const spans = spansOf(text, ranges, messages[0]?.role === 'system' ? messages[0].content : undefined).map(span => ({
        ...span,
        text: span.text.replaceAll(image, IMAGE_MARK),
      }));
      const wanted = given.reduce((sum, { content }) => sum + countMarks(content), 0);
      const got = spans.reduce((sum, span) => sum + countMarks(span.text), 0);
      if (wanted === got) return spans;
      const times = (n: number): string => (n === 1 ? 'one image' : `${n || 'no'} images`);
      if (itself)
        throw new NarrowsError(
          `The chat template of ${options.source} writes ${times(got)} itself, and the conversation has ${times(wanted)}; give ${times(got)}, or choose another with --template.`,
        );
      throw new NarrowsError(
        `The chat template of ${options.source} writes ${got} times ${image} where the conversation has ${wanted} images; choose another with --template.`,
      );
    },
  };
}

/** The text cut at answers; what stands before is the user's, up to the end of its content the system's. */
function spansOf(text: string, answers: readonly Range[], system: string | undefined): Span[] {
  const spans: Span[] = [];
  const content = system?.trim();
  const found = content ? text.indexOf(content) : -1;
  let at = 0;
  if (content && found >= 0 && found + content.length <= (answers[0]?.start ?? text.length)) {
    at = found + content.length;
    spans.push(prompt('system', text.slice(0, at)));
  }
  for (const { start, end } of answers) {
    spans.push(prompt('user', text.slice(at, start)), { text: text.slice(start, end), supervised: true, role: 'assistant' });
    at = end;
  }
  spans.push(prompt('user', text.slice(at)));
  return tidySpans(spans);
}
