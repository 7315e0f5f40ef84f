/** @file Finds and reads a tokenizer's files in a checkpoint's directory; builds CLIP's from `vocab.json` and `merges.txt` alone. */
import { existsSync, readFile } from '../../node/disk.ts';
import { join } from '../../node/paths.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { readError } from '../../system/read-error.ts';
import type { AddedToken } from './added-tokens.ts';
import type { Component } from './normalize.ts';

/** The parts of tokenizer.json that are used. */
export interface TokenizerJson {
  readonly added_tokens?: readonly AddedToken[];
  readonly normalizer?: Component | null;
  readonly pre_tokenizer?: Component | null;
  readonly post_processor?: Component | null;
  readonly decoder?: Component | null;
  readonly model: Component;
  readonly truncation?: { readonly max_length?: number } | null;
  readonly padding?: { readonly pad_id?: number } | null;
}

/** Keys of tokenizer_config.json over those of special_tokens_map.json. */
export type TokenizerConfig = Readonly<Record<string, unknown>>;

async function readJson<T>(path: string): Promise<T> {
  const text = await readFile(path, 'utf8').catch(error => {
    throw readError(path, error);
  });
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new NarrowsError(`${path} is not valid JSON (${messageOf(error)}); get the file again.`, { cause: error });
  }
}

/** The text of a special token as configs write it: a string, or an object with `content`. */
export function tokenText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const content = (value as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : undefined;
}

/**
 * The tokenizer.json of a CLIP byte-pair tokenizer, made from its vocabulary and merges (what `CLIPTokenizer` of transformers holds).
 * Source of the rules: openai/CLIP `simple_tokenizer.py` (lower case, white space collapsed, `</w>` suffix).
 * @param merges text of merges.txt: a version line, then one pair per line.
 * @throws NarrowsError when the vocabulary is not CLIP's kind.
 */
export function clipTokenizerJson(
  vocabulary: Readonly<Record<string, number>>,
  merges: string,
  config: TokenizerConfig = {},
): TokenizerJson {
  const start = tokenText(config.bos_token) ?? '<|startoftext|>';
  const end = tokenText(config.eos_token) ?? '<|endoftext|>';
  for (const token of [start, end]) {
    if (vocabulary[token] === undefined) {
      throw new NarrowsError(`vocab.json has no token "${token}", so it is not a CLIP vocabulary; a tokenizer.json is needed.`);
    }
  }
  if (!Object.keys(vocabulary).some(token => token.endsWith('</w>'))) {
    throw new NarrowsError('vocab.json has no "</w>" entries, so it is not a CLIP vocabulary; a tokenizer.json is needed.');
  }
  const pairs = merges
    .split(/\r?\n/)
    .filter((line, i) => line !== '' && !(i === 0 && line.startsWith('#version')))
    .map(line => line.split(' '));
  const added = (content: string): AddedToken => ({ id: vocabulary[content], content, special: true, normalized: true });
  return {
    added_tokens: [added(start), added(end)],
    normalizer: {
      type: 'Sequence',
      normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' }, { type: 'Lowercase' }],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        {
          type: 'Split',
          pattern: { Regex: "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" },
          behavior: 'Removed',
          invert: true,
        },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: { type: 'RobertaProcessing', cls: [start, vocabulary[start]], sep: [end, vocabulary[end]], trim_offsets: false },
    model: {
      type: 'BPE',
      unk_token: tokenText(config.unk_token) ?? end,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      vocab: vocabulary,
      merges: pairs,
    },
  };
}

/** Reads a directory's tokenizer. @throws NarrowsError naming the missing or broken file. */
export async function readTokenizerFiles(directory: string): Promise<{ json: TokenizerJson; config: TokenizerConfig }> {
  const path = (name: string): string => join(directory, name);
  const optional = async (name: string): Promise<Record<string, unknown>> => (existsSync(path(name)) ? readJson(path(name)) : {});
  const config = { ...(await optional('special_tokens_map.json')), ...(await optional('tokenizer_config.json')) };
  if (existsSync(path('tokenizer.json'))) {
    const json = await readJson<TokenizerJson>(path('tokenizer.json'));
    if (!json?.model) throw new NarrowsError(`${path('tokenizer.json')} has no "model" entry; get the file again.`);
    return { json, config };
  }
  if (existsSync(path('vocab.json')) && existsSync(path('merges.txt'))) {
    const vocabulary = await readJson<Record<string, number>>(path('vocab.json'));
    const merges = await readFile(path('merges.txt'), 'utf8').catch(error => {
      throw readError(path('merges.txt'), error);
    });
    return { json: clipTokenizerJson(vocabulary, merges, config), config };
  }
  throw new NarrowsError(
    `${path('tokenizer.json')} is missing: copy it from the checkpoint's origin, or make it in Python with ` +
      `AutoTokenizer.from_pretrained("ORIGIN").save_pretrained("${directory}") (for a CLIP, vocab.json and merges.txt do as well).`,
  );
}
