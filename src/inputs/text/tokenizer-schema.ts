/** @file Holds a tokenizer.json against its schema, so that a damaged file gets a sentence with the key that is wrong. */

import { NarrowsError } from '../../system/errors.ts';
import type { Component } from './component.ts';
import type { TokenizerJson } from './tokenizer-json.ts';

/** What a value should be, in words, and whether it is. By hand and not by zod: every page that opens a CLIP fetches it. */
type Kind = readonly [what: string, is: (value: unknown) => boolean];
type Entry = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Entry => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): boolean => typeof value === 'string';
const isId = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;

const text: Kind = ['a text', isText];
const flag: Kind = ['true or false', value => typeof value === 'boolean'];
const id: Kind = ['an id', isId];
const count: Kind = ['a whole number from 0 on', value => Number.isSafeInteger(value) && (value as number) >= 0];
const number: Kind = ['a number', Number.isFinite];
const pattern: Kind = ['a { String } or { Regex }', value => isObject(value) && (isText(value.String) || isText(value.Regex))];
const around: Kind = ['a token with its id', value => Array.isArray(value) && value.length === 2 && isText(value[0]) && isId(value[1])];
/** A part of a template: the text, or a token around it. */
const isPart = (value: unknown): boolean =>
  isObject(value) && [value.SpecialToken, value.Sequence].every(part => part === undefined || (isObject(part) && isText(part.id)));
const isTemplateToken = (value: unknown): boolean => isObject(value) && Array.isArray(value.ids) && value.ids.every(isId);

const ADDED: Readonly<Record<string, Kind>> = { id, content: text };
const ADDED_FLAGS = ['special', 'normalized', 'lstrip', 'rstrip', 'single_word'] as const;

/** Keys that mean the same wherever they stand, in every component that has them. */
const KEYS: Readonly<Record<string, Kind>> = {
  pattern,
  content: text,
  prepend: text,
  replacement: text,
  prepend_scheme: ['always, first or never', value => ['always', 'first', 'never'].includes(value as string)],
  behavior: text,
  precompiled_charsmap: text,
  strip_left: flag,
  strip_right: flag,
  add_prefix_space: flag,
  trim_offsets: flag,
  use_regex: flag,
  invert: flag,
  split: flag,
  individual_digits: flag,
  clean_text: flag,
  handle_chinese_chars: flag,
  strip_accents: flag,
  lowercase: flag,
  cls: around,
  sep: around,
  single: ['a list of SpecialToken and Sequence', value => Array.isArray(value) && value.every(isPart)],
  special_tokens: ['tokens with their ids', value => isObject(value) && Object.values(value).every(isTemplateToken)],
  start: count,
  stop: count,
  prefix: text,
  suffix: text,
  cleanup: flag,
};
/** What a type cannot do without. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  Replace: ['pattern', 'content'],
  Split: ['pattern'],
  Prepend: ['prepend'],
  RobertaProcessing: ['cls', 'sep'],
  BertProcessing: ['cls', 'sep'],
  TemplateProcessing: ['single'],
};
const NESTED = ['normalizers', 'pretokenizers', 'processors', 'decoders'] as const;
/** Components nest a few deep; a file that nests further was made to hang. */
const DEEPEST = 16;

const MODEL: Readonly<Record<string, Kind>> = {
  unk_token: text,
  unk_id: id,
  continuing_subword_prefix: text,
  end_of_word_suffix: text,
  max_input_chars_per_word: id,
  fuse_unk: flag,
  byte_fallback: flag,
  ignore_merges: flag,
  dropout: number,
};

/** What a value is, in a few characters. */
const shown = (value: unknown): string => {
  const written = JSON.stringify(value) ?? 'nothing';
  return written.length > 40 ? `${written.slice(0, 37)}...` : written;
};

class Check {
  constructor(private readonly source: string) {}

  fail(where: string, problem: string): NarrowsError {
    return new NarrowsError(`${this.source}: ${where} ${problem}; get the file again.`);
  }

  is(value: unknown, [what, is]: Kind, where: string): void {
    if (!is(value)) throw this.fail(where, `is ${shown(value)}, not ${what}`);
  }

  /** Of an object's keys those that stand there, null aside. @param where its own place */
  keys(value: unknown, kinds: Readonly<Record<string, Kind>>, where: string): void {
    if (!isObject(value)) throw this.fail(where, `is ${shown(value)}, not an object`);
    for (const [key, kind] of Object.entries(kinds))
      if (value[key] !== undefined && value[key] !== null) this.is(value[key], kind, `${where}.${key}`);
  }

