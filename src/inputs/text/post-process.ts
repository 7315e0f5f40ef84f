/** @file The post-processor of tokenizer.json: special tokens around a single text, and offsets trimmed of white space. */

import { NarrowsError } from '../../system/errors.ts';
import type { Component } from './component.ts';

/** Ids put before and after a text; `trim` narrows offsets to the non-blank part (byte-level tokenizers ask for it). */
export interface Frame {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly trim: boolean;
  readonly addPrefixSpace: boolean;
  /** `after` is left out where the text ends in its first token already (SigLIP's tokenizer). */
  readonly unlessThere: boolean;
}

/**
 * The span of a byte-level token without the white space it stands for (`Ġ` is a blank). A single blank at the very front may have been
 * added by the pre-tokeniser and then covers no blank of the caption. Source: `process_offsets` of huggingface/tokenizers.
 */
export function trimSpan(frame: Frame, token: string, start: number, end: number, first: boolean): [number, number] {
  const back = token.match(/[Ġ\p{White_Space}]+$/u)?.[0].length ?? 0;
  let front = token.match(/^[Ġ\p{White_Space}]+/u)?.[0].length ?? 0;
  if (front === 1 && frame.addPrefixSpace && (first || start === 0)) front = 0;
  const from = Math.min(start + front, end);
  return [from, back === token.length ? from : Math.max(end - back, from)];
}

const EMPTY: Frame = { before: [], after: [], trim: false, addPrefixSpace: false, unlessThere: false };

type TemplateItem = { SpecialToken?: { id: string }; Sequence?: { id: string } };

function template(config: Component, idOf: (token: string) => number): Frame {
  const items = (config.single ?? []) as TemplateItem[];
  const specials = (config.special_tokens ?? {}) as Record<string, { ids?: number[] }>;
  const middle = items.findIndex(item => item.Sequence);
  const ids = (part: readonly TemplateItem[]): number[] =>
    part.flatMap(({ SpecialToken }) => (SpecialToken ? (specials[SpecialToken.id]?.ids ?? [idOf(SpecialToken.id)]) : []));
  const unlessThere = config.unless_there === true;
  // Without a place for the text there is nothing behind it.
  if (middle < 0) return { ...EMPTY, before: ids(items) };
  return { ...EMPTY, before: ids(items.slice(0, middle)), after: ids(items.slice(middle + 1)), unlessThere };
}

/** What a `post_processor` entry puts around one text. @throws NarrowsError for a type that is not known. */
export function createFrame(config: Component | null | undefined, idOf: (token: string) => number): Frame {
  if (!config) return EMPTY;
  const trim = config.trim_offsets === true;
  const addPrefixSpace = config.add_prefix_space === true;
  switch (config.type) {
    case 'TemplateProcessing':
      return template(config, idOf);
    case 'RobertaProcessing':
      return {
        ...EMPTY,
        before: [(config.cls as [string, number])[1]],
        after: [(config.sep as [string, number])[1]],
        trim,
        addPrefixSpace,
      };
    case 'BertProcessing':
      return { ...EMPTY, before: [(config.cls as [string, number])[1]], after: [(config.sep as [string, number])[1]] };
    case 'ByteLevel':
      return { ...EMPTY, trim, addPrefixSpace };
    case 'Sequence':
      return ((config.processors ?? []) as Component[])
        .map(entry => createFrame(entry, idOf))
        .reduce(
          (all, one) => ({
            before: [...one.before, ...all.before],
            after: [...all.after, ...one.after],
            trim: all.trim || one.trim,
            addPrefixSpace: all.addPrefixSpace || one.addPrefixSpace,
            unlessThere: all.unlessThere || one.unlessThere,
          }),
          EMPTY,
        );
    default:
      throw new NarrowsError(`tokenizer.json: the post_processor "${config.type}" is not supported.`);
  }
}
