/** @file An encoded conversation as a person reads it: runs of tokens of one kind, images collapsed, and what a data set amounts to. */
import { type EncodedChat, IGNORED, supervisedCount } from './encode-chat.ts';

/** What a run of tokens is: learnt, an image, or neither. */
export type SegmentKind = 'supervised' | 'image' | 'masked';

/** Neighbouring tokens of one kind. */
export interface Segment {
  readonly kind: SegmentKind;
  /** A special token, or one that the vocabulary does not know. */
  readonly mark?: 'special' | 'unknown';
  /** The text they stand for, blanks between them included; of a token put in front, its own. */
  readonly text: string;
  readonly tokens: number;
}

/** What `segmentsOf` asks about ids. */
export interface Vocabulary {
  textOf(id: number): string | undefined;
  isSpecial(id: number): boolean;
  isUnknown(id: number): boolean;
}

/** Runs of tokens of one kind; special and unknown tokens and images are runs by themselves. Texts joined are the rendered text, as far as it was not cut. */
export function segmentsOf(chat: EncodedChat, vocabulary: Vocabulary): Segment[] {
  const out: Segment[] = [];
  let shown = 0;
  let image = -1;
  for (const [i, id] of chat.ids.entries()) {
    const [start, end] = chat.offsets[i];
    const last = out.at(-1);
    if (chat.roles[i] === 'image') {
      // An image's tokens share one place in the text, two images never do.
      if (last?.kind === 'image' && image === start) out[out.length - 1] = { ...last, tokens: last.tokens + 1 };
      else {
        if (last) out[out.length - 1] = { ...last, text: last.text + chat.text.slice(shown, start) };
        out.push({ kind: 'image', text: chat.text.slice(start, end), tokens: 1 });
      }
      image = start;
      shown = end;
      continue;
    }
    const kind: SegmentKind = chat.labels[i] === IGNORED ? 'masked' : 'supervised';
    const around = end === 0;
    const text = around ? (vocabulary.textOf(id) ?? '') : chat.text.slice(Math.min(shown, end), end);
    const mark = vocabulary.isSpecial(id) ? ('special' as const) : vocabulary.isUnknown(id) ? ('unknown' as const) : undefined;
    if (!around) shown = Math.max(shown, end);
    if (last && last.kind === kind && !last.mark && !mark)
      out[out.length - 1] = { ...last, text: last.text + text, tokens: last.tokens + 1 };
    else out.push({ kind, ...(mark ? { mark } : {}), text, tokens: 1 });
  }
  return out;
}

/** Counts of one conversation. */
export interface ChatCounts {
  readonly tokens: number;
  readonly supervised: number;
  readonly images: number;
  readonly cut: number;
  readonly imagesCut: number;
  readonly unknown: number;
}

/** Counts of one conversation. */
export function chatCounts(chat: EncodedChat, vocabulary: Pick<Vocabulary, 'isUnknown'>): ChatCounts {
  const unknown = chat.ids.filter((id, i) => chat.roles[i] !== 'image' && vocabulary.isUnknown(id)).length;
  const { images, cut, imagesCut } = chat;
  return { tokens: chat.ids.length, supervised: supervisedCount(chat), images, cut, imagesCut, unknown };
}

/** Sums over a data set. */
export interface DataTotals extends ChatCounts {
  readonly samples: number;
  readonly longest: number;
  /** Conversations that lost tokens to `maxLength`. */
  readonly samplesCut: number;
  /** Conversations that teach nothing, as when their answers were cut off. */
  readonly unsupervised: number;
}

/** The totals of nothing. */
export const NO_TOTALS: DataTotals = {
  samples: 0,
  tokens: 0,
  supervised: 0,
  images: 0,
  cut: 0,
  imagesCut: 0,
  unknown: 0,
  longest: 0,
  samplesCut: 0,
  unsupervised: 0,
};

/** Totals with one more conversation. */
export const addCounts = (totals: DataTotals, counts: ChatCounts): DataTotals => ({
  samples: totals.samples + 1,
  tokens: totals.tokens + counts.tokens,
  supervised: totals.supervised + counts.supervised,
  images: totals.images + counts.images,
  cut: totals.cut + counts.cut,
  imagesCut: totals.imagesCut + counts.imagesCut,
  unknown: totals.unknown + counts.unknown,
  longest: Math.max(totals.longest, counts.tokens),
  samplesCut: totals.samplesCut + (counts.cut > 0 ? 1 : 0),
  unsupervised: totals.unsupervised + (counts.supervised === 0 ? 1 : 0),
});
