/** @file Which regular expressions of a tokenizer.json are known to end, so that texts need no time limit. */
import type { TokenizerJson } from './tokenizer-json.ts';

/** Expressions of CLIP's, SigLIP's and the GPT-2 family's tokenizers: no repetition stands inside of another. */
const KNOWN: ReadonlySet<string> = new Set([
  '\\s+',
  ' {2,}',
  "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
  "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
  '[!"\\#\\$%\\&\'\\(\\)\\*\\+,\\-\\./:;<=>\\?@\\[\\\\\\]\\^_`\\{\\|\\}\\~]',
]);

function* expressions(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'Regex' && typeof inner === 'string') yield inner;
    else yield* expressions(inner);
  }
}

/** Whether a tokenizer.json has regular expressions of its own, which may run for ever over some text. */
export function hasForeignPatterns({ normalizer, pre_tokenizer, decoder }: TokenizerJson): boolean {
  for (const expression of expressions([normalizer, pre_tokenizer, decoder])) if (!KNOWN.has(expression)) return true;
  return false;
}
