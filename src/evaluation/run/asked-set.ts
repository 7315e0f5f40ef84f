/** @file A set of questions ready to be asked under several scenarios: prompts, numbers of samples, and the order of work. */
import { schedule } from '../../generation/bulk.ts';
import type { ImageReadOptions } from '../../inputs/image/image-reading.ts';
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import { messageOf, NarrowsError } from '../../system/errors.ts';
import { exactJson } from '../../system/exact-json.ts';
import type { Benchmark } from '../benchmarks/benchmark.ts';
import type { Question, QuestionSet } from '../benchmarks/question.ts';
import type { AskedPicture, AskedTurn } from './answerer.ts';
import { pictureKey, type Scenario, type ShiftMeans, shiftPicture, shiftWords } from './scenario.ts';

/** Batches whose questions are put in order of length together; within so many, questions stay near those of the same picture. */
const CHUNK = 16;

/** What is asked, and how. */
export interface SetToAsk {
  readonly benchmark: Benchmark;
  readonly set: QuestionSet;
  /** Name among the benchmark's prompts. */
  readonly prompt: string;
  readonly scenarios: readonly Scenario[];
}

/** A question under a scenario, with what its answer's row says. */
export interface Asked {
  readonly question: Question;
  readonly turn: AskedTurn;
  /** The turn without marks of images before it. */
  readonly prompt: string;
  /** The question's words as the scenario has them. */
  readonly words: string;
  /** Why it cannot be asked. */
  readonly refused?: string;
  /** 2 where a question with the same id and prompt comes for the second time, and so on. */
  readonly repeat?: number;
}

const MARK = '<image>';
const marksOf = (text: string): number => text.split(MARK).length - 1;

/** The user's turn: pictures stand where the text says, else before it (LLaVA's convention). @throws NarrowsError where they do not fit */
function turnOf(text: string, { pictures, where }: Question): string {
  const marks = marksOf(text);
  if (marks === 0) return `${`${MARK}\n`.repeat(pictures.length)}${text}`;
  if (marks === pictures.length) return text;
  throw new NarrowsError(`${where}: the prompt has ${marks} places for images and the question ${pictures.length} pictures.`);
}

/** Questions of a set, with what all scenarios share. */
export class AskedSet {
  private readonly pictureNumbers = new Map<string, number>();

  constructor(
    readonly given: SetToAsk,
    private readonly options: { readonly seed: number; readonly pictures?: ImageReadOptions; readonly means?: ShiftMeans },
  ) {
    for (const { pictures } of given.set.questions)
      for (const { id } of pictures) if (!this.pictureNumbers.has(id)) this.pictureNumbers.set(id, this.pictureNumbers.size);
  }

  get questions(): readonly Question[] {
    return this.given.set.questions;
  }

  /** Lengths of shifts are scaled for pictures that are small by nature, unless the caller says how. */
  private get means(): ShiftMeans {
    return { referenceSize: this.given.benchmark.referenceSize, ...this.options.means };
  }

  private picture(scenario: Scenario, picture: Question['pictures'][number]): AskedPicture {
    const sample = this.pictureNumbers.get(picture.id)!;
    const { seed, pictures } = this.options;
    // Turned or windowed pictures exist as pixels only.
    const asStored =
      scenario.image === undefined && !pictures?.autoOrient && pictures?.window === undefined && pictures?.frame === undefined;
    return {
      ...(asStored && picture.bytes ? { bytes: () => picture.bytes!() } : {}),
      key: exactJson([this.given.benchmark.name, picture.id, pictureKey(scenario)]),
      read: async () => shiftPicture(scenario, await picture.read(pictures), { ...this.means, seed, sample }),
    };
  }

