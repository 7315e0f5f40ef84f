/** @file Whoever answers the questions of a run: a model that is open here, or one behind an endpoint. */
import type { RgbImage } from '../../inputs/image/rgb-image.ts';

/** A picture of a question that is asked, under whatever shift. */
export interface AskedPicture {
  /** The same for the same pixels: what was made of a picture is kept by it. */
  readonly key: string;
  /** Reads and shifts it. @throws NarrowsError naming it where it is missing or damaged */
  read(): Promise<RgbImage>;
  /** The encoded bytes that the set holds, where the picture is asked about as it is. */
  bytes?(): Promise<Uint8Array>;
}

/** A question as it is asked. */
export interface AskedTurn {
  /** Its place among all questions of the set: random numbers are keyed by it. */
  readonly number: number;
  /** The whole turn of the user; `<image>` where each picture stands. */
  readonly text: string;
  readonly pictures: readonly AskedPicture[];
}

/** An answer. */
export interface Answer {
  readonly text: string;
  /** `eos`, `stop` or `length`; an endpoint's word for it. */
  readonly finish: string;
  /** New tokens, where they are known. */
  readonly tokens?: number;
}

/** What came of a question: an answer, or one sentence on why there is none. */
export type Answered = Answer | { readonly failure: string };

/** Answers questions. */
export interface Answerer {
  /** What is written as `model_id`. */
  readonly modelId: string;
  /** Everything besides the question that decides about an answer. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What was assumed or passed over, in sentences. */
  readonly warnings: readonly string[];
  /** Questions at once. */
  readonly batchSize: number;
  /**
   * What a question costs, in tokens where they are known: batches are made of questions of alike cost.
   * @throws NarrowsError where it cannot be asked at all (too long)
   */
  length(text: string): number;
  /**
   * Answers a batch. A question that fails does not end the others.
   * @param onAnswer called as soon as an answer is there @throws the signal's reason; what ends the whole run (a budget, a lost server)
   */
  answer(turns: readonly AskedTurn[], onAnswer: (i: number, answered: Answered) => void, signal?: AbortSignal): Promise<void>;
}
