/**
 * @file A question with its answers as one row of tokens: what the prompt's tokens are, which of them play (image tokens and the question's
 * words), where each answer's tokens stand, and which place foretells each of them.
 */
import type { ChatModel } from '../../generation/chat-model.ts';
import type { EncodedChat } from '../../inputs/chat/encode-chat.ts';
import { IMAGE_MARK } from '../../inputs/chat/messages.ts';
import type { Token } from '../../inputs/text/tokenizer.ts';
import { mergeWords, type TokenSpan } from '../../inputs/text/words.ts';
import type { AnswerModel, AnswerPicture } from '../../models/answer-model.ts';
import type { TowerInputs } from '../../models/dual-encoder.ts';
import { NarrowsError } from '../../system/errors.ts';

/** One token of an answer. */
export interface AnswerToken extends TokenSpan {
  readonly id: number;
  readonly text: string;
  /** Its place in the row, and that of the token whose output foretells it. */
  readonly at: number;
  readonly from: number;
}

/** An answer in the row. `start` and `end` of its tokens are offsets into `text`. */
export interface PlacedAnswer {
  readonly text: string;
  readonly tokens: readonly AnswerToken[];
}

/** One token of the prompt that stands for words; `start` and `end` are offsets into the question where `special` is false. */
export interface PromptToken extends Token {
  readonly at: number;
}

/** A question, its picture and its answers, ready to be explained. */
export interface AnsweredRow {
  readonly model: AnswerModel;
  readonly picture: AnswerPicture;
  readonly question: string;
  /** Ids of the whole row, and per token the number of its answer (0: the prompt). */
  readonly ids: readonly number[];
  readonly turns: readonly number[];
  /** The graph's inputs of one row. */
  readonly feeds: TowerInputs;
  /** See `AnswerRow`. */
  readonly pictureFeeds?: TowerInputs;
  /** Places of the picture's tokens, as many as `tokenCells`. */
  readonly imagePlaces: readonly number[];
  /** Places of image tokens that show a cell, and of the question's own words: the players. */
  readonly imageTokens: readonly number[];
  readonly wordTokens: readonly number[];
  /** The prompt's tokens but for the picture's; those of the template are special. */
  readonly promptTokens: readonly PromptToken[];
  /** The one that is explained first, then the one that it is held against. */
  readonly answers: readonly PlacedAnswer[];
}

