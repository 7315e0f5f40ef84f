/**
 * @file Tokens that the files next to tokenizer.json name: `added_tokens_decoder` and the special tokens of tokenizer_config.json, and, of
 * checkpoints from before those, special_tokens_map.json and added_tokens.json. Which file counts, the order and the ids are those of
 * transformers (`PreTrainedTokenizerBase._from_pretrained`, `PreTrainedTokenizerFast.__init__`) and of the Rust tokenizers' `add_tokens`.
 */
import { NarrowsError } from '../../system/errors.ts';
import type { AddedToken } from './added-tokens.ts';
import { type TokenizerConfig, tokenText } from './tokenizer-json.ts';

/** In the order in which transformers adds them. */
const SPECIAL_KEYS = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'] as const;
/** A list of tokens, or (newer) a token by name. */
const MORE_KEYS = ['additional_special_tokens', 'extra_special_tokens', 'model_specific_special_tokens'] as const;

/** The parsed files next to tokenizer.json; `source` of each is named in errors. */
export interface TokenFiles {
  readonly config: TokenizerConfig;
  /** `special_tokens_map.json`. */
  readonly map?: TokenizerConfig;
  /** `added_tokens.json`: ids by text. */
  readonly added?: Readonly<Record<string, unknown>>;
}

type Flags = Omit<AddedToken, 'id'>;
/** A special token; `explicit` where its flags are given, not supposed. */
type Special = Flags & { readonly explicit: boolean };
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const hasDecoder = (config: TokenizerConfig): boolean => config.added_tokens_decoder !== undefined && config.added_tokens_decoder !== null;

/**
 * The config as transformers puts it together: where `added_tokens_decoder` stands, tokenizer_config.json is all there is; else
 * special_tokens_map.json goes over it.
 */
export function effectiveConfig({ config, map = {} }: TokenFiles): TokenizerConfig {
  if (hasDecoder(config)) return config;
  const merged: Record<string, unknown> = { ...config, ...map };
  const lists = [config.additional_special_tokens, map.additional_special_tokens].filter(Array.isArray).flat();
  if (lists.length > 0) merged.additional_special_tokens = lists;
  return merged;
}

/** A token with its flags; a bare text is special, and never normalised. */
function flagsOf(value: unknown, where: string, special: boolean): Flags {
  const content = tokenText(value);
  if (content === undefined)
    throw new NarrowsError(
      `${where} should be a token (a text, or an object with "content"), not ${JSON.stringify(value)}; get the file again.`,
    );
  if (!isObject(value)) return { content, special: true, normalized: false };
  const flag = (key: string): boolean => value[key] === true;
  const isSpecial = flag('special') || special;
  return {
    content,
    special: isSpecial,
    normalized: typeof value.normalized === 'boolean' ? value.normalized : !isSpecial,
    lstrip: flag('lstrip'),
    rstrip: flag('rstrip'),
    single_word: flag('single_word'),
  };
}

/** All special tokens of a config, in transformers' order, each once. */
export function specialTokens(config: TokenizerConfig, source = 'tokenizer_config.json'): Special[] {
  const found = new Map<string, Special>();
  const add = (value: unknown, key: string): void => {
    if (value === null || value === undefined || value === '') return;
    const flags = flagsOf(value, `${source}: ${key}`, true);
    if (flags.content !== '' && !found.has(flags.content)) found.set(flags.content, { ...flags, explicit: isObject(value) });
  };
  for (const key of SPECIAL_KEYS) add(config[key], key);
  for (const key of MORE_KEYS) {
    const given = config[key];
    if (given === null || given === undefined) continue;
    if (Array.isArray(given)) for (const [i, value] of given.entries()) add(value, `${key}[${i}]`);
    else if (isObject(given)) for (const [name, value] of Object.entries(given)) add(value, `${key}.${name}`);
    else throw new NarrowsError(`${source}: ${key} should be a list of tokens, not ${JSON.stringify(given)}; get the file again.`);
  }
  return [...found.values()];
}

