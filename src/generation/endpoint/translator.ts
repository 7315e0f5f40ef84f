/** @file Translations by a model behind an endpoint. */
import { chatTranslator, type Translator } from '../../shifts/text/translator.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Endpoint } from './client.ts';

/** Tokens of a translation at most. */
const MOST = 1024;

/**
 * A translator for the shift `translation`: asks with Vittle's prompt, temperature 0 and seed 0, one sentence at a time. With a cache in the endpoint
 * every translation is asked for once.
 * @throws (the translator) NarrowsError for a translation that was cut; as `Endpoint.ask`
 */
export const endpointTranslator = (endpoint: Endpoint): Translator =>
  chatTranslator(async (system, user) => {
    const messages = [
      { role: 'system' as const, content: system },
      { role: 'user' as const, content: user },
    ];
    const { text, finish } = await endpoint.ask(messages, { temperature: 0, seed: 0, maxTokens: MOST });
    if (finish === 'length') throw new NarrowsError(`The translation of "${user.slice(0, 60)}" is longer than ${MOST} tokens and was cut.`);
    return text;
  });
