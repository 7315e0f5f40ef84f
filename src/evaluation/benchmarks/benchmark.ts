/** @file What a benchmark is: one entry of the registry, in one file with how its data are read. */
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import type { AnswerKind, AnswerRecord, Question, QuestionSet } from './question.ts';

/** A prompt as it is sent. */
export interface PromptText {
  /** The whole turn of the user; `<image>` where pictures stand, none where they stand before the text. */
  readonly text: string;
}

/** A named, versioned way to ask the questions of a set. */
export interface PromptStyle {
  /** Where its wording comes from. */
  readonly source: string;
  /** @param words the question's words, shifted where a shift is under test; everything else of the prompt comes from the question */
  build(question: Question, words: string): PromptText;
}

/** How a set is loaded. */
export interface LoadOptions {
  /** A folder, a file, or a data set in the hub's cache (`org/name`); undefined for sets that are drawn. */
  readonly data?: string;
  /** No picture is needed: answers that exist are scored. Folders without pictures are taken. */
  readonly answersOnly?: boolean;
  /** Only the first so many questions (drawn sets draw no more; files are checked as far as they are read). */
  readonly limit?: number;
  /** Which config or split, where a set has several (`full` or `image` of ScienceQA, `dev` or `validation` of MMMU). */
  readonly split?: string;
  /** Of drawn sets, and of whatever a set draws. Default 0. */
  readonly seed?: number;
  readonly pictures?: ImageReadOptions;
  /** Which columns or keys hold what, for `generic`: `{question: 'q', answer: 'gold'}`. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A benchmark. */
export interface Benchmark {
  /** As on the command line: `pope`, `scenes-pope`. */
  readonly name: string;
  /** As in tables: `POPE`. */
  readonly title: string;
  /** What it asks, in one sentence. */
  readonly summary: string;
  readonly kind: AnswerKind;
  readonly licence: string;
  /** Where to get it: `lmms-lab/POPE on the Hugging Face hub`. */
  readonly source: string;
  /** Files and columns that are read, in words. */
  readonly format: string;
  /** Such as `9 000 questions over 500 pictures`. */
  readonly size: string;
  readonly citation: string;
  /** Names of scorers, the default first. */
  readonly scorers: readonly string[];
  /** The default first; keys are names with versions, such as `llava@1.5`. */
  readonly prompts: Readonly<Record<string, PromptStyle>>;
  /** Of pictures so small that lengths of shifts (blur radii), published for about 224 pixels, must be scaled down: 224. */
  readonly referenceSize?: number;
  /** New tokens that an answer may have unless the caller says otherwise. */
  readonly maxNewTokens: number;
  /** @throws NarrowsError naming file and row for what cannot be used */
  load(options: LoadOptions): Promise<QuestionSet>;
  /** Reads answers in a form of the set's own (MME's text files); undefined where `path` is of no such form. LLaVA's JSONL is read for all sets. */
  readAnswers?(path: string): Promise<readonly AnswerRecord[] | undefined>;
}
