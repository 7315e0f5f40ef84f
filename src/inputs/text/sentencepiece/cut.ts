/**
 * @file Cuts normalised text as SentencePiece itself does: Unigram by the best path, BPE by the best pair. Sums are float32 where
 * SentencePiece's are, so that ties fall alike. Source: unigram_model.cc (EncodeOptimized) and bpe_model.cc of google/sentencepiece.
 */
import { PIECE, type Piece } from './model-file.ts';

/** A part of the text: its id (the unknown piece's where the vocabulary lacks it), `[from, to)` in UTF-16 units. */
export interface Part {
  readonly id: number;
  readonly from: number;
  readonly to: number;
}

/** Pieces that text is matched with, by their text. */
export interface Lookup {
  readonly pieces: readonly Piece[];
  readonly ids: ReadonlyMap<string, number>;
  readonly unknownId: number;
  /** UTF-16 units of the longest piece. */
  readonly longest: number;
}

const MATCHED: ReadonlySet<number> = new Set([PIECE.normal, PIECE.userDefined, PIECE.unused]);

/** Control, unknown and byte pieces are never matched with text. */
export function lookupOf(pieces: readonly Piece[], unknownId: number): Lookup {
  const ids = new Map<string, number>();
  let longest = 1;
  for (const [id, { text, type }] of pieces.entries()) {
    if (!MATCHED.has(type) || text === '') continue;
    ids.set(text, id);
    longest = Math.max(longest, text.length);
  }
  return { pieces, ids, unknownId, longest };
}

const encoder = new TextEncoder();
/** Score of an unknown character below that of the worst piece. */
const UNKNOWN_PENALTY = 10;

/** The best path through the pieces of a Unigram vocabulary. */
export function cutUnigram({ pieces, ids, unknownId, longest }: Lookup): (text: string) => Part[] {
  const scores = pieces.filter(piece => piece.type === PIECE.normal).map(piece => piece.score);
  const lowest = scores.reduce((least, score) => Math.min(least, score), scores.length ? Number.POSITIVE_INFINITY : 0);
  const highest = scores.reduce((most, score) => Math.max(most, score), scores.length ? Number.NEGATIVE_INFINITY : 0);
  const unknownScore = Math.fround(lowest - UNKNOWN_PENALTY);
  return text => {
    const size = text.length;
    const best = new Float32Array(size + 1);
    const start = new Int32Array(size + 1).fill(-1);
    const chosen = new Int32Array(size + 1);
    const offer = (from: number, to: number, id: number, total: number): void => {
      if (start[to] >= 0 && !(total > best[to])) return;
      best[to] = total;
      start[to] = from;
      chosen[to] = id;
    };
    for (let from = 0; from < size; ) {
      const step = (text.codePointAt(from) as number) > 0xffff ? 2 : 1;
      let single = false;
      for (let to = from + step; to <= size && to - from <= longest; ) {
        const part = text.slice(from, to);
        const id = ids.get(part);
        if (id !== undefined && pieces[id].type !== PIECE.unused) {
          const user = pieces[id].type === PIECE.userDefined;
          const score = user ? Math.fround(encoder.encode(part).length * highest) - 0.1 : pieces[id].score;
          offer(from, to, id, score + best[from]);
          if (to - from === step) single = true;
        }
        if (to === size) break;
        to += (text.codePointAt(to) as number) > 0xffff ? 2 : 1;
      }
      if (!single) offer(from, from + step, unknownId, Math.fround(unknownScore + best[from]));
      from += step;
    }
    const parts: Part[] = [];
    for (let to = size; to > 0; to = start[to]) parts.push({ id: chosen[to], from: start[to], to });
    return parts.reverse();
  };
}

interface Pair {
  readonly left: number;
  readonly right: number;
  readonly score: number;
  readonly length: number;
}

/** Pairs, the best on top: the highest score, of equal ones the leftmost. */
class Agenda {
  private readonly heap: Pair[] = [];

  private before(a: number, b: number): boolean {
    const [x, y] = [this.heap[a], this.heap[b]];
    return x.score > y.score || (x.score === y.score && x.left < y.left);
  }

  private swap(a: number, b: number): void {
    [this.heap[a], this.heap[b]] = [this.heap[b], this.heap[a]];
  }

  push(pair: Pair): void {
    let at = this.heap.push(pair) - 1;
    while (at > 0 && this.before(at, (at - 1) >> 1)) {
      this.swap(at, (at - 1) >> 1);
      at = (at - 1) >> 1;
    }
  }

  pop(): Pair | undefined {
    const top = this.heap[0];
    const last = this.heap.pop();
    if (this.heap.length === 0 || last === undefined) return top;
    this.heap[0] = last;
    for (let at = 0; ; ) {
      let next = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < this.heap.length && this.before(child, next)) next = child;
      if (next === at) return top;
      this.swap(at, next);
      at = next;
    }
  }
}

/** Merges the best pair until there is none. Symbols defined by the user are never parted or joined. */
export function cutBytePairs({ pieces, ids, unknownId }: Lookup): (text: string) => Part[] {
  const user = pieces.filter(piece => piece.type === PIECE.userDefined).map(piece => piece.text);
  user.sort((a, b) => b.length - a.length);
  return text => {
    const [froms, tos, previous, next, frozen]: [number[], number[], number[], number[], boolean[]] = [[], [], [], [], []];
    for (let at = 0; at < text.length; ) {
      const symbol = user.find(one => text.startsWith(one, at));
      froms.push(at);
      at += symbol?.length ?? ((text.codePointAt(at) as number) > 0xffff ? 2 : 1);
      tos.push(at);
      frozen.push(symbol !== undefined);
    }
    for (const i of froms.keys()) {
      previous.push(i - 1);
      next.push(i + 1 < froms.length ? i + 1 : -1);
    }
    const agenda = new Agenda();
    const parted = new Map<string, [string, string]>();
    const offer = (left: number, right: number): void => {
      if (left < 0 || right < 0 || frozen[left] || frozen[right]) return;
      const whole = text.slice(froms[left], tos[right]);
      const id = ids.get(whole);
      if (id === undefined) return;
      agenda.push({ left, right, score: pieces[id].score, length: whole.length });
      if (pieces[id].type === PIECE.unused) parted.set(whole, [text.slice(froms[left], tos[left]), text.slice(froms[right], tos[right])]);
    };
    for (let i = 1; i < froms.length; i++) offer(i - 1, i);
    for (let top = agenda.pop(); top; top = agenda.pop()) {
      const { left, right, length } = top;
      const sizes = [tos[left] - froms[left], tos[right] - froms[right]];
      if (sizes[0] === 0 || sizes[1] === 0 || sizes[0] + sizes[1] !== length) continue;
      tos[left] = tos[right];
      next[left] = next[right];
      if (next[right] >= 0) previous[next[right]] = left;
      froms[right] = tos[right];
      offer(previous[left], left);
      offer(left, next[left]);
    }
    const parts: Part[] = [];
    const add = (part: string, from: number): void => {
      const id = ids.get(part) ?? unknownId;
      const halves = pieces[id].type === PIECE.unused ? parted.get(part) : undefined;
      if (!halves) parts.push({ id, from, to: from + part.length });
      else {
        add(halves[0], from);
        add(halves[1], from + halves[0].length);
      }
    };
    for (let i = froms.length > 0 ? 0 : -1; i >= 0; i = next[i]) add(text.slice(froms[i], tos[i]), froms[i]);
    return parts;
  };
}
