/** @file The named templates. */
import { NarrowsError } from '../../../system/errors.ts';
import type { ChatTemplate, TemplateTokens } from '../template.ts';
import { chatml } from './chatml.ts';
import { llama3 } from './llama-3.ts';
import { llavaV1 } from './llava-v1.ts';
import { plain } from './plain.ts';
import { vicunaV1 } from './vicuna-v1.ts';

const makers: Readonly<Record<string, (tokens?: TemplateTokens) => ChatTemplate>> = {
  vicuna_v1: vicunaV1,
  llava_v1: llavaV1,
  plain,
  llama_3: llama3,
  chatml,
};

/** Names of the built-in templates; `jinja`, the checkpoint's own, is chosen like these. */
export const TEMPLATE_NAMES: readonly string[] = Object.keys(makers);

/** Names that LLaVA's own scripts use for `--version`. */
const ALIASES: Readonly<Record<string, string>> = { v1: 'vicuna_v1', llama3: 'llama_3', llava_llama_3: 'llama_3' };

/** The name here of a template that LLaVA's scripts may call otherwise. */
export const templateName = (name: string): string => (Object.hasOwn(ALIASES, name) ? ALIASES[name] : name);

/** A built-in template by name. @throws NarrowsError listing the names */
export function namedTemplate(name: string, tokens?: TemplateTokens): ChatTemplate {
  const make = Object.hasOwn(makers, name) ? makers[name] : undefined;
  if (!make)
    throw new NarrowsError(`There is no chat template "${name}"; choose among ${[...TEMPLATE_NAMES, 'jinja'].join(', ')}.`, {
      kind: 'usage',
    });
  return make(tokens);
}
