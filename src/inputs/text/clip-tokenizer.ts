/** @file CLIP's tokenizer from its vocabulary and merges: of checkpoints without tokenizer.json, or with one from before transformers 4.17. */
import { NarrowsError } from '../../system/errors.ts';
import type { AddedToken } from './added-tokens.ts';
import { type TokenizerConfig, type TokenizerJson, tokenText } from './tokenizer-json.ts';

/** Keys of tokenizer_config.json where a CLIP's does not give them. */
export const CLIP_DEFAULTS = {
  bos_token: '<|startoftext|>',
  eos_token: '<|endoftext|>',
  unk_token: '<|endoftext|>',
  pad_token: '<|endoftext|>',
} as const;

/** Whether a tokenizer_config.json names CLIP's class. */
export const isClip = (config: TokenizerConfig): boolean => /^CLIPTokenizer(Fast)?$/.test(String(config.tokenizer_class));

/**
 * Whether a tokenizer.json is a CLIP's from before transformers 4.17: its texts were cut as GPT-2's are, without lower case, which the
 * model was never trained on. Source: `CLIPTokenizerFast.__init__` of transformers 4, which refuses such files by this sign.
 */
export const isOldClip = ({ model, pre_tokenizer }: TokenizerJson, config: TokenizerConfig): boolean =>
  model.type === 'BPE' &&
  model.end_of_word_suffix === '</w>' &&
  pre_tokenizer?.type !== 'Sequence' &&
  (isClip(config) || (config.tokenizer_class === undefined && tokenText(config.bos_token) === CLIP_DEFAULTS.bos_token));

/** A tokenizer.json from before transformers 4.17 made anew from its vocabulary and merges, as transformers 5 does. */
export function renewedClip({ model, added_tokens: added = [] }: TokenizerJson, config: TokenizerConfig, source: string): TokenizerJson {
  const merges = (model.merges as readonly (string | readonly string[])[]).map(pair => (typeof pair === 'string' ? pair.split(' ') : pair));
  const ids = Object.fromEntries(added.map(token => [token.content, token.id]));
  const fresh = clipTokenizerJson({ ...ids, ...(model.vocab as Record<string, number>) }, merges, config, source);
  const names = new Set(fresh.added_tokens?.map(token => token.content));
  return { ...fresh, added_tokens: [...(fresh.added_tokens ?? []), ...added.filter(token => !names.has(token.content))] };
}

/**
 * The tokenizer.json of a CLIP byte-pair tokenizer, made from its vocabulary and merges (what `CLIPTokenizer` of transformers holds).
 * Source of the rules: openai/CLIP `simple_tokenizer.py` (lower case, white space collapsed, `</w>` suffix).
 * @param merges text of merges.txt (a version line, then one pair per line), or the pairs themselves.
 * @param source the vocabulary's file, named in errors
 * @throws NarrowsError when the vocabulary is not CLIP's kind.
 */
export function clipTokenizerJson(
  vocabulary: Readonly<Record<string, number>>,
  merges: string | readonly (readonly string[])[],
  config: TokenizerConfig = {},
  source = 'vocab.json',
): TokenizerJson {
  const start = tokenText(config.bos_token) ?? CLIP_DEFAULTS.bos_token;
  const end = tokenText(config.eos_token) ?? CLIP_DEFAULTS.eos_token;
  for (const token of [start, end]) {
    if (vocabulary[token] === undefined) {
      throw new NarrowsError(`${source} has no token "${token}", so it is not a CLIP vocabulary; a tokenizer.json is needed.`);
    }
  }
  if (!Object.keys(vocabulary).some(token => token.endsWith('</w>'))) {
    throw new NarrowsError(`${source} has no "</w>" entries, so it is not a CLIP vocabulary; a tokenizer.json is needed.`);
  }
  const pairs =
    typeof merges !== 'string'
      ? merges
      : merges
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
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
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
