/** @file Tokens that must not come next: repeated n-grams, bad words, early ends, suppressed tokens; as transformers' logits processors. */
import { NarrowsError } from '../system/errors.ts';

/** What rules tokens out; names as in GenerationConfig of transformers. */
export interface TokenRules {
  /** No run of so many tokens occurs twice, prompt included; 0 (the default) allows all. */
  readonly noRepeatNgramSize?: number;
  /** Runs of tokens that never occur. */
  readonly badWordsIds?: readonly (readonly number[])[];
  /** No end token before so many new tokens. */
  readonly minNewTokens?: number;
  /** No end token before prompt and answer have so many tokens together. */
  readonly minLength?: number;
  /** Tokens that never occur. */
  readonly suppressTokens?: readonly number[];
  /** Tokens that an answer does not begin with. */
  readonly beginSuppressTokens?: readonly number[];
}

/** Where an answer stands. */
export interface Progress {
  /** Every token so far, prompt included. */
  readonly seen: readonly number[];
  /** How many of them are new. */
  readonly count: number;
  readonly eosTokens: readonly number[];
}

/** Most tokens that a rule may name: more would be ids of no vocabulary. */
const MOST = 2 ** 31;

/** @throws NarrowsError (usage) naming the rule and its bounds */
export function checkRules(rules: TokenRules): void {
  const whole = (name: string, value: number | undefined): void => {
    if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value < MOST))
      throw new NarrowsError(`${name} must be a whole number from 0 on, not ${value}.`, { kind: 'usage' });
  };
  whole('no-repeat n-gram size', rules.noRepeatNgramSize);
  whole('The least number of new tokens', rules.minNewTokens);
  whole('The least length', rules.minLength);
  for (const [name, ids] of [
    ['suppressed', rules.suppressTokens],
    ['first suppressed', rules.beginSuppressTokens],
    ['bad', rules.badWordsIds?.flat()],
  ] as const)
    for (const id of ids ?? [])
      if (!(Number.isInteger(id) && id >= 0))
        throw new NarrowsError(`The ${name} tokens must be ids, whole numbers from 0 on, not ${id}.`, { kind: 'usage' });
  if (rules.badWordsIds?.some(ids => ids.length === 0)) throw new NarrowsError('A bad word must have a token.', { kind: 'usage' });
}

/** Tokens that would complete an n-gram that occurred (NoRepeatNGramLogitsProcessor). */
function repeats(seen: readonly number[], size: number): number[] {
  const banned: number[] = [];
  const last = seen.length - size + 1;
  if (last < 0) return banned;
  for (let at = 0; at + size <= seen.length; at++) {
    let same = true;
    for (let k = 0; same && k < size - 1; k++) same = seen[at + k] === seen[last + k];
    if (same) banned.push(seen[at + size - 1]);
  }
  return banned;
}

/**
 * Gives the score −∞ to every token that must not come next, in place.
 * @param scores [vocabulary] @throws NarrowsError where no token is left
 */
export function ruleOut(scores: Float32Array, { seen, count, eosTokens }: Progress, rules: TokenRules): void {
  const { noRepeatNgramSize = 0, badWordsIds = [], minNewTokens = 0, minLength = 0, suppressTokens = [], beginSuppressTokens = [] } = rules;
  let any = false;
  const ban = (ids: readonly number[]): void => {
    for (const id of ids) if (id < scores.length) scores[id] = Number.NEGATIVE_INFINITY;
    any ||= ids.length > 0;
  };
  if (noRepeatNgramSize > 0) ban(repeats(seen, noRepeatNgramSize));
  for (const word of badWordsIds) {
    if (word.length === 1 && eosTokens.includes(word[0])) continue;
    const before = word.length - 1;
    if (before <= seen.length && word.slice(0, -1).every((id, i) => seen[seen.length - before + i] === id)) ban(word.slice(-1));
  }
  if (count < minNewTokens || seen.length < minLength) ban(eosTokens);
  ban(suppressTokens);
  if (count === 0) ban(beginSuppressTokens);
  if (any && scores.every(score => !(score > Number.NEGATIVE_INFINITY)) && !scores.some(Number.isNaN))
    throw new NarrowsError(
      'No token is left to go on with: no_repeat_ngram_size, bad_words_ids, suppress_tokens, begin_suppress_tokens and the least length together rule out the whole vocabulary; relax one of them.',
    );
}
