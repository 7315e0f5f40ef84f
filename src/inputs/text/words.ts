/** @file Tokens to words: what a reader sees as one word, punctuation mark or emoji gets the sum of its tokens' values. */

/** Where a token stands in the caption, in UTF-16 offsets (what `Tokenizer.encode` gives). */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
  readonly special: boolean;
  /** The vocabulary lacks it. */
  readonly unknown?: boolean;
}

/** One word, punctuation mark or emoji of the caption with the sum of its tokens' values. */
export interface WordScore {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly value: number;
  /** Indices into the tokens. */
  readonly tokens: readonly number[];
  /** The vocabulary lacks the word, or a part of it: the model cannot tell it from others, so its value says little. */
  readonly unknown?: true;
}

type Segment = { start: number; end: number };
type Group = Segment & { tokens: number[] };

// Unicode's word rules (UAX 29): "isn't" and "3.14" are one word, a hyphen parts words, Chinese and Japanese are cut by a dictionary.
const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

function segmentsOf(text: string): Segment[] {
  const segments: Segment[] = [];
  for (const { segment, index } of segmenter.segment(text)) {
    if (segment.trim() !== '') segments.push({ start: index, end: index + segment.length });
  }
  return segments;
}

/** Index of the first segment that ends after `position`. */
function segmentAfter(segments: readonly Segment[], position: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (segments[middle].end > position) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The part of a token's span that is not white space, and the segments it touches: `[first, last]`. */
function touched(
  text: string,
  token: TokenSpan,
  segments: readonly Segment[],
): { start: number; end: number; first: number; last: number } {
  const span = text.slice(token.start, token.end);
  const blank = span.trim() === '';
  const start = blank ? token.start : token.start + span.length - span.trimStart().length;
  const end = blank ? token.end : token.end - (span.length - span.trimEnd().length);
  const first = Math.min(segmentAfter(segments, start), segments.length - 1);
  let last = first;
  // A blank token (an added prefix, a lone space piece) belongs to the word that follows.
  if (!blank) while (last + 1 < segments.length && segments[last + 1].start < end) last++;
  return blank ? { start: segments[first].start, end: segments[first].start, first, last } : { start, end, first, last };
}

/**
 * Merges tokens to words through their offsets. Byte-level pieces of one character and sub-words of one word add up; a token that spans
 * several marks (`...`) makes them one. White space belongs to no word; combining marks and joiners left over go to the character before
 * them. Special tokens are left out. The words' values sum to the values of all other tokens.
 * @param values one value per token, in the tokens' order (nats, or any score that adds up).
 * @throws RangeError when the numbers of tokens and values differ.
 */
export function mergeWords(text: string, tokens: readonly TokenSpan[], values: ArrayLike<number>): WordScore[] {
  if (tokens.length !== values.length) throw new RangeError(`${values.length} values for ${tokens.length} tokens.`);
  const segments = segmentsOf(text);
  if (segments.length === 0) return [];
  const groups: (Group & { last: number })[] = [];
  tokens.forEach((token, index) => {
    if (token.special) return;
    const { start, end, first, last } = touched(text, token, segments);
    const group = groups[groups.length - 1];
    if (group && first <= group.last) {
      group.start = Math.min(group.start, start);
      group.end = Math.max(group.end, end);
      group.last = Math.max(group.last, last);
      group.tokens.push(index);
    } else groups.push({ start, end, last, tokens: [index] });
  });
  return groups.map(({ start, end, tokens: members }) => {
    const tail = text.slice(end).match(/^[\p{M}\p{Join_Control}\p{Variation_Selector}]+/u)?.[0].length ?? 0;
    const value = members.reduce((sum, index) => sum + values[index], 0);
    const unknown = members.some(index => tokens[index].unknown) ? { unknown: true as const } : {};
    return { text: text.slice(start, end + tail), start, end: end + tail, value, tokens: members, ...unknown };
  });
}
