/** @file The word list of the built-in world, and its tokenizer in Hugging Face's file format. */
import { COLOR_NAMES } from './background.ts';
import { RELATIONS } from './captions.ts';
import { CONCEPTS } from './concepts.ts';
import { QUESTION_WORDS } from './questions.ts';

/** Special tokens, in the order of their ids 0 to 3. `<eos>` must not be 2: transformers' CLIP takes an `eos_token_id` of 2 for a legacy rule. */
export const SPECIAL_TOKENS = ['<pad>', '<bos>', '<unk>', '<eos>'] as const;

const CAPTION_WORDS = 'a an some photo of and with on background';

/** All words of captions, names and questions, sorted, without the special tokens. */
export const VOCABULARY: readonly string[] = [
  ...new Set([CAPTION_WORDS, QUESTION_WORDS, ...RELATIONS, ...COLOR_NAMES, ...CONCEPTS.map(c => c.name)].flatMap(text => text.split(' '))),
].sort();

/** Files of a tokenizer directory, as objects to be written as JSON under their file names. */
export interface TokenizerFiles {
  readonly 'tokenizer.json': object;
  readonly 'tokenizer_config.json': object;
  readonly 'special_tokens_map.json': object;
}

/**
 * The scene tokenizer: lower-case words split at white space and punctuation, `<bos> words <eos>`. Opens in Python's
 * `PreTrainedTokenizerFast` and in `@huggingface/tokenizers`.
 * @param maxLength tokens a model takes, special tokens included.
 */
export function sceneTokenizerJson(maxLength = 24): TokenizerFiles {
  const words = [...SPECIAL_TOKENS, ...VOCABULARY];
  const special = (id: number) => ({
    id,
    content: SPECIAL_TOKENS[id],
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const token = (content: string) => ({ SpecialToken: { id: content, type_id: 0 } });
  const bracket = (content: string) => ({ id: content, ids: [words.indexOf(content)], tokens: [content] });
  const names = { bos_token: '<bos>', eos_token: '<eos>', pad_token: '<pad>', unk_token: '<unk>' };
  return {
    'tokenizer.json': {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: SPECIAL_TOKENS.map((_, id) => special(id)),
      normalizer: { type: 'Lowercase' },
      pre_tokenizer: { type: 'Whitespace' },
      post_processor: {
        type: 'TemplateProcessing',
        single: [token('<bos>'), { Sequence: { id: 'A', type_id: 0 } }, token('<eos>')],
        pair: [
          token('<bos>'),
          { Sequence: { id: 'A', type_id: 0 } },
          token('<eos>'),
          { Sequence: { id: 'B', type_id: 1 } },
          { SpecialToken: { id: '<eos>', type_id: 1 } },
        ],
        special_tokens: { '<bos>': bracket('<bos>'), '<eos>': bracket('<eos>') },
      },
      decoder: null,
      model: { type: 'WordLevel', vocab: Object.fromEntries(words.map((word, id) => [word, id])), unk_token: '<unk>' },
    },
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizerFast',
      model_max_length: maxLength,
      padding_side: 'right',
      truncation_side: 'right',
      clean_up_tokenization_spaces: false,
      model_input_names: ['input_ids', 'attention_mask'],
      added_tokens_decoder: Object.fromEntries(SPECIAL_TOKENS.map((_, id) => [id, { ...special(id), id: undefined }])),
      ...names,
    },
    'special_tokens_map.json': names,
  };
}

/** Size of the scene tokenizer's vocabulary, special tokens included. */
export const VOCABULARY_SIZE: number = SPECIAL_TOKENS.length + VOCABULARY.length;