  added(list: unknown): void {
    if (!Array.isArray(list)) throw this.fail('added_tokens', `is ${shown(list)}, not a list`);
    for (const [i, token] of list.entries()) {
      const where = `added_tokens.${i}`;
      this.keys(token, {}, where);
      for (const [key, kind] of Object.entries(ADDED)) this.is(token[key], kind, `${where}.${key}`);
      for (const key of ADDED_FLAGS) if (token[key] !== undefined) this.is(token[key], flag, `${where}.${key}`);
    }
  }

  component(value: unknown, where: string, depth = 0): void {
    if (value === null || value === undefined) return;
    if (!isObject(value) || typeof value.type !== 'string') throw this.fail(where, `is ${shown(value)}, not an object with a "type"`);
    if (depth > DEEPEST) throw this.fail(where, `nests deeper than ${DEEPEST} levels`);
    const component = value as Component;
    for (const key of NEEDED[component.type] ?? [])
      if (component[key] === undefined || component[key] === null) throw this.fail(where, `(${component.type}) has no "${key}"`);
    this.keys(component, KEYS, where);
    for (const key of NESTED) {
      const list = component[key];
      if (list === undefined) continue;
      if (!Array.isArray(list)) throw this.fail(`${where}.${key}`, `is ${shown(list)}, not a list`);
      for (const [i, each] of list.entries()) {
        if (each === null) throw this.fail(`${where}.${key}.${i}`, 'is null, not an object with a "type"');
        this.component(each, `${where}.${key}.${i}`, depth + 1);
      }
    }
  }

  vocabulary(value: unknown, where: string): void {
    if (!isObject(value)) throw this.fail(where, `is ${shown(value)}, not ids by token`);
    for (const [token, number] of Object.entries(value)) if (!isId(number)) this.is(number, id, `${where}[${shown(token)}]`);
  }

  model(value: unknown): void {
    if (value === undefined || value === null) throw new NarrowsError(`${this.source} has no "model" entry; get the file again.`);
    this.keys(value, MODEL, 'model');
    const { type, vocab, merges } = value as Record<string, unknown>;
    if (type !== undefined && type !== null && typeof type !== 'string') throw this.fail('model.type', `is ${shown(type)}, not a text`);
    if (type === 'Unigram') {
      if (!Array.isArray(vocab) || vocab.length === 0)
        throw this.fail('model.vocab', `is ${shown(vocab)}, not a list of pieces with their scores`);
      for (const [i, entry] of vocab.entries())
        if (!Array.isArray(entry) || typeof entry[0] !== 'string' || typeof entry[1] !== 'number')
          throw this.fail(`model.vocab[${i}]`, `is ${shown(entry)}, not a piece with its score`);
      const unknown = (value as { unk_id?: number | null }).unk_id;
      if (typeof unknown === 'number' && unknown >= vocab.length)
        throw this.fail('model.unk_id', `is ${unknown}, but the vocabulary has ${vocab.length} pieces`);
      return;
    }
    if (type === 'BPE' || type === 'WordPiece' || type === 'WordLevel' || merges !== undefined) this.vocabulary(vocab, 'model.vocab');
    if (merges === undefined && type !== 'BPE') return;
    if (!Array.isArray(merges)) throw this.fail('model.merges', `is ${shown(merges)}, not a list`);
    const known = vocab as Record<string, number>;
    const prefix = String((value as Component).continuing_subword_prefix ?? '');
    for (const [i, merge] of merges.entries()) {
      const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
      if (!Array.isArray(pair) || pair.length !== 2 || pair.some(part => typeof part !== 'string' || part === ''))
        throw this.fail(`model.merges[${i}]`, `is ${shown(merge)}, not a pair of tokens`);
      const [left, right] = pair as [string, string];
      const whole = left + (prefix && right.startsWith(prefix) ? right.slice(prefix.length) : right);
      for (const part of [left, right, whole])
        if (!Object.hasOwn(known, part))
          throw this.fail(`model.merges[${i}]`, `makes or takes ${shown(part)}, which is not in model.vocab`);
    }
  }
}

/** A vocabulary file's ids by token. @throws NarrowsError naming the entry that is none */
export function vocabularyOf(value: unknown, source: string): Readonly<Record<string, number>> {
  new Check(source).vocabulary(value, 'it');
  return value as Record<string, number>;
}

/**
 * A parsed tokenizer.json. @param source its path
 * @throws NarrowsError in one sentence that names the key that is missing or of a wrong kind
 */
export function checkTokenizerJson(value: unknown, source: string): TokenizerJson {
  const check = new Check(source);
  const json = value as Record<string, unknown>;
  check.model(json.model);
  if (json.added_tokens !== undefined && json.added_tokens !== null) check.added(json.added_tokens);
  for (const key of ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder']) check.component(json[key], key);
  check.keys(json.truncation ?? {}, { max_length: id }, 'truncation');
  check.keys(json.padding ?? {}, { pad_id: id }, 'padding');
  return { ...json, added_tokens: json.added_tokens ?? [] } as unknown as TokenizerJson;
}
