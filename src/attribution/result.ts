/** @file What an attribution method returns: raw values and everything needed to compute them again. Pictures are made from this only. */
import type { ReadingRecord } from '../inputs/image/picture-warnings.ts';
import type { TargetKind } from './target.ts';

/**
 * How an optimisation went. `verdict` is `converged`, or a word that says what is wrong (`unsettled`: the loss has come down, how many
 * nats there are still moves); `note` explains it in one sentence.
 */
export interface Convergence {
  readonly verdict: 'converged' | 'unsettled' | 'not-converged' | 'no-optimisation';
  readonly note: string;
  /** Per step: the fit term (mean cosine to the target) and the compression term (beta-weighted information), before that step's update. */
  readonly fit: readonly number[];
  readonly compression: readonly number[];
}

/** Worth of pairs of players, one from each side: what patch and word bring together beyond what each brings by itself. */
export interface Interactions {
  /** Patches by the caption's own tokens, row by row: [patches · tokens]. */
  readonly values: Float32Array;
  readonly patches: number;
  /** Indices into the text's tokens, one per column. */
  readonly tokens: readonly number[];
  readonly standardError?: Float32Array;
  /** Weighted R² of the fit, where values come from a fit. */
  readonly fit?: number;
}

/** Spread over several seeds of one map. */
export interface Stability {
  readonly seeds: readonly number[];
  /** Standard deviation per token over seeds, same order as `tokens`. */
  readonly standardDeviation: Float32Array;
  /** Mean pairwise Spearman rank correlation between the seeds' maps over displayed tokens; 1 is perfectly stable. */
  readonly rankStability: number;
}

/** Attribution of an image. All values raw (nats for bottlenecks, signed scores for others); nothing is normalised. */
export interface ImageAttribution {
  /** One value per token of the tower, prefix tokens (CLS) first, then patches row by row. */
  readonly tokens: Float32Array;
  /** How many tokens at the front are not patches (1 for CLIP's CLS, 0 for SigLIP). */
  readonly prefixTokens: number;
  /** Patch grid: rows, columns. */
  readonly grid: readonly [number, number];
  /** The patches' values, `grid[0] * grid[1]`, row by row: `tokens` without the prefix. */
  readonly patches: Float32Array;
  /** Pixel methods: one value per pixel of the model's view, row by row. */
  readonly pixels?: { readonly height: number; readonly width: number; readonly values: Float32Array };
  /** The part of the original image that the model saw, in pixels of the original (a centre crop leaves margins out). */
  readonly view: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  /** Sum in bits, for bottlenecks. */
  readonly totalBits?: number;
  readonly convergence: Convergence;
  readonly stability?: Stability;
  /** What was explained by this map, in words. */
  readonly target?: string;
  /** The target of the undisturbed input. */
  readonly score?: number;
  /** Estimated standard error per token, for methods that sample. */
  readonly standardError?: Float32Array;
  /** Sum of the attribution minus the difference of the target between input and baseline, for methods that promise completeness. */
  readonly convergenceDelta?: number;
}

/** One token of the caption. `start` and `end` are offsets into the caption in UTF-16 code units; special tokens have start = end. */
export interface TokenScore {
  readonly id: number;
  readonly text: string;
  readonly special: boolean;
  readonly start: number;
  readonly end: number;
  readonly value: number;
  /** The vocabulary lacks what stands there. */
  readonly unknown?: true;
}

/** One word (or punctuation mark) of the caption: the sum of its tokens' values. */
export interface WordScore {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly value: number;
  /** Indices into `tokens`. */
  readonly tokens: readonly number[];
  /** The vocabulary lacks the word, or a part of it. */
  readonly unknown?: true;
}

