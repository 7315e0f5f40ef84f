/** @file The tokenizer of the small LLaVA: the words of the built-in world whole, any other word letter by letter (WordPiece). */
import { INSTRUCTION_WORDS } from './instructions.ts';
import { VOCABULARY } from './vocabulary.ts';

/** Special tokens, in the order of their ids. */
export const CHAT_SPECIAL_TOKENS = ['<pad>', '<s>', '<unk>', '</s>', '<image>'] as const;

const CHARACTERS = [...'abcdefghijklmnopqrstuvwxyz0123456789'];
const PUNCTUATION = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'];
const words = new Set([...VOCABULARY, ...INSTRUCTION_WORDS.split(' ')]);

/** All tokens in the order of their ids: special ones, words, single characters, continuing characters (`##x`). */
export const CHAT_TOKENS: readonly string[] = [
  ...CHAT_SPECIAL_TOKENS,
  ...new Set([...[...words].sort(), ...CHARACTERS, ...PUNCTUATION]),
  ...[...CHARACTERS, ...PUNCTUATION].map(c => `##${c}`),
];

/** Id of the token that stands for an image's features. */
export const CHAT_IMAGE_TOKEN: number = CHAT_SPECIAL_TOKENS.indexOf('<image>');

const ids = new Map(CHAT_TOKENS.map((token, id) => [token, id]));

/** Id of a token. @throws Error for a text that is none */
export function chatTokenId(token: string): number {
  const id = ids.get(token);
  if (id === undefined) throw new Error(`"${token}" is no token of the scenes' chat tokenizer.`);
  return id;
}

/** Ids of lower-case words split at blanks; what the tokenizer gives. @param spelled word positions that are spelled letter by letter */
export function chatIds(text: string, spelled?: (word: number) => boolean): number[] {
  return text.split(' ').flatMap((word, i) => {
    if (!spelled?.(i)) return [chatTokenId(word)];
    return [...word].map((character, k) => chatTokenId(k === 0 ? character : `##${character}`));
  });
}

/**
 * Chat template of the small LLaVA, as LLaVA-1.5's without the system prompt. The tokenizer puts `<s>` in front.
 * Takes contents as text with `<image>`, or as a list of parts; a system text stands in front.
 */
export const CHAT_TEMPLATE = `{% for message in messages %}{% if message['role'] == 'user' %}USER: {% elif message['role'] == 'assistant' %} ASSISTANT: {% endif %}{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}{% if message['role'] == 'assistant' %}</s>{% elif message['role'] == 'system' %}{{ ' ' }}{% endif %}{% endfor %}{% if add_generation_prompt %} ASSISTANT:{% endif %}`;

/** Files of the tokenizer's directory by name: objects to be written as JSON, or text. Opens in Python's PreTrainedTokenizerFast. */
export function chatTokenizerFiles(maxLength = 512): Record<string, object | string> {
  const special = (id: number) => ({
    id,
    content: CHAT_SPECIAL_TOKENS[id],
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
  const begin = { SpecialToken: { id: '<s>', type_id: 0 } };
  const names = { bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>', unk_token: '<unk>' };
  return {
    'tokenizer.json': {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: CHAT_SPECIAL_TOKENS.map((_, id) => special(id)),
      normalizer: { type: 'Lowercase' },
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Punctuation', behavior: 'Isolated' }],
      },
      post_processor: {
        type: 'TemplateProcessing',
        single: [begin, { Sequence: { id: 'A', type_id: 0 } }],
        pair: [begin, { Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
        special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
      },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: false },
      model: {
        type: 'WordPiece',
        unk_token: '<unk>',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab: Object.fromEntries(CHAT_TOKENS.map((token, id) => [token, id])),
      },
    },
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizerFast',
      model_max_length: maxLength,
      padding_side: 'right',
      clean_up_tokenization_spaces: false,
      model_input_names: ['input_ids', 'attention_mask'],
      added_tokens_decoder: Object.fromEntries(CHAT_SPECIAL_TOKENS.map((_, id) => [id, { ...special(id), id: undefined }])),
      image_token: '<image>',
      ...names,
    },
    'special_tokens_map.json': names,
    'chat_template.jinja': CHAT_TEMPLATE,
  };
}
