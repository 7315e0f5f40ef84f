/** @file BERT's WordPiece tokenizer from its vocabulary alone: of checkpoints without tokenizer.json. */
import { NarrowsError } from '../../system/errors.ts';
import { type TokenizerConfig, type TokenizerJson, tokenText } from './tokenizer-json.ts';

/** Keys of tokenizer_config.json where a BERT's does not give them. */
export const BERT_DEFAULTS = {
  unk_token: '[UNK]',
  sep_token: '[SEP]',
  pad_token: '[PAD]',
  cls_token: '[CLS]',
  mask_token: '[MASK]',
} as const;

/**
 * The tokenizer.json of a BERT, as `BertTokenizerFast` of transformers makes it from vocab.txt (a token per line, its number the line's).
 * @param source the file, named in errors
 * @throws NarrowsError where it lacks a special token
 */
export function bertTokenizerJson(vocabulary: string, config: TokenizerConfig, source: string): TokenizerJson {
  const lines = vocabulary.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const vocab = Object.fromEntries(lines.map((token, id) => [token, id]));
  const token = (key: keyof typeof BERT_DEFAULTS): string => {
    const text = tokenText(config[key]) ?? BERT_DEFAULTS[key];
    if (vocab[text] === undefined)
      throw new NarrowsError(`${source} has no token "${text}" (${key}), so it is not this BERT's vocabulary; get the file again.`);
    return text;
  };
  const [unknown, separator, padding, start, mask] = (['unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'] as const).map(
    token,
  );
  const flag = (key: string, otherwise: boolean): boolean => (typeof config[key] === 'boolean' ? (config[key] as boolean) : otherwise);
  const special = (text: string) => ({ [text]: { id: text, ids: [vocab[text]], tokens: [text] } });
  return {
    added_tokens: [padding, unknown, start, separator, mask].map(content => ({
      id: vocab[content],
      content,
      special: true,
      normalized: false,
    })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: flag('tokenize_chinese_chars', true),
      strip_accents: typeof config.strip_accents === 'boolean' ? config.strip_accents : null,
      lowercase: flag('do_lower_case', true),
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: start, type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: separator, type_id: 0 } },
      ],
      special_tokens: { ...special(start), ...special(separator) },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: { type: 'WordPiece', unk_token: unknown, continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab },
  };
}
