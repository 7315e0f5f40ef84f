/** @file Finds and reads a tokenizer's files of a checkpoint, whichever of their forms is there. */

import { messageOf, NarrowsError } from '../../system/errors.ts';
import { isTooDeep, tooDeep } from '../../system/json-depth.ts';
import { fileIn, type ModelFiles, readText } from '../../system/model-files.ts';
import { BERT_DEFAULTS, bertTokenizerJson } from './bert-tokenizer.ts';
import { CLIP_DEFAULTS, clipTokenizerJson, isClip, isOldClip, renewedClip } from './clip-tokenizer.ts';
import { completeAddedTokens, effectiveConfig, type TokenFiles } from './special-tokens.ts';
import type { TokenizerConfig, TokenizerJson } from './tokenizer-json.ts';
import { checkTokenizerJson, vocabularyOf } from './tokenizer-schema.ts';

export { type TokenizerConfig, type TokenizerJson, tokenText } from './tokenizer-json.ts';

/** A checkpoint's tokenizer. */
export interface TokenizerFiles {
  /** tokenizer.json, or what stands for it, with the added tokens of all files. */
  readonly json: TokenizerJson;
  readonly config: TokenizerConfig;
  /** What was supposed or made anew, a sentence each. */
  readonly warnings: readonly string[];
}

/** SentencePiece's files, the names under which transformers saves them. */
export const SENTENCEPIECE_FILES = ['spiece.model', 'tokenizer.model'] as const;

async function readObject(files: ModelFiles, name: string): Promise<Record<string, unknown>> {
  const path = fileIn(files, name);
  const text = await readText(files, name);
  if (isTooDeep(text)) throw new NarrowsError(tooDeep(path));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new NarrowsError(`${path} is not valid JSON (${messageOf(error)}); get the file again.`, { cause: error });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new NarrowsError(`${path} should hold a JSON object; get the file again.`);
}

/** Defaults under a config: keys that are absent, not those that are null. */
const withDefaults = (config: TokenizerConfig, defaults: TokenizerConfig): TokenizerConfig => ({ ...defaults, ...config });

interface Built {
  readonly json: TokenizerJson;
  readonly config: TokenizerConfig;
  readonly warnings: readonly string[];
  readonly keepsIds?: boolean;
}

async function build(files: ModelFiles, config: TokenizerConfig): Promise<Built> {
  const path = (name: string): string => fileIn(files, name);
  const names = new Set(await files.list());
  const here = (name: string): boolean => names.has(name);
  const warnings: string[] = [];
  if (here('tokenizer.json')) {
    const source = path('tokenizer.json');
    const json = checkTokenizerJson(await readObject(files, 'tokenizer.json'), source);
    const named = isClip(config) && json.model.end_of_word_suffix === '</w>' ? withDefaults(config, CLIP_DEFAULTS) : config;
    if (!isOldClip(json, config)) return { json, config: named, warnings };
    warnings.push(
      `${source} is from before transformers 4.17 and would cut text otherwise than the model was trained on; the tokenizer was made anew from its vocabulary and merges, as transformers 5 does.`,
    );
    const full = withDefaults(config, CLIP_DEFAULTS);
    return { json: renewedClip(json, full, source), config: full, warnings };
  }
  if (here('vocab.json') && here('merges.txt')) {
    const vocabulary = vocabularyOf(await readObject(files, 'vocab.json'), path('vocab.json'));
    const merges = await readText(files, 'merges.txt');
    const full = withDefaults(config, CLIP_DEFAULTS);
    const json = clipTokenizerJson(vocabulary, merges, full, path('vocab.json'));
    return { json: checkTokenizerJson(json, path('merges.txt')), config: full, warnings };
  }
  if (here('vocab.txt')) {
    const json = bertTokenizerJson(await readText(files, 'vocab.txt'), config, path('vocab.txt'));
    return { json: checkTokenizerJson(json, path('vocab.txt')), config: withDefaults(config, BERT_DEFAULTS), warnings };
  }
  for (const name of SENTENCEPIECE_FILES) {
    if (!here(name)) continue;
    // Few checkpoints need these, and pages fetch what is imported.
    const [{ readSentencePiece }, { sentencePieceTokenizer }] = await Promise.all([
      import('./sentencepiece/model-file.ts'),
      import('./sentencepiece/tokenizer-json.ts'),
    ]);
    const model = readSentencePiece(await files.read(name), path(name));
    return sentencePieceTokenizer(model, config, path(name));
  }
  throw new NarrowsError(
    `${path('tokenizer.json')} is missing: copy it from the checkpoint's origin, or make it in Python with ` +
      `AutoTokenizer.from_pretrained("ORIGIN").save_pretrained("${files.name}") (for a CLIP, vocab.json and merges.txt do as well, for a BERT its vocab.txt, for a ` +
      `SigLIP, Llama or Gemma its ${SENTENCEPIECE_FILES.join(' or ')}).`,
  );
}

/**
 * Reads a checkpoint's tokenizer: tokenizer.json, CLIP's vocab.json and merges.txt, BERT's vocab.txt, or SentencePiece's model file, with the tokens that
 * tokenizer_config.json, special_tokens_map.json and added_tokens.json add.
 * @throws NarrowsError naming the missing or broken file
 */
export async function readTokenizerFiles(place: ModelFiles): Promise<TokenizerFiles> {
  const there = new Set(await place.list());
  const optional = async (name: string): Promise<Record<string, unknown> | undefined> =>
    there.has(name) ? readObject(place, name) : undefined;
  const files: TokenFiles = {
    config: (await optional('tokenizer_config.json')) ?? {},
    map: await optional('special_tokens_map.json'),
    added: await optional('added_tokens.json'),
  };
  const given = effectiveConfig(files);
  const model = given.tokenizer_class === undefined ? await optional('config.json') : undefined;
  const tokenizer_class = model?.tokenizer_class ?? (model?.model_type === 'clip' ? 'CLIPTokenizer' : undefined);
  const built = await build(place, tokenizer_class === undefined ? given : { ...given, tokenizer_class });
  const { json, config } = built;
  const { vocab, pieces } = json.model as { vocab?: object; pieces?: readonly { readonly text: string }[] };
  const names = Array.isArray(vocab)
    ? new Map((vocab as [string, number][]).map(([text], id) => [text, id]))
    : pieces
      ? new Map(pieces.map(({ text }, id) => [text, id]))
      : new Map(Object.entries((vocab ?? {}) as Record<string, number>));
  const vocabulary = { idOf: (text: string) => names.get(text), size: names.size };
  const { tokens, warnings } = completeAddedTokens(json.added_tokens ?? [], { ...files, config }, vocabulary, built.keepsIds);
  return { json: { ...json, added_tokens: tokens }, config, warnings: [...built.warnings, ...warnings] };
}
