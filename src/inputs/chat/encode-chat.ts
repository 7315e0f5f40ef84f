/** @file Conversations to token ids and labels. The joined text is tokenised as it stands; labels follow from the spans that tokens overlap. */
import { NarrowsError } from '../../system/errors.ts';
import type { Token, Tokenizer } from '../text/tokenizer.ts';
import { type ChatMessage, IMAGE_MARK, type Role } from './messages.ts';
import { type ChatTemplate, joinSpans, type Span, tidySpans } from './template.ts';

/** The label of a token that is not learnt (LLaVA's and PyTorch's IGNORE_INDEX). */
export const IGNORED = -100;

/** How a picture of a family whose pictures take any number of tokens stands in the text. */
export interface PictureText {
  /** What stands for its `<image>`; each `<image>` in here is a run of image tokens. */
  readonly text: string;
  /** Image tokens of each run. */
  readonly runs: readonly number[];
}

/** Options of `encodeChat`. */
export interface EncodeOptions {
  /** Id that stands for image features (`image_token_index`). */
  readonly imageToken: number;
  /** The tokenizer's text of that id. Where it has it, the text is tokenised with its images in place, as Hugging Face's processor does. */
  readonly imageTokenText?: string;
  /** Tokens that one image takes. */
  readonly tokensPerImage: number;
  /** The pictures in order, where they differ in text and tokens; then `tokensPerImage` is not read. */
  readonly pictures?: readonly PictureText[];
  /** Most tokens, those of images included; the rest is cut. All by default. */
  readonly maxLength?: number;
  /** Ends with what comes before an answer. */
  readonly generationPrompt?: boolean;
}

/** A conversation as the model takes it. All lists are per token. */
export interface EncodedChat {
  readonly ids: number[];
  /** The token's id where it is supervised, else −100. */
  readonly labels: number[];
  /** Whose turn a token belongs to. */
  readonly roles: (Role | 'image')[];
  /** The rendered text, and the UTF-16 range of it that a token stands for (empty for tokens that were put around it). */
  readonly text: string;
  readonly offsets: (readonly [number, number])[];
  /** Images that are in `ids`, whole; the first ones of the conversation. */
  readonly images: number;
  /** Tokens that `maxLength` cut off, and images among them. An image is never cut in two. */
  readonly cut: number;
  readonly imagesCut: number;
}

/** A token, or an image's place, in the joined text. */
interface Placed {
  readonly id: number;
  readonly start: number;
  readonly end: number;
  readonly image: boolean;
  /** Put in front by the tokenizer, not part of the text. */
  readonly around: boolean;
}

/** Tokens of a text, those put in front apart; those put behind are left out, since templates end turns themselves. */
function tokensOf(tokenizer: Tokenizer, text: string): { front: Token[]; content: Token[] } {
  const { tokens } = tokenizer.encode(text, { maxLength: Number.POSITIVE_INFINITY });
  const around = (token: Token): boolean => token.special && token.end === 0;
  const first = tokens.findIndex(token => !around(token));
  if (first < 0) return { front: [], content: [] };
  return { front: tokens.slice(0, first), content: tokens.slice(first).filter(token => !around(token)) };
}

const placed = ({ id, start, end }: Token, at: number, image = false): Placed => ({
  id,
  start: at + start,
  end: at + end,
  image,
  around: false,
});

/**
 * The text's tokens. Where the tokenizer knows the image token, one pass over the whole text, as Hugging Face's processor does it.
 * Otherwise the chunks between images one by one, as LLaVA's `tokenizer_image_token` does it. Both give the same ids but where a
 * tokenizer treats the beginning of a text in a special way.
 */
function place(tokenizer: Tokenizer, text: string, mark: string, imageToken: number): Placed[] {
  const whole = tokenizer.idOf(mark) === imageToken;
  const chunks = whole || !text.includes(mark) ? [text] : text.split(mark);
  const out: Placed[] = [];
  let front: Token[] | undefined;
  let at = 0;
  chunks.forEach((chunk, i) => {
    if (i > 0) {
      out.push({ id: imageToken, start: at, end: at + mark.length, image: true, around: false });
      at += mark.length;
    }
    if (chunk !== '') {
      const found = tokensOf(tokenizer, chunk);
      front ??= found.front;
      out.push(...found.content.map(token => placed(token, at, whole && token.id === imageToken)));
    }
    at += chunk.length;
  });
  // Once at the start: a template that writes the tokenizer's first token itself gets no second one.
  const begins = (front ?? []).every(({ id }, i) => out[i]?.id === id);
  return begins ? out : [...(front ?? []).map(({ id }) => ({ id, start: 0, end: 0, image: false, around: true })), ...out];
}

