/**
 * @file SentencePiece's compiled normalisation rules (`precompiled_charsmap`, such as nmt_nfkc): a double-array trie over UTF-8 from what is
 * replaced to where its replacement stands. Layout: SentencePiece's normalizer.cc and Darts-clone (s-yata/darts-clone).
 */
import { NarrowsError } from '../../system/errors.ts';
import { type Aligned, AlignedBuilder } from './aligned.ts';

/** Compiled rules. */
interface Charsmap {
  /** The replacement by the shortest rule that begins `text`, as Rust looks it up; undefined where none does. */
  shortest(text: string): string | undefined;
  /** The longest rule that begins at byte `at`, as SentencePiece looks it up: its replacement, and how many bytes it replaces. */
  longest(bytes: Uint8Array, at: number): { readonly text: string; readonly length: number } | undefined;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Rust looks up a whole grapheme only where it is shorter than this many bytes. */
const SHORT = 6;

/** Where the children of a trie's unit begin. */
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

/** Opens compiled rules. @param base64 `precompiled_charsmap` @throws NarrowsError where it is cut off or no base64 */
export function openCharsmap(base64: string): Charsmap {
  const cutOff = (): NarrowsError => new NarrowsError('tokenizer.json: its precompiled_charsmap is cut off; get the file again.');
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
  } catch {
    throw cutOff();
  }
  const view = new DataView(bytes.buffer);
  const size = bytes.length < 4 ? Number.POSITIVE_INFINITY : view.getUint32(0, true);
  if (size % 4 || size === 0 || 4 + size > bytes.length) throw cutOff();
  const units = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const texts = bytes.subarray(4 + size);
  const replacement = (node: number): string => {
    const at = units[node] & 0x7fffffff;
    return decoder.decode(texts.subarray(at, texts.indexOf(0, at)));
  };
  /** Nodes that end a rule beginning at byte `at`, shortest first, with the rule's length. */
  function* rules(given: Uint8Array, at: number): Generator<readonly [node: number, length: number]> {
    let node = offsetOf(units[0]);
    for (let i = at; i < given.length; i++) {
      const byte = given[i];
      if (byte === 0) return;
      node ^= byte;
      const unit = units[node] ?? 0;
      if ((unit & 0x800000ff) >>> 0 !== byte) return;
      node ^= offsetOf(unit);
      if (unit & 0x100) yield [node, i + 1 - at];
    }
  }
  return {
    shortest(text) {
      for (const [node] of rules(encoder.encode(text), 0)) return replacement(node);
      return undefined;
    },
    longest(given, at) {
      let found: readonly [number, number] | undefined;
      for (const rule of rules(given, at)) found = rule;
      return found && { text: replacement(found[0]), length: found[1] };
    },
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
  const lookup = openCharsmap(base64).shortest;
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
