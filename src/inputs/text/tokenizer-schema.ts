/** @file Holds a tokenizer.json against its schema, so that a damaged file gets a sentence with the key that is wrong. */

import { z } from 'zod';
import { NarrowsError } from '../../system/errors.ts';
import type { Component } from './component.ts';
import type { TokenizerJson } from './tokenizer-json.ts';

const id = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const flag = z.boolean().optional();
const added = z.object({
  id,
  content: z.string(),
  special: flag,
  normalized: flag,
  lstrip: flag,
  rstrip: flag,
  single_word: flag,
});

const pattern = z.union([z.object({ String: z.string() }), z.object({ Regex: z.string() })]);
const around = z.tuple([z.string(), id]);
const piece = z.looseObject({ SpecialToken: z.object({ id: z.string() }).optional(), Sequence: z.object({ id: z.string() }).optional() });

/** Keys that mean the same wherever they stand, in every component that has them. */
const KEYS: Readonly<Record<string, z.ZodType>> = {
  pattern,
  content: z.string(),
  prepend: z.string(),
  replacement: z.string(),
  prepend_scheme: z.enum(['always', 'first', 'never']),
  behavior: z.string(),
  precompiled_charsmap: z.string().nullable(),
  strip_left: z.boolean(),
  strip_right: z.boolean(),
  add_prefix_space: z.boolean().nullable(),
  trim_offsets: z.boolean(),
  use_regex: z.boolean(),
  invert: z.boolean(),
  split: z.boolean(),
  individual_digits: z.boolean(),
  clean_text: z.boolean(),
  handle_chinese_chars: z.boolean(),
  strip_accents: z.boolean().nullable(),
  lowercase: z.boolean(),
  cls: around,
  sep: around,
  single: z.array(piece),
  special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(id) })),
  start: z.int().min(0),
  stop: z.int().min(0),
  prefix: z.string(),
  suffix: z.string(),
  cleanup: z.boolean(),
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

const MODEL = z.looseObject({
  unk_token: z.string().nullish(),
  unk_id: id.nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
  max_input_chars_per_word: id.nullish(),
  fuse_unk: flag.nullable(),
  byte_fallback: flag.nullable(),
  ignore_merges: flag.nullable(),
  dropout: z.number().nullish(),
});

/** What a value is, in a few characters. */
const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
};

class Check {
  constructor(private readonly source: string) {}

  fail(where: string, problem: string): NarrowsError {
    return new NarrowsError(`${this.source}: ${where} ${problem}; get the file again.`);
  }

  /** @throws NarrowsError naming the key that does not fit */
  with(schema: z.ZodType, value: unknown, where: string): void {
    const result = schema.safeParse(value);
    if (result.success) return;
    const [issue] = result.error.issues;
    const path = [where, ...issue.path.map(String)].join('.');
    const wrong = issue.path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
    throw this.fail(path, `is ${shown(wrong)}, which does not fit (${issue.message})`);
  }

  component(value: unknown, where: string, depth = 0): void {
    if (value === null || value === undefined) return;
    if (typeof value !== 'object' || Array.isArray(value) || typeof (value as Component).type !== 'string')
      throw this.fail(where, `is ${shown(value)}, not an object with a "type"`);
    if (depth > DEEPEST) throw this.fail(where, `nests deeper than ${DEEPEST} levels`);
    const component = value as Component;
    for (const key of NEEDED[component.type] ?? [])
      if (component[key] === undefined || component[key] === null) throw this.fail(where, `(${component.type}) has no "${key}"`);
    for (const [key, schema] of Object.entries(KEYS))
      if (component[key] !== undefined && component[key] !== null) this.with(schema, component[key], `${where}.${key}`);
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
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.fail(where, `is ${shown(value)}, not ids by token`);
    for (const [text, number] of Object.entries(value)) {
      if (!Number.isInteger(number) || number < 0 || number >= 2 ** 31)
        throw this.fail(`${where}[${shown(text)}]`, `is ${shown(number)}, not an id`);
    }
  }

  model(value: unknown): void {
    if (value === undefined || value === null) throw new NarrowsError(`${this.source} has no "model" entry; get the file again.`);
    this.with(MODEL, value, 'model');
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
  if (json.added_tokens !== undefined && json.added_tokens !== null) check.with(z.array(added), json.added_tokens, 'added_tokens');
  for (const key of ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder']) check.component(json[key], key);
  check.with(z.object({ max_length: id.optional() }).nullish(), json.truncation, 'truncation');
  check.with(z.object({ pad_id: id.optional() }).nullish(), json.padding, 'padding');
  return { ...json, added_tokens: json.added_tokens ?? [] } as unknown as TokenizerJson;
}