  /**
   * All questions as a scenario asks them; where a prompt or a shift cannot be made (no translation of a text), `refused` says why.
   * @throws NarrowsError (usage) for a scenario that cannot be made at all
   */
  async ask(scenario: Scenario): Promise<Asked[]> {
    const seen = new Map<string, number>();
    const asked: Asked[] = [];
    for (const [number, question] of this.questions.entries()) {
      const { text, words, refused } = await this.turn(scenario, question, number);
      const plain = text.startsWith(MARK) ? text.replace(/^(<image>\s*)+/, '') : text;
      const key = exactJson([question.id, plain]);
      const repeat = (seen.get(key) ?? 0) + 1;
      seen.set(key, repeat);
      const pictures = question.pictures.map(picture => this.picture(scenario, picture));
      asked.push({
        question,
        prompt: plain,
        words,
        turn: { number, text, pictures },
        ...(refused === undefined ? {} : { refused }),
        ...(repeat > 1 ? { repeat } : {}),
      });
    }
    return asked;
  }

  /** Pictures of a question as a scenario shows them. @throws NarrowsError for a question that the set lacks, or a picture that cannot be read */
  async pictures(scenario: Scenario, key: string): Promise<RgbImage[]> {
    const question = this.questions.find(one => one.key === key);
    if (!question) throw new NarrowsError(`The set has no question ${key} any more.`);
    return Promise.all(question.pictures.map(picture => this.picture(scenario, picture).read()));
  }

  /** Words of a question as a scenario asks them, without the prompt around them. @throws NarrowsError for a question that the set lacks, or words that cannot be shifted */
  async words(scenario: Scenario, key: string): Promise<string> {
    const number = this.questions.findIndex(one => one.key === key);
    if (number < 0) throw new NarrowsError(`The set has no question ${key} any more.`);
    return this.shifted(scenario, this.questions[number], number);
  }

  private shifted(scenario: Scenario, question: Question, number: number): Promise<string> {
    return shiftWords(scenario, question.text, { ...this.means, seed: this.options.seed, sample: number, id: String(question.id) });
  }

  private async turn(scenario: Scenario, question: Question, number: number): Promise<{ text: string; words: string; refused?: string }> {
    const { benchmark, prompt } = this.given;
    try {
      const words = await this.shifted(scenario, question, number);
      return { words, text: turnOf(benchmark.prompts[prompt].build(question, words).text, question) };
    } catch (error) {
      if (!(error instanceof NarrowsError) || error.kind === 'usage') throw error;
      return { words: question.text, text: question.text, refused: messageOf(error) };
    }
  }

  /** Scenarios in groups of the same pictures, in the order given. */
  groups(): Scenario[][] {
    const groups = new Map<string, Scenario[]>();
    for (const scenario of this.given.scenarios) {
      const key = pictureKey(scenario);
      groups.set(key, [...(groups.get(key) ?? []), scenario]);
    }
    return [...groups.values()];
  }
}

/**
 * Batches of numbers of questions: in pieces that stay near the set's order (so that the questions of a picture come together), each piece
 * by length. It depends on the questions only, so a run that goes on makes the same batches.
 */
export function batchesOf(lengths: readonly number[], batchSize: number): number[][][] {
  const chunk = batchSize * CHUNK;
  return Array.from({ length: Math.ceil(lengths.length / chunk) }, (_, c) =>
    schedule(lengths.slice(c * chunk, (c + 1) * chunk), batchSize).map(batch => batch.map(i => c * chunk + i)),
  );
}

/** Length of every question for the model, or why it cannot be asked (then its length is 0). */
export function lengthsOf(
  asked: readonly Asked[],
  length: (text: string) => number,
): { readonly lengths: number[]; readonly refused: ReadonlyMap<number, string> } {
  const refused = new Map<number, string>();
  const lengths = asked.map(({ turn, refused: reason }, i) => {
    try {
      if (reason !== undefined) throw new NarrowsError(reason);
      return length(turn.text);
    } catch (error) {
      if (!(error instanceof NarrowsError)) throw error;
      refused.set(i, messageOf(error));
      return 0;
    }
  });
  return { lengths, refused };
}
