/** @file Which chat template a checkpoint takes: the one that was asked for, the one it brings, or what its names tell. */

import { readJson } from '../../checkpoints/disk.ts';
import { existsSync, readFile, statSync } from '../../node/disk.ts';
import { basename, join, resolve } from '../../node/paths.ts';
import { NarrowsError } from '../../system/errors.ts';
import { readError } from '../../system/read-error.ts';
import { readTokenizerDirectory } from '../text/disk.ts';
import { type TokenizerConfig, tokenText } from '../text/tokenizer-files.ts';
import { requireFile } from '../text-file.ts';
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
const isDirectory = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

/** Where transformers keeps a checkpoint's template, before all other places. */
export const TEMPLATE_FILE = 'chat_template.jinja';

/** The text of a `chat_template` entry: a string, or a list of named ones whose `default` counts. */
function templateText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const list = Array.isArray(value) ? value.filter(isRecord) : [];
  const chosen = list.find(entry => entry.name === 'default') ?? list[0];
  return typeof chosen?.template === 'string' ? chosen.template : undefined;
}

/**
 * The Jinja template in a checkpoint's directory, from `chat_template.jinja`, `chat_template.json` or `tokenizer_config.json`, in this order.
 * @returns undefined where there is none
 */
async function storedTemplate(directory: string, config: TokenizerConfig): Promise<{ text: string; source: string } | undefined> {
  const file = join(directory, TEMPLATE_FILE);
  if (existsSync(file)) {
    await requireFile(file);
    const text = await readFile(file, 'utf8').catch(error => {
      throw readError(file, error);
    });
    return { text, source: file };
  }
  const json = join(directory, 'chat_template.json');
  if (existsSync(json)) {
    const content = await readJson(json);
    const text = templateText(isRecord(content) ? content.chat_template : content);
    if (text === undefined) throw new NarrowsError(`${json} has no text under "chat_template"; get the file again.`);
    return { text, source: json };
  }
  const text = templateText(config.chat_template);
  return text === undefined ? undefined : { text, source: join(directory, 'tokenizer_config.json') };
}

/** The built-in template that tokens and names of a checkpoint speak for. */
async function guess(directory: string, tokens: ReadonlySet<string>): Promise<string | undefined> {
  if (tokens.has('<|eot_id|>')) return 'llama_3';
  if (tokens.has('<|im_start|>')) return 'chatml';
  const path = join(directory, 'config.json');
  const config = existsSync(path) ? await readJson(path) : {};
  const of = (value: unknown): string => (isRecord(value) ? `${value.model_type ?? ''} ${value._name_or_path ?? ''}` : '');
  const names = `${basename(resolve(directory))} ${of(config)} ${isRecord(config) ? of(config.text_config) : ''}`.toLowerCase();
  if (/vicuna|llava-?(v?1\.[56])/.test(names)) return 'vicuna_v1';
  if (/llama-?3/.test(names)) return 'llama_3';
  if (/qwen|chatml/.test(names)) return 'chatml';
  return undefined;
}

const NAMES = [...TEMPLATE_NAMES, 'jinja'].join(', ');

/**
 * The chat template for a checkpoint's directory, or of a name.
 * @param directoryOrName a directory with a tokenizer, or the name of a built-in template
 * @throws NarrowsError listing the names where nothing decides, or for a name that does not exist
 */
export async function findTemplate(directoryOrName: string, { name, imageTokenText }: FindOptions = {}): Promise<ChatTemplate> {
  if (!isDirectory(directoryOrName)) return namedTemplate(name ?? directoryOrName);
  const directory = directoryOrName;
  if (name !== undefined && name !== 'jinja') namedTemplate(name);
  const { json, config } = await readTokenizerDirectory(directory);
  const [bosToken, eosToken] = [tokenText(config.bos_token), tokenText(config.eos_token)];
  const imageToken = imageTokenText ?? tokenText(config.image_token) ?? IMAGE_MARK;
  const tokens: TemplateTokens = { ...(bosToken ? { bosToken } : {}), ...(eosToken ? { eosToken } : {}), imageToken };
  if (name !== undefined && name !== 'jinja') return namedTemplate(name, tokens);
  const stored = await storedTemplate(directory, config);
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
      `${directory} brings no chat template (chat_template.jinja, or one in tokenizer_config.json); choose among ${TEMPLATE_NAMES.join(', ')}.`,
    );
  const guessed = await guess(directory, new Set((json.added_tokens ?? []).map(token => token.content)));
  if (guessed) return { ...namedTemplate(guessed, tokens), source: `the names in ${directory}` };
  throw new NarrowsError(`Nothing says which chat template ${directory} was trained with; name it with --template: ${NAMES}.`);
}
