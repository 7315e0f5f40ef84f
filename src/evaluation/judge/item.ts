/** @file What a judge compares: the answer of a model with a reference, to one question. */
import type { QuestionId } from '../../generation/questions.ts';

/** An answer with the id that its file gives it. */
export interface JudgedAnswer {
  readonly id: QuestionId;
  readonly text: string;
}

/** A question with two answers to it. */
export interface JudgeItem {
  readonly id: QuestionId;
  /** Unique within the set. */
  readonly key: string;
  /** The question's words. */
  readonly text: string;
  /** Of the set, such as `conv`. */
  readonly category: string;
  /** Which rule of a file of rules it is judged by, such as `conv` or `llava_bench_conv`. */
  readonly rule: string;
  /** Questions on one picture belong together. */
  readonly cluster: string;
  /** The description of the picture that the judge gets. */
  readonly context?: string;
  /** Data URIs, for a judge that sees. */
  readonly pictures?: readonly string[];
  readonly reference: JudgedAnswer;
  readonly answer: JudgedAnswer;
}

/** Which answer is shown as that of Assistant 1. LLaVA's scripts show the reference first. */
export type Order = 'reference first' | 'model first';
