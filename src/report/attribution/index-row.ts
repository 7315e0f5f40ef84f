/** @file What an index, a table or an audit says of one pair that is done, as plain values. */
import type { Attribution } from '../../attribution/result.ts';
import { exactJson } from '../../system/exact-json.ts';
import { VERDICT_TEXT, verdictOf } from './verdict.ts';

/** One pair of a bulk run. */
export interface IndexRow {
  /** Address of its report, relative to the index page; undefined when there is none. */
  readonly href?: string;
  /** `data:` URI of a small picture. */
  readonly thumbnail?: string;
  readonly image: string;
  readonly caption: string;
  readonly cosine: number;
  /** Total bits that the image, and the caption, share with the other side. */
  readonly imageBits?: number;
  readonly captionBits?: number;
  /** A word about it: `converged`, `not converged`, `no optimisation`, or why it failed. */
  readonly verdict: string;
  /** Share of the image map's positive mass that lies inside the box that was given for it. */
  readonly insideBox?: number;
  /** Further columns. */
  readonly further?: Readonly<Record<string, unknown>>;
  /** What was assumed, ignored or cut on the way to the result. */
  readonly warnings?: readonly string[];
}

/** How the verdict of a row begins that has no result. */
export const FAILED = 'failed: ';

/** The row of a result without a picture. */
export function rowOf(result: Attribution, href?: string): IndexRow {
  return {
    href,
    image: result.provenance.image.name,
    caption: result.caption,
    cosine: result.cosine ?? Number.NaN,
    imageBits: result.unit === 'nats' ? result.image?.totalBits : undefined,
    captionBits: result.unit === 'nats' ? result.text?.totalBits : undefined,
    warnings: result.warnings,
    verdict: VERDICT_TEXT[verdictOf(result)],
  };
}

/** A further value as text; lists and objects as JSON. */
export const furtherText = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'object' ? exactJson(value) : String(value);
