/** @file How prompts are continued: the options of generation, their bounds, and what one token of an answer is. */
import { NarrowsError } from '../system/errors.ts';
import { type BeamOptions, checkBeams } from './beam-search.ts';
import { checkSampling, type SamplingOptions } from './sampling.ts';
import type { Decode } from './text-stream.ts';
import { checkRules, type TokenRules } from './token-rules.ts';

/** How prompts are continued. */
export interface GenerationOptions extends SamplingOptions, TokenRules, BeamOptions {
  /** Default 128. */
  readonly maxNewTokens?: number;
  /** Most tokens of a prompt and its answer together; an answer that reaches it ends with `length`. No limit by default. */
  readonly maxLength?: number;
  /** Tokens that end an answer (`eos_token_id`); none by default. */
  readonly eosTokens?: readonly number[];
  /** Texts that end an answer; they need `decode`. */
  readonly stop?: readonly string[];
  readonly decode?: Decode;
  /** Of the numbers drawn when the temperature is not 0. Each prompt has its own, whatever batch it is in. Default 0. */
  readonly seed?: number;
  /** Each prompt's number among all that share the seed, for work done in pieces; its index by default. */
  readonly promptNumbers?: readonly number[];
  /** Ends the work with the signal's reason before the next token. */
  readonly signal?: AbortSignal;
}

/** Why an answer ended: a token of `eosTokens`, a text of `stop`, or `maxNewTokens`. */
export type FinishReason = 'eos' | 'stop' | 'length';

/** One token of one prompt's answer. */
export interface GeneratedToken {
  /** Index among the prompts given. */
  readonly prompt: number;
  readonly id: number;
  /** With `decode`: the text that can be shown now. Text that may become a stop string is held back. */
  readonly text: string;
  /** With the answer's last token. */
  readonly finish?: FinishReason;
  /** With the answer's last token and `decode`: the whole text. */
  readonly whole?: string;
}

/** @throws NarrowsError (usage) for an option out of its bounds, or options that exclude each other */
export function checkGeneration(options: GenerationOptions): void {
  checkSampling(options);
  checkRules(options);
  checkBeams(options);
  const { maxNewTokens = 1, minNewTokens = 0, stop = [], decode, numBeams = 1, temperature = 0 } = options;
  const refuse = (text: string): never => {
    throw new NarrowsError(text, { kind: 'usage' });
  };
  if (!Number.isSafeInteger(maxNewTokens) || maxNewTokens < 1)
    refuse(`The number of new tokens must be a whole number from 1 on, not ${maxNewTokens}.`);
  if (options.maxNewTokens !== undefined && minNewTokens > maxNewTokens)
    refuse(`An answer cannot have ${minNewTokens} tokens at least and ${maxNewTokens} at most.`);
  if (numBeams > 1 && temperature > 0)
    refuse(`Beam search takes the best tokens and draws none: give a temperature of 0 with ${numBeams} beams, or one beam.`);
  if (stop.includes('')) refuse('A stop string must not be empty.');
  if (stop.length && !decode) refuse('Stop strings need `decode`, which turns tokens into text.');
}
