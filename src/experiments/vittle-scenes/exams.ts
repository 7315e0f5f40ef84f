/** @file The exams of the Vittle experiment: the same scenes and questions clean and under each shift, other art styles, tower features kept. */

import type { CompiledGraph } from '../../graph/index.ts';
import { Tokenizer } from '../../inputs/text/tokenizer.ts';
import type { TokenizerConfig, TokenizerJson } from '../../inputs/text/tokenizer-files.ts';
import { imageTokens } from '../../models/llava/config.ts';
import { chatTokenizerFiles } from '../../scenes/chat-tokenizer.ts';
import { TEST_STYLES } from '../../scenes/sprite-atlas.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { shiftImage, shiftText } from '../../shifts/apply.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import { encodeTurns } from '../../tuning/llava/scene-batch.ts';
import { type ExamRow, type SceneExam, sceneExam } from '../../tuning/llava/scene-eval.ts';
import { encodeImages, examRows, type TowerSource } from '../../tuning/llava/scene-task.ts';
import type { ExperimentSettings } from './settings.ts';

/** What kind of shift an exam is under. */
export type ExamGroup = 'clean' | 'style' | 'image' | 'text' | 'validation';

/** One exam, ready to be sat. */
export interface PreparedExam {
  /** `clean`, `style:openmoji`, `image:contrast:3`, `text:keyboard:3` */
  readonly id: string;
  readonly group: ExamGroup;
  readonly exam: SceneExam;
  readonly rows: readonly ExamRow[];
  readonly features: FloatTensor;
  /** Whether scenes and questions are those of `clean`, item by item. */
  readonly paired: boolean;
}

/** Seeds of test and validation scenes; training draws from other streams. */
const SEEDS = { test: 5_000_011, validation: 7_000_003 };
/** Shifts are published for pictures of this size. */
const REFERENCE_SIZE = 224;

/** The scene tokenizer, which spells words that it does not know. */
function chatTokenizer(): Tokenizer {
  const files = chatTokenizerFiles();
  return new Tokenizer(files['tokenizer.json'] as TokenizerJson, files['tokenizer_config.json'] as TokenizerConfig);
}

async function shiftImages(name: string, severity: number, images: readonly Uint8Array[], size: number): Promise<Uint8Array[]> {
  const out: Uint8Array[] = [];
  for (const [sample, data] of images.entries()) {
    const image = { width: size, height: size, data };
    out.push(Uint8Array.from((await shiftImage(name, image, severity, { sample, seed: SEEDS.test, referenceSize: REFERENCE_SIZE })).data));
  }
  return out;
}

/** Draws all exams and encodes their images once; every model sits the same. @param split what the scenes are for */
export async function prepareExams(
  source: TowerSource,
  tower: CompiledGraph,
  settings: ExperimentSettings,
  split: 'test' | 'validation',
  onExam: (id: string) => void = () => {},
): Promise<PreparedExam[]> {
  const { image_size: size } = source.config.vision_config;
  const trained = await loadSprites();
  const exams: PreparedExam[] = [];
  const add = async (
    id: string,
    group: ExamGroup,
    exam: SceneExam,
    paired: boolean,
    rows = examRows(exam, source.config),
  ): Promise<void> => {
    onExam(id);
    const same = rows !== undefined && exams[0]?.exam.images === exam.images ? exams[0].features : undefined;
    exams.push({ id, group, exam, rows, paired, features: same ?? (await encodeImages(tower, source, exam.images)) });
  };
  const clean = sceneExam(trained, size, SEEDS[split], settings.scenes);
  await add('clean', 'clean', clean, true);
  const corrupted = async (name: string, severity: number, group: ExamGroup): Promise<void> =>
    add(`image:${name}:${severity}`, group, { ...clean, images: await shiftImages(name, severity, clean.images, size) }, true);
  if (split === 'validation') {
    for (const name of settings.validation_corruptions) await corrupted(name, 3, 'validation');
    return exams;
  }
  for (const style of TEST_STYLES) {
    const world = await loadSprites({ styles: [style] });
    await add(`style:${style}`, 'style', sceneExam(world, size, SEEDS.test, settings.scenes), false);
  }
  for (const name of settings.corruptions) for (const severity of settings.severities) await corrupted(name, severity, 'image');
  const tokenizer = chatTokenizer();
  for (const name of settings.text_shifts) {
    const rows = clean.items.map(({ scene, instruction: { question, answer } }, sample) => {
      const shifted = shiftText(name, question, settings.text_severity, { sample, seed: SEEDS.test });
      const encoded = encodeTurns([{ question: shifted, answer }], imageTokens(source.config), text => tokenizer.encode(text).ids.slice(1));
      return { scene, ...encoded };
    });
    await add(`text:${name}:${settings.text_severity}`, 'text', clean, true, rows);
  }
  return exams;
}
