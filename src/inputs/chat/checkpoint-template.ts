/** @file Which chat template a checkpoint takes: the one that was asked for, the one it brings, or what its names tell. */
import { readJsonFrom } from '../../checkpoints/config.ts';
import { NarrowsError } from '../../system/errors.ts';
import { fileIn, type ModelFiles, readText } from '../../system/model-files.ts';
import { readTokenizerFiles, type TokenizerConfig, tokenText } from '../text/tokenizer-files.ts';
import { IMAGE_MARK } from './messages.ts';
import type { ChatTemplate, TemplateTokens } from './template.ts';
import { jinjaTemplate } from './templates/jinja.ts';
import { namedTemplate, TEMPLATE_NAMES } from './templates/registry.ts';

/** Options of `findTemplate`. */
export interface FindOptions {
  /** A name of the registry, or `jinja` for the checkpoint's own; without it the checkpoint decides. */
  readonly name?: string;
  /** What the checkpoint's template writes for an image: the text of `image_token_index`. Default: its `image_token`, else `<image>`. */
  readonly imageTokenText?: string;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Where transformers keeps a checkpoint's template, before all other places. */
export const TEMPLATE_FILE = 'chat_template.jinja';
const TEMPLATE_JSON = 'chat_template.json';

/** The text of a `chat_template` entry: a string, or a list of named ones whose `default` counts. */
function templateText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const list = Array.isArray(value) ? value.filter(isRecord) : [];
  const chosen = list.find(entry => entry.name === 'default') ?? list[0];
  return typeof chosen?.template === 'string' ? chosen.template : undefined;
}

/**
 * The Jinja template of a checkpoint, from `chat_template.jinja`, `chat_template.json` or `tokenizer_config.json`, in this order.
 * @returns undefined where there is none
 */
async function storedTemplate(files: ModelFiles, config: TokenizerConfig): Promise<{ text: string; source: string } | undefined> {
  const names = await files.list();
  if (names.includes(TEMPLATE_FILE)) return { text: await readText(files, TEMPLATE_FILE), source: fileIn(files, TEMPLATE_FILE) };
  if (names.includes(TEMPLATE_JSON)) {
    const source = fileIn(files, TEMPLATE_JSON);
    const content = await readJsonFrom(files, TEMPLATE_JSON);
    const text = templateText(isRecord(content) ? content.chat_template : content);
    if (text === undefined) throw new NarrowsError(`${source} has no text under "chat_template"; get the file again.`);
    return { text, source };
  }
  const text = templateText(config.chat_template);
  return text === undefined ? undefined : { text, source: fileIn(files, 'tokenizer_config.json') };
}

/** The built-in template that tokens and names of a checkpoint speak for. */
async function guess(files: ModelFiles, tokens: ReadonlySet<string>): Promise<string | undefined> {
  if (tokens.has('<|eot_id|>')) return 'llama_3';
  if (tokens.has('<|im_start|>')) return 'chatml';
  const config = (await files.list()).includes('config.json') ? await readJsonFrom(files, 'config.json') : {};
  const of = (value: unknown): string => (isRecord(value) ? `${value.model_type ?? ''} ${value._name_or_path ?? ''}` : '');
  const place = files.name
    .replace(/[/\\]+$/, '')
    .split(/[/\\]/)
    .at(-1);
  const names = `${place} ${of(config)} ${isRecord(config) ? of(config.text_config) : ''}`.toLowerCase();
  if (/vicuna|llava-?(v?1\.[56])/.test(names)) return 'vicuna_v1';
  if (/llama-?3/.test(names)) return 'llama_3';
  if (/qwen|chatml/.test(names)) return 'chatml';
  return undefined;
}

const NAMES = [...TEMPLATE_NAMES, 'jinja'].join(', ');

/**
 * The chat template for a checkpoint's files. (By a directory or a name: `findTemplate`.)
 * @throws NarrowsError listing the names where nothing decides, or for a name that does not exist
 */
export async function findTemplateFrom(files: ModelFiles, { name, imageTokenText }: FindOptions = {}): Promise<ChatTemplate> {
  if (name !== undefined && name !== 'jinja') namedTemplate(name);
  const { json, config } = await readTokenizerFiles(files);
  const [bosToken, eosToken] = [tokenText(config.bos_token), tokenText(config.eos_token)];
  const imageToken = imageTokenText ?? tokenText(config.image_token) ?? IMAGE_MARK;
  const tokens: TemplateTokens = { ...(bosToken ? { bosToken } : {}), ...(eosToken ? { eosToken } : {}), imageToken };
  if (name !== undefined && name !== 'jinja') return namedTemplate(name, tokens);
  const stored = await storedTemplate(files, config);
  if (stored) {
    // A run that was trained with a named template stores it as text: it is the same template.
    const named = TEMPLATE_NAMES.find(one => namedTemplate(one, tokens).toJinja?.() === stored.text);
    if (named !== undefined && name === undefined) return { ...namedTemplate(named, tokens), source: stored.source };
    const variables = Object.fromEntries(
      Object.keys(config)
        .filter(key => key.endsWith('_token'))
        .flatMap(key => (tokenText(config[key]) === undefined ? [] : [[key, tokenText(config[key])]])),
    );
    return jinjaTemplate(stored.text, {
      ...tokens,
      source: stored.source,
      variables,
      imageTokenText: imageToken,
      specialTokens: (json.added_tokens ?? []).filter(token => token.special).map(token => token.content),
    });
  }
  if (name === 'jinja')
    throw new NarrowsError(
      `${files.name} brings no chat template (chat_template.jinja, or one in tokenizer_config.json); choose among ${TEMPLATE_NAMES.join(', ')}.`,
    );
  const guessed = await guess(files, new Set((json.added_tokens ?? []).map(token => token.content)));
  if (guessed) return { ...namedTemplate(guessed, tokens), source: `the names in ${files.name}` };
  throw new NarrowsError(`Nothing says which chat template ${files.name} was trained with; name it with --template: ${NAMES}.`);
}