/** Puts what stands for each picture in its place. @throws NarrowsError where marks and pictures differ in number */
function withPictures(spans: readonly Span[], pictures: readonly PictureText[]): Span[] {
  let next = 0;
  const out = spans.map(span => ({ ...span, text: span.text.replaceAll(IMAGE_MARK, () => pictures[next++]?.text ?? IMAGE_MARK) }));
  if (next === pictures.length) return out;
  const many = (n: number, what: string): string => `${n || 'no'} ${what}${n === 1 ? '' : 's'}`;
  throw new NarrowsError(
    `The text has ${many(next, '<image> mark')}, but ${many(pictures.length, 'picture')} ${pictures.length === 1 ? 'was' : 'were'} given; give a picture for each <image>.`,
  );
}

/** For each image token of the text: the picture that it belongs to, and how many tokens it stands for. */
const runsOf = (pictures: readonly PictureText[]): { picture: number; width: number }[] =>
  pictures.flatMap(({ runs }, picture) => runs.map(width => ({ picture, width })));

/** For each token the span that decides about it: a supervised one it overlaps, else the one its first character lies in. */
function spanOf(spans: readonly Span[], tokens: readonly Placed[]): (Span | undefined)[] {
  const ends: number[] = [];
  for (const { text } of spans) ends.push((ends.at(-1) ?? 0) + text.length);
  let first = 0;
  return tokens.map(({ start, end, around }) => {
    if (around) return spans[0];
    while (first < spans.length - 1 && ends[first] <= start) first++;
    // A token that straddles a border belongs to the answer: the model must produce it to say the answer's first character (`▁yes` after
    // `ASSISTANT:`), and LLaVA's masks do the same. A token of no width (a blank whose offsets were trimmed) touches nothing behind it.
    for (let i = first; i < spans.length && (i === first || (ends[i - 1] ?? 0) < end); i++) {
      if (spans[i].supervised && end > start) return spans[i];
      if (spans[i].supervised && start > (ends[i - 1] ?? 0)) return spans[i];
    }
    return spans[first];
  });
}

/**
 * Renders, tokenises, labels and cuts a conversation. `labels` equal LLaVA's: an answer with its end-of-turn token, never an image.
 * @throws NarrowsError where the template refuses the turns or makes nothing of them
 */
export function encodeChat(
  tokenizer: Tokenizer,
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  options: EncodeOptions,
): EncodedChat {
  const { imageToken, imageTokenText = IMAGE_MARK, tokensPerImage, maxLength = Number.POSITIVE_INFINITY, generationPrompt } = options;
  const { pictures } = options;
  const plain = template.render(messages, { generationPrompt });
  const rendered = pictures ? withPictures(plain, pictures) : plain;
  const spans = tidySpans(
    imageTokenText === IMAGE_MARK ? rendered : rendered.map(span => ({ ...span, text: span.text.replaceAll(IMAGE_MARK, imageTokenText) })),
  );
  const text = joinSpans(spans);
  if (text === '') throw new NarrowsError(`The chat template "${template.name}" made an empty text of the conversation.`);
  const tokens = place(tokenizer, text, imageTokenText, imageToken);
  const owners = spanOf(spans, tokens);
  const runs = pictures && runsOf(pictures);
  let run = 0;
  // Tokens that an image token stands for, and the last run of its picture; 1 for a word.
  const widths = tokens.map(({ image }) => (image ? (runs ? (runs[run++]?.width ?? 0) : tokensPerImage) : 1));
  if (runs && run !== runs.length)
    throw new NarrowsError(
      `The tokenizer finds ${run} image tokens in the text where the pictures have ${runs.length}; it does not know the tokens that stand around a picture, so it does not belong to this model.`,
    );
  const total = widths.reduce((sum, width) => sum + width, 0);
  const result = {
    ids: [] as number[],
    labels: [] as number[],
    roles: [] as (Role | 'image')[],
    offsets: [] as (readonly [number, number])[],
  };
  let images = 0;
  let seen = 0;
  let begun = 0;
  for (const [i, token] of tokens.entries()) {
    const width = widths[i];
    if (result.ids.length + width > maxLength) break;
    const owner = owners[i];
    if (token.image && runs && runs[seen].picture !== runs[seen - 1]?.picture) begun = result.ids.length;
    if (token.image) seen++;
    if (token.image && (!runs || runs[seen]?.picture !== runs[seen - 1].picture)) images++;
    for (let k = 0; k < width; k++) {
      result.ids.push(token.id);
      result.labels.push(!token.image && owner?.supervised ? token.id : IGNORED);
      result.roles.push(token.image ? 'image' : (owner?.role ?? 'user'));
      result.offsets.push([token.start, token.end]);
    }
  }
  const all = pictures?.length ?? tokens.filter(token => token.image).length;
  // A picture of which only some runs fit is left out whole, with what stands before its first.
  if (runs && seen > 0 && seen < runs.length && runs[seen].picture === runs[seen - 1].picture)
    for (const list of Object.values(result)) list.length = begun;
  return { ...result, text, images, cut: total - result.ids.length, imagesCut: all - images };
}

/** Labels that the next-token loss counts: all supervised ones but the first token's. */
export const supervisedCount = ({ labels }: { readonly labels: readonly number[] }): number =>
  labels.slice(1).filter(label => label !== IGNORED).length;
