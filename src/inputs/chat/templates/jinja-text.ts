/** @file Pieces of Jinja that the named templates are written with, for a checkpoint's chat_template.jinja. */
import { IMAGE_MARK } from '../messages.ts';

/** A text as a literal of Jinja. */
export const literal = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;

/** Prints a text. */
export const print = (text: string): string => `{{ ${literal(text)} }}`;

/** A variable of the tokenizer, or its text where the tokenizer names none. */
export const token = (name: 'bos_token' | 'eos_token', text: string, given: string | undefined): string =>
  given === undefined ? print(text) : `{{ ${name} }}`;

/** Prints the content of `message`: a text, or a list of parts; an image is followed by a line end, as LLaVA has it. */
export const content = (imageToken = IMAGE_MARK, message = 'message'): string =>
  `{% if ${message}['content'] is string %}{{ ${message}['content'] }}{% else %}{% for part in ${message}['content'] %}{% if part['type'] == 'image' %}{{ ${literal(`${imageToken}\n`)} }}{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}`;

/** What is supervised. */
export const learnt = (inner: string): string => `{% generation %}${inner}{% endgeneration %}`;
