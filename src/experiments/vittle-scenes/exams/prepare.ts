/** @file The exams of the Vittle experiment: the same scenes and questions clean and under each shift, other art styles, and what else is asked for. */
import type { CompiledGraph } from '../../../graph/index.ts';
import { TEST_STYLES } from '../../../scenes/sprite-atlas.ts';
import { loadSprites } from '../../../scenes/sprites.ts';
import { shiftImage, shiftText } from '../../../shifts/apply.ts';
import { vittleNines } from '../../../shifts/suites/vittle-9x9x9.ts';
import { NarrowsError } from '../../../system/errors.ts';
import { sceneExam } from '../../../tuning/llava/scene-eval.ts';
import type { TowerSource } from '../../../tuning/llava/scene-task.ts';
import { compared } from '../representations.ts';
import type { ExperimentSettings } from '../settings.ts';
import { choiceExam, openExam, popeExams } from './benchmarks.ts';
import { cueExam } from './cue.ts';
import { type Draft, type ExamItem, ExamMaker, itemsOf, type PreparedExam, picked, rotating } from './exam.ts';
import { tailExams } from './tail.ts';

/** Seeds of test and validation scenes; training draws from other streams. */
const SEEDS = { test: 5_000_011, validation: 7_000_003 };
/** Shifts are published for pictures of this size. */
const REFERENCE_SIZE = 224;

type Images = readonly Uint8Array[];

async function shiftImages(name: string, severityOf: (scene: number) => number, images: Images, size: number): Promise<Images> {
  const out: Uint8Array[] = [];
  for (const [sample, data] of images.entries()) {
    const image = { width: size, height: size, data };
    const shifted = await shiftImage(name, image, severityOf(sample), { sample, seed: SEEDS.test, referenceSize: REFERENCE_SIZE });
    out.push(Uint8Array.from(shifted.data));
  }
  return out;
}

/** Questions under a text shift; an item has the words that its number in the clean exam draws. */
const shiftQuestions = (items: readonly ExamItem[], origin: readonly number[], name: string, severity: number): ExamItem[] =>
  items.map((item, i) => ({ ...item, question: shiftText(name, item.question, severity, { sample: origin[i], seed: SEEDS.test }) }));

/** Captions, long as they are, are asked for where tables read them: clean and under shifts of pictures. */
const closed = ({ task }: ExamItem): boolean => task !== 'caption';

/** Draws all exams and encodes their images once; every model sits the same. @param split what the scenes are for */
export async function prepareExams(
  source: TowerSource,
  tower: CompiledGraph,
  settings: ExperimentSettings,
  split: 'test' | 'validation',
  onExam: (id: string) => void = () => {},
): Promise<PreparedExam[]> {
  const maker = new ExamMaker(source, tower);
  const { size } = maker;
  const exams: PreparedExam[] = [];
  const add = async (draft: Draft): Promise<void> => {
    onExam(draft.id);
    if (!compared(draft.items.length, draft.origin))
      throw new NarrowsError(
        `Of ${settings.scenes} scenes the exam "${draft.id}" asks no question whose representations are compared, which are every fourth of the clean exam's; take more scenes.`,
        { kind: 'usage' },
      );
    exams.push(await maker.make(draft));
  };
  const trained = await loadSprites();
  const drawn = sceneExam(trained, size, SEEDS[split], settings.scenes);
  const { images } = drawn;
  const clean = itemsOf(drawn);
  const all = clean.map((_, i) => i);
  await add({ id: 'clean', group: 'clean', items: clean, images, origin: all });
  if (split === 'validation') {
    for (const name of settings.validation_corruptions) {
      const shifted = await shiftImages(name, () => 3, images, size);
      await add({ id: `image:${name}:3`, group: 'validation', items: clean, images: shifted, origin: all });
    }
    return exams;
  }
  if (settings.cue) {
    await add(cueExam(trained, size, SEEDS.test, settings.scenes));
    return exams;
  }
  for (const style of TEST_STYLES) {
    const exam = sceneExam(await loadSprites({ styles: [style] }), size, SEEDS.test, settings.scenes);
    await add({ id: `style:${style}`, group: 'style', images: exam.images, items: picked(itemsOf(exam), closed).items });
  }
  const { severities } = settings;
  for (const [k, name] of settings.corruptions.entries()) {
    if (settings.mixed_severities) {
      // Scene by scene the next severity, from shift to shift shifted by one: each is met equally often, by each shift in other scenes.
      const of = (scene: number): number => severities[(scene + k) % severities.length];
      const items = clean.map(item => ({ ...item, severity: of(item.scene) }));
      const id = `image:${name}:${severities.join('/')}`;
      await add({ id, group: 'image', items, images: await shiftImages(name, of, images, size), origin: all });
    } else
      for (const severity of severities) {
        const shifted = await shiftImages(name, () => severity, images, size);
        await add({ id: `image:${name}:${severity}`, group: 'image', items: clean, images: shifted, origin: all });
      }
  }
  const askedOf = (turn: number): ReturnType<typeof picked> => {
    const { questions_per_scene: count } = settings;
    const chosen = count === undefined ? undefined : rotating(clean, count, turn);
    return picked(clean, chosen ? (_, i) => chosen.has(i) : closed);
  };
  for (const [turn, name] of settings.text_shifts.entries()) {
    const asked = askedOf(turn);
    const items = shiftQuestions(asked.items, asked.origin, name, settings.text_severity);
    await add({ id: `text:${name}:${settings.text_severity}`, group: 'text', items, images, origin: asked.origin });
  }
  const further = new Set(settings.further_exams);
  if (further.has('joint'))
    for (const [turn, { name, image, text }] of vittleNines.scenarios.entries()) {
      if (!image || !text) continue;
      const asked = askedOf(turn);
      const items = shiftQuestions(asked.items, asked.origin, text.shift, text.severity);
      const shifted = await shiftImages(image.shift, () => image.severity, images, size);
      await add({ id: `joint:${name}`, group: 'joint', items, images: shifted, origin: asked.origin });
    }
  if (further.has('tail')) for (const draft of await tailExams(drawn, trained, size, SEEDS.test, settings)) await add(draft);
  if (further.has('pope')) for (const draft of await popeExams(settings.scenes)) await add(draft);
  if (further.has('choice')) await add(await choiceExam(settings.scenes));
  if (further.has('open')) await add(await openExam());
  return exams;
}
