/**
 * @file Isolated turns: the questions about one picture as one row, each as if it were asked by itself. The row is the prefix that all
 * questions share (system text, pictures), then what follows of each; a question sees the prefix and itself (`DecoderInputs.turns`), and its
 * positions begin behind the prefix. Logits and gradients are those of a row per question, and the prefix is computed once.
 */
import { type ChatMessage, countMarks, IMAGE_MARK } from '../../inputs/chat/messages.ts';
import { NarrowsError } from '../../system/errors.ts';

/** Ids of a conversation and which of them are supervised: labels are the ids, or −100. */
export interface EncodedTurns {
  readonly ids: readonly number[];
  readonly labels: readonly number[];
  /** Isolated turns: 0 in the prefix, else the number of the token's turn. All rows of a batch have them, or none. */
  readonly turns?: readonly number[];
}

/** Questions of one row. */
export interface PackedTurns extends EncodedTurns {
  readonly turns: readonly number[];
  /** Tokens of questions that were left out. */
  readonly left: number;
}

/** Pictures in front, with the blanks behind each. */
const PICTURES_FIRST = new RegExp(`^(?:${IMAGE_MARK}\\s*)+`);

/**
 * Cuts a conversation into conversations of one question, each with the system text and the pictures of the first.
 * @throws NarrowsError where a later question shows a picture, or pictures stand among the words of the first
 */
export function independentTurns(messages: readonly ChatMessage[]): ChatMessage[][] {
  const system = messages[0]?.role === 'system' ? messages.slice(0, 1) : [];
  const [first, ...rest] = messages.slice(system.length);
  const later = rest.slice(1).filter(({ role }) => role === 'user');
  if (later.length === 0) return [[...messages]];
  const marks = countMarks(first.content);
  const pictures = PICTURES_FIRST.exec(first.content)?.[0] ?? '';
  if (later.some(({ content }) => content.includes(IMAGE_MARK)))
    throw new NarrowsError('a later question shows a picture, so its turns cannot be isolated; train without "isolated_turns".');
  if (countMarks(pictures) < marks)
    throw new NarrowsError(
      'pictures stand among the words of the first question, so later ones cannot be asked without it; put each <image> in front, or train without "isolated_turns".',
    );
  // A first question of nothing but pictures has no line end behind them.
  const lead = pictures === '' || /\s$/.test(pictures) ? pictures : `${pictures}\n`;
  const out: ChatMessage[][] = [[...system, first, ...rest.slice(0, 1)]];
  for (let i = 1; i + 1 < rest.length; i += 2) {
    const question = { ...rest[i], content: `${lead}${rest[i].content}` };
    out.push([...system, question, rest[i + 1]]);
  }
  return out;
}

/** Tokens that all rows begin with, as far as the last picture where there are any, and leaving each row a token in front of its answer. */
function sharedPrefix(rows: readonly EncodedTurns[], imageToken: number): number {
  const [first, ...others] = rows;
  const lastImage = first.ids.lastIndexOf(imageToken);
  const room = rows.map(({ ids, labels }) => {
    const answer = labels.findIndex(label => label !== -100);
    return (answer < 0 ? ids.length : answer) - 1;
  });
  const most = Math.max(0, Math.min(...room, lastImage < 0 ? Number.POSITIVE_INFINITY : lastImage + 1));
  let prefix = 0;
  while (prefix < most && others.every(({ ids }) => ids[prefix] === first.ids[prefix])) prefix++;
  return prefix;
}

/**
 * Packs rows of one question into one row. Questions that do not fit are left out, the first never.
 * @param rows each with the same pictures
 * @throws NarrowsError where pictures stand behind what differs between the rows, or right before an answer
 */
export function packTurns(rows: readonly EncodedTurns[], imageToken: number, maxLength = Number.POSITIVE_INFINITY): PackedTurns {
  const prefix = rows.length > 1 ? sharedPrefix(rows, imageToken) : 0;
  if (rows.length > 1 && rows.some(({ ids }) => ids.includes(imageToken, prefix)))
    throw new NarrowsError(
      'the chat template puts pictures behind words that differ between the questions, or right before an answer, so turns cannot be isolated; choose another template or train without "isolated_turns".',
    );
  const ids = rows[0].ids.slice(0, prefix);
  const labels = rows[0].labels.slice(0, prefix);
  const turns = ids.map(() => 0);
  let left = 0;
  rows.forEach((row, i) => {
    const length = row.ids.length - prefix;
    if (i > 0 && (left > 0 || ids.length + length > maxLength)) {
      left += length;
      return;
    }
    for (let t = prefix; t < row.ids.length; t++) {
      ids.push(row.ids[t]);
      labels.push(row.labels[t]);
      turns.push(i + 1);
    }
  });
  return { ids, labels, turns, left };
}

/** Positions of a packed row: each turn's begin behind the prefix. */
export function turnPositions(turns: readonly number[]): number[] {
  const prefix = turns.filter(turn => turn === 0).length;
  let at = 0;
  return turns.map((turn, i) => {
    at = i > 0 && turn === turns[i - 1] ? at + 1 : turn === 0 ? 0 : prefix;
    return at;
  });
}
