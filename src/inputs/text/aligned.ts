/** @file Text under change that remembers where each character came from, after the alignment rules of Hugging Face's Rust tokenizers. */

/** A piece of changed text; UTF-16 unit `i` of `text` came from `[starts[i], ends[i])` of the original (UTF-16 offsets). */
export interface Aligned {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Number of white-space characters (Unicode's White_Space, as in Rust; JavaScript's `trim` differs) at the front and at the back. */
export function blankEnds(text: string): { front: number; back: number } {
  const front = text.match(/^\p{White_Space}+/u)?.[0].length ?? 0;
  return { front, back: front === text.length ? 0 : (text.match(/\p{White_Space}+$/u)?.[0].length ?? 0) };
}

/** Collects changed text: each `push` takes its offsets from a character of the source. */
export class AlignedBuilder {
  private text = '';
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];

  /** Appends `text`, every unit of which came from `[start, end)` of the original. */
  push(text: string, start: number, end: number): void {
    this.text += text;
    for (let i = 0; i < text.length; i++) {
      this.starts.push(start);
      this.ends.push(end);
    }
  }

  build(): Aligned {
    return { text: this.text, starts: this.starts, ends: this.ends };
  }
}

/** The original text itself, `offset` units into the caption: each code point stands for itself. */
export function alignOriginal(text: string, offset = 0): Aligned {
  const out = new AlignedBuilder();
  let position = offset;
  for (const character of text) {
    out.push(character, position, position + character.length);
    position += character.length;
  }
  return out.build();
}

/** Units `[from, to)` of a piece. */
export function sliceAligned(piece: Aligned, from: number, to: number): Aligned {
  return { text: piece.text.slice(from, to), starts: piece.starts.slice(from, to), ends: piece.ends.slice(from, to) };
}

/** Changes every code point by itself; all that comes out of one is aligned to it. */
export function mapCharacters(piece: Aligned, change: (character: string) => string): Aligned {
  const out = new AlignedBuilder();
  let i = 0;
  for (const character of piece.text) {
    out.push(change(character), piece.starts[i], piece.ends[i]);
    i += character.length;
  }
  return out.build();
}

/** Replaces every match of a global `pattern` by `content`, which is aligned to the last character replaced. */
export function replaceMatches(piece: Aligned, pattern: RegExp, content: string): Aligned {
  const out = new AlignedBuilder();
  const copy = (from: number, to: number): void => {
    for (let i = from; i < to; i++) out.push(piece.text[i], piece.starts[i], piece.ends[i]);
  };
  let last = 0;
  for (const match of piece.text.matchAll(pattern)) {
    if (match[0].length === 0) continue;
    copy(last, match.index);
    last = match.index + match[0].length;
    out.push(content, piece.starts[last - 1], piece.ends[last - 1]);
  }
  copy(last, piece.text.length);
  return out.build();
}

/** Puts `content` in front, aligned to the first character; an empty piece stays empty. */
export function prepend(piece: Aligned, content: string): Aligned {
  if (piece.text.length === 0) return piece;
  const fill = (value: number): number[] => new Array<number>(content.length).fill(value);
  return {
    text: content + piece.text,
    starts: [...fill(piece.starts[0]), ...piece.starts],
    ends: [...fill(piece.ends[0]), ...piece.ends],
  };
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Applies a normal form (or another change that looks at neighbours). Within a grapheme that is composed, the first character that
 * comes out belongs to the first that went in (its marks are swallowed), the rest is aligned from the right.
 */
export function mapGraphemes(piece: Aligned, change: (text: string) => string): Aligned {
  const whole = change(piece.text);
  if (whole === piece.text) return piece;
  const simple = mapCharacters(piece, change);
  if (simple.text === whole) return simple;
  const out = new AlignedBuilder();
  for (const { segment, index } of graphemes.segment(piece.text)) {
    const part = sliceAligned(piece, index, index + segment.length);
    const changed = change(segment);
    const single = mapCharacters(part, change);
    if (single.text === changed) {
      for (let i = 0; i < changed.length; i++) out.push(changed[i], single.starts[i], single.ends[i]);
      continue;
    }
    const sources: number[] = [];
    for (let i = 0; i < segment.length; i += String.fromCodePoint(segment.codePointAt(i) as number).length) sources.push(i);
    const results = [...changed];
    results.forEach((character, k) => {
      const source = k === 0 ? 0 : Math.max(0, sources.length - (results.length - k));
      out.push(character, part.starts[sources[source]], part.ends[sources[source]]);
    });
  }
  const result = out.build();
  if (result.text === whole || piece.text.length === 0) return result;
  // A change that reaches over graphemes: the ids must be right, so all of it is aligned to the whole piece.
  const block = new AlignedBuilder();
  block.push(whole, piece.starts[0], piece.ends[piece.text.length - 1]);
  return block.build();
}