const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}…` : text);

/**
 * Renders, tokenises and places a question with one or two answers.
 * @throws NarrowsError for an answer that is empty or that the tokenizer cannot write, or where the template gives the answers different prompts
 */
export function answeredRow(
  chat: ChatModel,
  model: AnswerModel,
  picture: AnswerPicture,
  question: string,
  answers: readonly string[],
): AnsweredRow {
  if (question.trim() === '') throw new NarrowsError('The question is empty; say what the model shall be asked.', { kind: 'usage' });
  if (question.includes(IMAGE_MARK))
    throw new NarrowsError('A question must not hold <image>; the picture is put in front of it as it is given.', { kind: 'usage' });
  const user = { role: 'user', content: `${IMAGE_MARK}\n${question}` } as const;
  const rows = answers.map(answer => oneAnswer(chat, picture, user.content, answer));
  const prompt = rows[0].encoded.ids.slice(0, rows[0].first);
  const other = rows.findIndex(
    ({ encoded, first }) => first !== prompt.length || encoded.ids.slice(0, first).some((id, i) => id !== prompt[i]),
  );
  if (other >= 0)
    throw new NarrowsError(
      `The chat template ${chat.template.name} tokenises the prompt differently in front of ${shown(answers[0])} and ${shown(answers[other])}, so the two cannot be held against each other; give answers that begin alike (both with or without a blank).`,
    );
  const ids = [...prompt];
  const turns = prompt.map(() => 0);
  const placed = rows.map(({ encoded, first, tokens }, k): PlacedAnswer => {
    const start = ids.length;
    ids.push(...encoded.ids.slice(first, first + tokens.length));
    turns.push(...tokens.map(() => k + 1));
    return {
      text: answers[k].trim(),
      tokens: tokens.map((token, i) => ({ ...token, at: start + i, from: i === 0 ? prompt.length - 1 : start + i - 1 })),
    };
  });
  if (ids.length > chat.maxLength)
    throw new NarrowsError(
      `Question, picture and answer have ${ids.length} tokens, and ${chat.name} reads ${chat.maxLength} at most; shorten them.`,
    );
  const { feeds, pictureFeeds, imageTokens } = model.placeRow(ids, turns, picture);
  const promptTokens = wordsOf(chat, rows[0].encoded, prompt.length, question);
  return {
    ...{ model, picture, question, ids, turns, feeds, pictureFeeds, promptTokens, answers: placed },
    imagePlaces: imageTokens,
    imageTokens: imageTokens.filter((_, i) => picture.tokenCells[i].length > 0),
    wordTokens: promptTokens.filter(token => !token.special).map(token => token.at),
  };
}

/** The prompt with one answer: where the answer begins, and its own tokens (what ends a turn is left out). */
function oneAnswer(chat: ChatModel, pictures: AnswerPicture, content: string, answer: string) {
  if (answer.trim() === '')
    throw new NarrowsError('The answer is empty; give the words whose probability is to be explained.', { kind: 'usage' });
  if (answer.includes(IMAGE_MARK))
    throw new NarrowsError('An answer must not hold <image>; give the words that the model says.', { kind: 'usage' });
  const encoded = chat.encoded(
    [
      { role: 'user', content },
      { role: 'assistant', content: answer },
    ],
    { generationPrompt: false, pictures },
  );
  const first = encoded.labels.findIndex(label => label !== -100);
  const said = answer.trim();
  const at = encoded.text.lastIndexOf(said);
  if (first < 1 || at < 0)
    throw new NarrowsError(
      `The chat template ${chat.template.name} does not write the answer ${shown(answer)} as it stands, so its probability cannot be read.`,
    );
  const tokens: Omit<AnswerToken, 'at' | 'from'>[] = [];
  for (let i = first; i < encoded.ids.length && encoded.labels[i] !== -100; i++) {
    const [start, end] = encoded.offsets[i];
    if (start >= at + said.length) break;
    const place = { start: Math.max(0, start - at), end: Math.max(0, Math.min(said.length, end - at)) };
    const id = encoded.ids[i];
    if (id === chat.tokenizer.unknownId)
      throw new NarrowsError(
        `The tokenizer of ${chat.name} cannot write ${shown(encoded.text.slice(start, end).trim() || answer)} of the answer ${shown(answer)}; use words that the model knows.`,
        { kind: 'usage' },
      );
    tokens.push({ id, text: chat.tokenizer.textOf(id) ?? encoded.text.slice(start, end), special: false, ...place });
  }
  const lost = unwritten(said, tokens);
  if (lost !== undefined)
    throw new NarrowsError(
      `The tokenizer of ${chat.name} has no token for ${shown(lost)} of the answer ${shown(answer)} and no unknown token either; use words that the model knows.`,
      { kind: 'usage' },
    );
  return { encoded, first, tokens };
}

/** The first letters of an answer that no token stands for: a tokenizer without an unknown token leaves them out. */
function unwritten(said: string, tokens: readonly TokenSpan[]): string | undefined {
  const written = new Uint8Array(said.length);
  for (const { start, end } of tokens) written.fill(1, start, end);
  const from = [...said].length && said.split('').findIndex((letter, i) => !written[i] && letter.trim() !== '');
  if (from < 0) return undefined;
  let to = from;
  while (to < said.length && !written[to]) to++;
  return said.slice(from, to).trim();
}

/** The prompt's words. Tokens outside of the question (the template's) are special; where the template hides it, none is. */
function wordsOf(chat: ChatModel, encoded: EncodedChat, length: number, question: string): PromptToken[] {
  const said = question.trim();
  const at = encoded.text.lastIndexOf(said, Math.max(0, encoded.offsets[length - 1][1] - said.length));
  const [from, to] = at < 0 ? [0, encoded.text.length] : [at, at + said.length];
  const shift = at < 0 ? 0 : question.indexOf(said) - at;
  return encoded.ids.slice(0, length).flatMap((id, i) => {
    if (encoded.roles[i] === 'image') return [];
    const [start, end] = encoded.offsets[i];
    const inside = Math.max(start, from) < Math.min(end, to);
    const place = inside ? { start: Math.max(start, from) + shift, end: Math.min(end, to) + shift } : { start: 0, end: 0 };
    const unknown = inside && id === chat.tokenizer.unknownId ? { unknown: true as const } : {};
    return [{ id, at: i, text: chat.tokenizer.textOf(id) ?? encoded.text.slice(start, end), special: !inside, ...place, ...unknown }];
  });
}

/** Words of an answer or of a prompt's question, with the places of their tokens in the list. */
export const groupWords = (text: string, tokens: readonly TokenSpan[]) => mergeWords(text, tokens, new Float32Array(tokens.length));
