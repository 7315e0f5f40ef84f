/** @file The suite: scenes with questions, clean and under shifts of the picture, of the words, and of both. */
import type { RgbImage } from '../../inputs/image/rgb-image.ts';
import type { Task } from '../../scenes/instructions.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { shiftImage, shiftText } from '../../shifts/apply.ts';
import { sceneExam } from '../../tuning/llava/scene-eval.ts';

/** A shift with its severity. */
export type Shift = readonly [name: string, severity: number];

/** What is done to pictures and words; neither: the clean set. */
export interface Condition {
  readonly name: string;
  readonly kind: 'clean' | 'visual' | 'textual' | 'joint';
  readonly image?: Shift;
  readonly text?: Shift;
}

/** A question of the suite. */
export interface SuiteItem {
  readonly scene: number;
  readonly task: Task;
  readonly image: RgbImage;
  /** As it was asked: shifted. */
  readonly question: string;
  readonly reference: string;
}

/** Of pixelation only the strongest grade changes pictures of 96 pixels. */
const VISUAL: readonly Shift[] = [
  ...['gaussian_noise', 'defocus_blur', 'contrast', 'jpeg_compression'].flatMap((name): Shift[] => [
    [name, 2],
    [name, 5],
  ]),
  ['pixelate', 5],
  ['brightness', 2],
  ['brightness', 5],
];
const TEXTUAL: readonly Shift[] = ['keyboard', 'char_delete', 'word_swap', 'word_delete'].flatMap((name): Shift[] => [
  [name, 2],
  [name, 5],
]);
const JOINT: readonly (readonly [Shift, Shift])[] = [
  [
    ['gaussian_noise', 5],
    ['keyboard', 5],
  ],
  [
    ['defocus_blur', 5],
    ['word_delete', 5],
  ],
  [
    ['contrast', 5],
    ['word_swap', 5],
  ],
];

const named = ([name, severity]: Shift): string => `${name}:${severity}`;

/** The clean set, then all shifts. */
export const CONDITIONS: readonly Condition[] = [
  { name: 'clean', kind: 'clean' },
  ...VISUAL.map((image): Condition => ({ name: named(image), kind: 'visual', image })),
  ...TEXTUAL.map((text): Condition => ({ name: named(text), kind: 'textual', text })),
  ...JOINT.map(([image, text]): Condition => ({ name: `${named(image)} + ${named(text)}`, kind: 'joint', image, text })),
];

/** Not a seed of a training, nor of another exam. */
const SEED = 9_000_011;
/** Shifts are published for pictures of this size. */
const REFERENCE_SIZE = 224;

/** Items of one condition; the scenes and questions are the same in all. @param size of a picture's edge, pixels */
export async function suiteItems({ image: visual, text }: Condition, scenes: number, size: number): Promise<SuiteItem[]> {
  const { images, items } = sceneExam(await loadSprites(), size, SEED, scenes);
  const pictures: RgbImage[] = [];
  for (const [sample, data] of images.entries()) {
    const picture = { width: size, height: size, data };
    pictures.push(
      visual ? await shiftImage(visual[0], picture, visual[1], { sample, seed: SEED, referenceSize: REFERENCE_SIZE }) : picture,
    );
  }
  const out: SuiteItem[] = [];
  for (const [sample, { scene, instruction }] of items.entries()) {
    const { task, question: words, answer: reference } = instruction;
    const question = text ? await shiftText(text[0], words, text[1], { sample, seed: SEED }) : words;
    out.push({ scene, task, image: pictures[scene], question, reference });
  }
  return out;
}
