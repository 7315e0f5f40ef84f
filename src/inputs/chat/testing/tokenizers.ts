/** @file Small tokenizers built as those of known decoders: Llama's (sentencepiece byte pairs), Llama-3's and Qwen2's (byte-level). */
import { BYTE_CHARACTERS } from '../../text/pretokenize.ts';
import { Tokenizer } from '../../text/tokenizer.ts';

const WORDS = 'USER ASSISTANT A chat is it a the dog cat yes no Yes what What Sure sure assistant user system in there'.split(' ');

/** Merges that put words together letter by letter, each after `blank`, in order of length. */
function mergesOf(words: readonly string[], blank: string): [string, string][] {
  const merges = new Map<string, [string, string]>();
  for (const word of words) {
    const letters = [blank, ...word];
    for (let n = 1; n < letters.length; n++) merges.set(letters.slice(0, n + 1).join(''), [letters.slice(0, n).join(''), letters[n]]);
  }
  return [...merges.values()].sort((a, b) => a.join('').length - b.join('').length);
}

const vocabularyOf = (tokens: Iterable<string>): Record<string, number> => Object.fromEntries([...new Set(tokens)].map((t, i) => [t, i]));

function addedTokens(vocabulary: Record<string, number>, names: readonly string[]) {
  return names.map(content => ({ id: vocabulary[content], content, special: true, normalized: false }));
}

/** As `LlamaTokenizerFast` with `legacy`: a blank before every piece of text, bytes for what is unknown, `<s>` in front. */
export function llamaTokenizer(specials: readonly string[] = ['<unk>', '<s>', '</s>']): Tokenizer {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const merges = mergesOf(WORDS, '▁');
  const letters = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
  const vocabulary = vocabularyOf([...specials, ...bytes, '▁', ...letters, ...merges.map(m => m.join(''))]);
  return new Tokenizer(
    {
      added_tokens: addedTokens(vocabulary, specials),
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'Prepend', prepend: '▁' },
          { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
        ],
      },
      pre_tokenizer: null,
      post_processor: { type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<s>' } }, { Sequence: { id: 'A' } }] },
      model: { type: 'BPE', vocab: vocabulary, merges, unk_token: '<unk>', byte_fallback: true, fuse_unk: true },
    },
    { bos_token: '<s>', eos_token: '</s>' },
  );
}

/** Byte-level as Llama-3's and Qwen2's; `bos` is put in front where the specials name one. */
export function byteTokenizer(specials: readonly string[], { bos, trim = false }: { bos?: string; trim?: boolean } = {}): Tokenizer {
  const merges = mergesOf(WORDS, 'Ġ');
  const vocabulary = vocabularyOf([...BYTE_CHARACTERS, ...merges.map(m => m.join('')), ...specials]);
  const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: trim, use_regex: true };
  const frame = { type: 'TemplateProcessing', single: [{ SpecialToken: { id: bos } }, { Sequence: { id: 'A' } }] };
  return new Tokenizer({
    added_tokens: addedTokens(vocabulary, specials),
    pre_tokenizer: level,
    post_processor: bos ? { type: 'Sequence', processors: [level, frame] } : level,
    model: { type: 'BPE', vocab: vocabulary, merges },
  });
}