/** Attribution of a caption. */
export interface TextAttribution {
  readonly tokens: readonly TokenScore[];
  readonly words: readonly WordScore[];
  /** Sum in bits, for bottlenecks. */
  readonly totalBits?: number;
  readonly convergence: Convergence;
  readonly stability?: Stability;
  /** What was explained by this map, in words. */
  readonly target?: string;
  /** The target of the undisturbed input. */
  readonly score?: number;
  /** Estimated standard error per token, for methods that sample. */
  readonly standardError?: Float32Array;
  /** Sum of the attribution minus the difference of the target between input and baseline, for methods that promise completeness. */
  readonly convergenceDelta?: number;
}

/** The result of one method on one image–text pair. */
export interface Attribution {
  readonly schemaVersion: 1;
  /** Registry name of the method, e.g. `m2ib`. */
  readonly method: string;
  /** The method's name as tables print it, e.g. "M2IB". */
  readonly title?: string;
  /** `nats` for bottleneck methods, `score` for signed or unitless ones. */
  readonly unit: 'nats' | 'score';
  readonly caption: string;
  /** Cosine between the image's and the caption's embeddings, without any bottleneck; models that answer have none. */
  readonly cosine?: number;
  readonly image?: ImageAttribution;
  readonly text?: TextAttribution;
  readonly interactions?: Interactions;
  /** Of models that answer: the answer, with a map for each of its words. */
  readonly answer?: AnswerRecord;
  /** What was explained, in words; the cosine of image and caption where it is not said. */
  readonly target?: string;
  /** The same as a code. */
  readonly targetKind?: TargetKind;
  /** Work per map, in passes through a whole tower. */
  readonly passes?: { readonly forward: number; readonly backward: number };
  /** Every parameter of the method with the value used. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly provenance: {
    readonly narrows: string;
    readonly runtime: string;
    readonly model: { readonly name: string; readonly sha256: string };
    readonly image: {
      readonly name: string;
      readonly sha256: string;
      readonly width: number;
      readonly height: number;
      /** How its file was read, where it came from one. */
      readonly reading?: ReadingRecord;
    };
    readonly createdAt: string;
  };
  /** What was assumed, ignored or cut on the way to this result, in sentences: of the checkpoint and of this pair. */
  readonly warnings?: readonly string[];
  /** Seconds per phase (`load`, `encode`, `optimise`, …). */
  readonly timings: Readonly<Record<string, number>>;
}

/** A token of an answer, and the natural logarithm of its probability given what is before it. */
export interface AnswerTokenScore {
  readonly text: string;
  /** Offsets into the answer in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  readonly logProbability: number;
}

/** A word or token of an answer with its own map; the result's `image` and `text` are of the whole answer. */
export interface AnswerPartMap {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Places in the answer's list of tokens. */
  readonly tokens: readonly number[];
  /** Sum over its tokens. */
  readonly logProbability: number;
  /** Raw values of the grid's cells, [rows · columns]. */
  readonly patches?: Float32Array;
  /** Raw values of the question's words, in the order of the result's `text.words`. */
  readonly words?: Float32Array;
}

/** What a bottleneck keeps of the same tokens, whatever is answered: nats by the posterior's KL (Vittle). */
export interface KeptNats {
  readonly layer: number;
  /** Undefined where the bottleneck lets the picture pass. */
  readonly patches?: Float32Array;
  readonly words?: Float32Array;
}

/** What was answered, and what of the answer was explained. */
export interface AnswerRecord {
  readonly text: string;
  /** Whether it is the model's own (greedy) answer, not one that was given. */
  readonly own: boolean;
  readonly reduction: 'sum' | 'mean';
  readonly tokens: readonly AnswerTokenScore[];
  /** The answer that it was held against. */
  readonly against?: { readonly text: string; readonly logProbability: number };
  readonly parts: readonly AnswerPartMap[];
  readonly kept?: KeptNats;
}

/** The result on a model that answers. */
export interface AnswerAttribution extends Attribution {
  readonly answer: AnswerRecord;
}

/** The result on a model that compares images with texts. */
export interface PairAttribution extends Attribution {
  readonly cosine: number;
}
