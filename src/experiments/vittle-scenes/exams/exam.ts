/** @file What an exam of the Vittle experiment is: scenes, questions, the tower's features of the pictures. */
import type { CompiledGraph } from '../../../graph/index.ts';
import { Tokenizer } from '../../../inputs/text/tokenizer.ts';
import type { TokenizerConfig, TokenizerJson } from '../../../inputs/text/tokenizer-files.ts';
import { imageTokens } from '../../../models/llava/config.ts';
import { chatTokenizerFiles } from '../../../scenes/chat-tokenizer.ts';
import type { Task } from '../../../scenes/instructions.ts';
import type { FloatTensor } from '../../../tensor/tensor.ts';
import { encodeTurns } from '../../../tuning/llava/scene-batch.ts';
import type { ExamRow, SceneExam } from '../../../tuning/llava/scene-eval.ts';
import { encodeImages, type TowerSource } from '../../../tuning/llava/scene-task.ts';

/** What kind of shift an exam is under, or which benchmark it is. */
export type ExamGroup = 'clean' | 'style' | 'image' | 'text' | 'joint' | 'tail' | 'pope' | 'choice' | 'open' | 'cue' | 'validation';

/** A question of an exam. */
export interface ExamItem {
  readonly scene: number;
  readonly task: Task;
  readonly question: string;
  readonly answer: string;
  /** Of the picture, where an exam mixes several. */
  readonly severity?: number;
  /** Of the exam of the spurious cue: whether the background's colour foretells the right answer. */
  readonly cue?: 'right' | 'wrong';
}

/** One exam, ready to be sat. */
export interface PreparedExam {
  /** `clean`, `style:openmoji`, `image:contrast:3`, `text:keyboard:3`, `joint:fog:3+keyboard:4`, `tail:many`, `pope:random` */
  readonly id: string;
  readonly group: ExamGroup;
  readonly items: readonly ExamItem[];
  readonly rows: readonly ExamRow[];
  /** RGB bytes of each scene's picture. */
  readonly images: readonly Uint8Array[];
  readonly features: FloatTensor;
  /** Where its items are those of `clean`, shifted: their numbers there. */
  readonly origin?: readonly number[];
  /** How right answers in full are, 0 to 1 each, where exactness does not judge them. */
  readonly marks?: (answers: readonly string[]) => readonly number[];
}

/** An exam before its pictures are encoded. */
export type Draft = Omit<PreparedExam, 'rows' | 'features'>;

/** The scene tokenizer, which spells words that it does not know. */
export function chatTokenizer(): Tokenizer {
  const files = chatTokenizerFiles();
  return new Tokenizer(files['tokenizer.json'] as TokenizerJson, files['tokenizer_config.json'] as TokenizerConfig);
}

/** Questions of a scene exam as items. */
export const itemsOf = (exam: SceneExam): ExamItem[] =>
  exam.items.map(({ scene, instruction: { task, question, answer } }) => ({ scene, task, question, answer }));

/** Some items of an exam, with their numbers in it. */
export function picked(
  items: readonly ExamItem[],
  wanted: (item: ExamItem, i: number) => boolean,
): { readonly items: ExamItem[]; readonly origin: number[] } {
  const origin = items.flatMap((item, i) => (wanted(item, i) ? [i] : []));
  return { items: origin.map(i => items[i]), origin };
}

/**
 * Numbers of a few questions of each scene: closed ones, `count` of them, others from turn to turn, so that over several exams all are asked as often.
 * A caption would cost as much as they do.
 */
export function rotating(items: readonly ExamItem[], count: number, turn: number): Set<number> {
  const scenes = new Map<number, number[]>();
  for (const [i, { scene, task }] of items.entries()) if (task !== 'caption') scenes.set(scene, [...(scenes.get(scene) ?? []), i]);
  const chosen = new Set<number>();
  for (const [scene, of] of scenes)
    for (let k = 0; k < Math.min(count, of.length); k++) chosen.add(of[(scene + turn * count + k) % of.length]);
  return chosen;
}

/** Encodes exams; pictures that were encoded before are not encoded again. */
export class ExamMaker {
  private readonly tokenizer = chatTokenizer();
  private readonly known = new Map<readonly Uint8Array[], FloatTensor>();

  constructor(
    private readonly source: TowerSource,
    private readonly tower: CompiledGraph,
  ) {}

  /** Pixels of a side. */
  get size(): number {
    return this.source.config.vision_config.image_size;
  }

  /** Encodes an exam's questions and pictures. */
  async make(draft: Draft): Promise<PreparedExam> {
    const perImage = imageTokens(this.source.config);
    const encode = (text: string): readonly number[] => this.tokenizer.encode(text).ids.slice(1);
    const rows = draft.items.map(({ scene, question, answer }) => ({ scene, ...encodeTurns([{ question, answer }], perImage, encode) }));
    const features = this.known.get(draft.images) ?? (await encodeImages(this.tower, this.source, draft.images));
    this.known.set(draft.images, features);
    return { ...draft, rows, features };
  }
}
