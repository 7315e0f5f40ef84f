/** @file Gathers a set's questions: unique keys, clusters, the limit, and what is to be said of the set. */
import { NarrowsError } from '../../../system/errors.ts';
import type { LoadOptions } from '../benchmark.ts';
import type { AnswerRecord, Question, QuestionSet } from '../question.ts';

/** A question as a loader makes it. The cluster is its pictures by default, or the question itself where it has none. */
export interface QuestionDraft extends Omit<Question, 'key' | 'cluster' | 'facts'> {
  /** Unique within the set but for rows that stand twice; by default the id. The same whatever the limit. */
  readonly key?: string;
  readonly cluster?: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** How many places a sentence names. */
const NAMED = 3;

/** The questions of one load. */
export class QuestionList {
  private readonly questions: Question[] = [];
  private readonly times = new Map<string, number>();
  private readonly warnings = new Set<string>();
  private readonly counted = new Map<string, { readonly say: (count: number) => string; readonly places: string[]; count: number }>();
  private doubles = 0;

  constructor(
    /** What messages call the set. */
    private readonly title: string,
    private readonly options: LoadOptions,
  ) {}

  /** Whether the limit is reached. */
  get full(): boolean {
    return this.questions.length >= (this.options.limit ?? Number.POSITIVE_INFINITY);
  }

  /** How many there are. */
  get length(): number {
    return this.questions.length;
  }

  /** Adds a question unless the limit is reached. */
  add({ key: wanted, cluster, facts = {}, ...rest }: QuestionDraft): void {
    if (this.full) return;
    const plain = wanted ?? String(rest.id);
    const times = (this.times.get(plain) ?? 0) + 1;
    this.times.set(plain, times);
    if (times > 1) this.doubles++;
    const key = times > 1 ? `${plain} #${times}` : plain;
    const pictures = rest.pictures.map(picture => picture.id).join(' + ');
    this.questions.push({ ...rest, facts, key, cluster: cluster ?? (pictures || key) });
  }

  /** A sentence about the set; said once. */
  warn(sentence: string): void {
    this.warnings.add(sentence);
  }

  /** Something that many rows may have: one sentence with their number and the first places. */
  note(kind: string, where: string, say: (count: number) => string): void {
    const known = this.counted.get(kind) ?? { say, places: [], count: 0 };
    known.count++;
    if (known.places.length < NAMED) known.places.push(where);
    this.counted.set(kind, known);
  }

  /** @throws NarrowsError where there are no questions */
  finish(place: string, answers?: readonly AnswerRecord[]): QuestionSet {
    if (this.questions.length === 0) throw new NarrowsError(`${place} holds no questions of ${this.title}${this.wanted()}.`);
    for (const { say, places, count } of this.counted.values())
      this.warn(`${say(count)} (${places.join('; ')}${count > places.length ? '; and others' : ''}).`);
    if (this.doubles > 0)
      this.warn(
        `${this.doubles} question${this.doubles > 1 ? 's' : ''} of ${this.title} stand${this.doubles > 1 ? '' : 's'} there more than once, word for word; each counts.`,
      );
    return { questions: this.questions, warnings: [...this.warnings], ...(answers ? { answers } : {}) };
  }

  private wanted(): string {
    return this.options.split === undefined ? '' : ` with the split or config "${this.options.split}"`;
  }
}
