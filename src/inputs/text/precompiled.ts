/**
 * @file SentencePiece's compiled normalisation rules (`precompiled_charsmap`, such as nmt_nfkc): a double-array trie over UTF-8 from what is
 * replaced to where its replacement stands. Layout: SentencePiece's normalizer.cc and Darts-clone (s-yata/darts-clone).
 */
import { NarrowsError } from '../../system/errors.ts';
import { type Aligned, AlignedBuilder } from './aligned.ts';

/** The replacement of a text, or undefined where no rule begins it. */
type Lookup = (text: string) => string | undefined;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Rust looks up a whole grapheme only where it is shorter than this many bytes. */
const SHORT = 6;

/** Where the children of a trie's unit begin. */
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

function openRules(base64: string): Lookup {
  const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const size = bytes.length < 4 ? Number.POSITIVE_INFINITY : view.getUint32(0, true);
  if (size % 4 || size === 0 || 4 + size > bytes.length)
    throw new NarrowsError('tokenizer.json: its precompiled_charsmap is cut off; get the file again.');
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const texts = bytes.subarray(4 + size);
  return text => {
    let node = offsetOf(units[0]);
    for (const byte of encoder.encode(text)) {
      if (byte === 0) return undefined;
      node ^= byte;
      const unit = units[node] ?? 0;
      if ((unit & 0x800000ff) >>> 0 !== byte) return undefined;
      node ^= offsetOf(unit);
      // The shortest rule that begins the text, as Rust takes it.
      if (unit & 0x100) {
        const at = units[node] & 0x7fffffff;
        return decoder.decode(texts.subarray(at, texts.indexOf(0, at)));
      }
    }
    return undefined;
  };
}

/** A character that comes out: 0 stands for one that went in, 1 was added, −k stands for one and swallows the k after it. */
type Change = [character: string, change: number];

function replace(changes: Change[], old: string, text: string): void {
  const replacement = [...text];
  const difference = replacement.length - [...old].length;
  for (const [i, c] of replacement.entries()) changes.push([c, i >= replacement.length - difference ? 1 : 0]);
  const last = changes.at(-1);
  if (difference < 0 && last) last[1] += difference;
}

/**
 * The normaliser of a `Precompiled` entry: rules for whole graphemes first, then for their characters; offsets follow Rust's
 * (huggingface/tokenizers, normalizers/precompiled.rs).
 * @param base64 `precompiled_charsmap`; none changes nothing
 * @throws NarrowsError where it is cut off
 */
export function precompiledNormalizer(base64: string | null | undefined): (piece: Aligned) => Aligned {
  if (!base64) return piece => piece;
  const lookup = openRules(base64);
  return piece => {
    const changes: Change[] = [];
    let modified = false;
    const apply = (text: string): boolean => {
      const replacement = lookup(text);
      if (replacement === undefined) return false;
      modified = true;
      replace(changes, text, replacement);
      return true;
    };
    for (const { segment } of graphemes.segment(piece.text)) {
      if (encoder.encode(segment).length < SHORT && apply(segment)) continue;
      for (const character of segment) if (!apply(character)) changes.push([character, 0]);
    }
    return modified ? follow(piece, changes) : piece;
  };
}

/** Carries changes out: each character that comes out is aligned to the one it stands for, an added one to the one before it. */
function follow(piece: Aligned, changes: readonly Change[]): Aligned {
  const out = new AlignedBuilder();
  const sources: number[] = [];
  for (let i = 0; i < piece.text.length; i += (piece.text.codePointAt(i) as number) > 0xffff ? 2 : 1) sources.push(i);
  let next = 0;
  for (const [character, change] of changes) {
    const source = sources[change > 0 ? Math.max(0, next - 1) : next];
    out.push(character, piece.starts[source], piece.ends[source]);
    if (change <= 0) next += 1 - change;
  }
  return out.build();
}
