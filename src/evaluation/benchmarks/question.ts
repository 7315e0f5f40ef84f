/** @file A question of a benchmark, whatever set and file format it comes from. */
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';

/** A picture that a question speaks of; it is read when it is needed, so that a set of any size fits into memory. */
export interface QuestionPicture {
  /** The same for the same picture of a set: intervals are clustered by it, and features are kept by it. */
  readonly id: string;
  /** Where it is, for sentences: a file, or `test.parquet, row 3, column image`. */
  readonly source: string;
  /** @throws NarrowsError naming `source` for a picture that is missing or damaged */
  read(options?: ImageReadOptions): Promise<RgbImage>;
  /** The encoded bytes as the set holds them, for an endpoint. Missing where there are none (a drawn scene). */
  bytes?(): Promise<Uint8Array>;
}

/** What kind of answer is asked for: yes or no; a letter among options; a word or phrase; sentences that only a judge can mark. */
export type AnswerKind = 'yes-no' | 'choice' | 'short' | 'open';

/** A question with all that scorers, prompts, judges and reports need. */
export interface Question {
  /** As the set writes it; may repeat within a set (MME). */
  readonly id: string | number | bigint;
  /** Unique within the set: answers are joined by it, never by position. */
  readonly key: string;
  readonly kind: AnswerKind;
  /**
   * The question's words as the set has them, without hints about the form of the answer and without options; `<image>` stands where a
   * picture stands inside the text. A text shift changes these words only.
   */
  readonly text: string;
  /** Pictures in the order of the marks, or before the text where there are no marks. */
  readonly pictures: readonly QuestionPicture[];
  /** Texts of the options, A first. Only of kind `choice`. */
  readonly options?: readonly string[];
  /** Right answers: `yes` or `no`, a letter, or texts of which each is right. Empty where the set gives none. */
  readonly answers: readonly string[];
  /** For figures by category, such as MME's `existence` or LLaVA-Bench's `conv`. */
  readonly category?: string;
  /** A part of the set that is scored separately, such as POPE's `adversarial`. */
  readonly split?: string;
  /** What stands before the question, such as ScienceQA's hint. */
  readonly context?: string;
  /** Questions of one cluster are not independent (the same picture): intervals resample clusters. */
  readonly cluster: string;
  /**
   * Where the thing is that the question is about, in the first picture's pixels, [left, top, width, height]; missing where the set does not know
   * it. @throws NarrowsError for boxes that are none
   */
  boxes?(): Promise<readonly (readonly number[])[]>;
  /** Every further column of the set, as it stands there: captions and boxes for a judge, grade and subject for tables. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Where it stands, such as `questions.jsonl, line 7`. */
  readonly where: string;
}

/** A set of questions as it was loaded. */
export interface QuestionSet {
  readonly questions: readonly Question[];
  /** What was assumed, left out or passed over, in sentences. */
  readonly warnings: readonly string[];
  /** The scorer that fits, where a set may be of several kinds (`generic`); else the first of the benchmark. */
  readonly scorer?: string;
  /** Answers that stand in the set's own files (MMMU's and MMStar's outputs), where there are such. */
  readonly answers?: readonly AnswerRecord[];
}

/** An answer that exists, from whatever file. */
export interface AnswerRecord {
  /** The question's id as the file writes it. */
  readonly id: string | number | bigint;
  /** The question or prompt that was asked, where the file says it: tells questions apart whose ids repeat, and answers to another version. */
  readonly prompt?: string;
  /** The answer, raw. */
  readonly text: string;
  readonly model?: string;
  /** Every further key of the row. */
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly where: string;
}