/** `added_tokens_decoder`, or what stood for it before: tokens with the ids that the files give, by id. */
function declaredTokens(
  files: TokenFiles,
  config: TokenizerConfig,
  addedTokens: ReadonlyMap<string, AddedToken>,
): (Flags & { id: number })[] {
  const whole = (id: unknown, where: string): number => {
    if (Number.isInteger(id) && (id as number) >= 0) return id as number;
    throw new NarrowsError(`${where} should be a token's id, not ${JSON.stringify(id)}; get the file again.`);
  };
  const decoder = files.config.added_tokens_decoder;
  if (hasDecoder(files.config)) {
    const where = 'tokenizer_config.json: added_tokens_decoder';
    if (!isObject(decoder)) throw new NarrowsError(`${where} should be an object of tokens by id; get the file again.`);
    return Object.entries(decoder)
      .map(([id, value]) => ({ ...flagsOf(value, `${where}.${id}`, false), id: whole(Number(id), `${where}: ${JSON.stringify(id)}`) }))
      .sort((a, b) => a.id - b.id);
  }
  const special = new Set(specialTokens(config).map(token => token.content));
  return Object.entries(files.added ?? {})
    .filter(([content]) => !addedTokens.has(content))
    .map(([content, id]) => ({
      content,
      id: whole(id, `added_tokens.json: ${JSON.stringify(content)}`),
      special: special.has(content),
      normalized: !special.has(content),
    }))
    .sort((a, b) => a.id - b.id);
}

/** A vocabulary that tokens are added to. */
export interface Vocabulary {
  idOf(text: string): number | undefined;
  /** Number of entries, added tokens not among them. */
  readonly size: number;
}

/**
 * The added tokens of a tokenizer, those of the other files among them. A token that the vocabulary has keeps its id; others are counted on
 * from the vocabulary's size, in the order of the files.
 * @param addedTokens `added_tokens` of tokenizer.json
 * @param keepsIds ids are those that the files give, as transformers' slow tokenizers take them
 * @throws NarrowsError where a file names something that is no token
 */
export function completeAddedTokens(
  addedTokens: readonly AddedToken[],
  files: TokenFiles,
  vocabulary: Vocabulary,
  keepsIds = false,
): { readonly tokens: AddedToken[]; readonly warnings: string[] } {
  const config = effectiveConfig(files);
  const byText = new Map<string, AddedToken>(addedTokens.map(token => [token.content, token]));
  const warnings: string[] = [];
  let largest = addedTokens.reduce((most, token) => Math.max(most, token.id), -1);
  const add = (flags: Flags, declared?: number): void => {
    if (flags.content === '') return;
    const next = largest >= vocabulary.size ? largest + 1 : vocabulary.size;
    const known = byText.get(flags.content)?.id ?? vocabulary.idOf(flags.content);
    const id = keepsIds ? (declared ?? known ?? next) : (known ?? next);
    if (declared !== undefined && declared !== id)
      warnings.push(`The files give the token ${JSON.stringify(flags.content)} the id ${declared}, but it is ${id}, as in transformers.`);
    largest = Math.max(largest, id);
    byText.set(flags.content, { ...flags, id });
  };
  const special = specialTokens(config);
  const names = new Set(special.map(token => token.content));
  const declared = declaredTokens(files, config, byText);
  for (const { id, ...flags } of declared) add({ ...flags, special: flags.special || names.has(flags.content) }, id);
  // With added_tokens_decoder, a special token's flags are those that stand there.
  const settled = new Set(hasDecoder(files.config) ? declared.map(token => token.content) : []);
  for (const { explicit, ...flags } of special) if (!byText.has(flags.content) || (explicit && !settled.has(flags.content))) add(flags);
  return { tokens: [...byText.values()], warnings };
}
