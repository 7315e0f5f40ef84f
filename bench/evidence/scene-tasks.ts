/** @file What a small LLaVA of the scenes answers, task by task: the exam that the evidence of the shipped model and of its recipe's parts share. */
import { inferenceTap } from '../../src/bottleneck/gaussian/llava.ts';
import { compile } from '../../src/graph/index.ts';
import { imageTokens } from '../../src/models/llava/config.ts';
import { frozenParameters } from '../../src/nn/parameters.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { TASKS, type Task } from '../../src/scenes/instructions.ts';
import { loadSprites } from '../../src/scenes/sprites.ts';
import { examGraph, examine, type SceneExam, sceneExam } from '../../src/tuning/llava/scene-eval.ts';
import { compileTower, encodeImages, examRows, towerOf } from '../../src/tuning/llava/scene-task.ts';
import { llavaSource } from '../../src/tuning/llava/source.ts';

/** Answers of a task, one for each scene that allows it: 1 right, 0 wrong, of captions the share of tokens. */
export interface TaskAnswers {
  readonly values: readonly number[];
  readonly scenes: readonly number[];
}

/** Scenes of some art styles. */
export interface Sitting {
  readonly styles: readonly string[];
  readonly seed: number;
  readonly scenes: number;
}

/** Opens a model. @returns a function that has it sit an exam; `change` rewrites what is asked */
export async function taskExaminer(runtime: Runtime, model: string) {
  const source = await llavaSource(model);
  const { config, bottleneck } = source;
  const tower = towerOf(source);
  const towerGraph = await compileTower(runtime, tower);
  const p = frozenParameters(source.entries, source.directory);
  const tap = bottleneck && inferenceTap({ config: bottleneck, parameters: p }, imageTokens(config));
  const graph = await compile(runtime, examGraph(p, config, tap));
  return async ({ styles, seed, scenes }: Sitting, change: (exam: SceneExam) => SceneExam = exam => exam) => {
    const exam = change(sceneExam(await loadSprites({ styles }), config.vision_config.image_size, seed, scenes));
    const features = await encodeImages(towerGraph, tower, exam.images);
    const { correct, tokenAccuracy } = await examine({ graph, config, rows: examRows(exam, config), features, feeds: {} });
    const answers = (task: Task): TaskAnswers => {
      const of = exam.items.flatMap((item, i) => (item.instruction.task === task ? [i] : []));
      return {
        values: of.map(i => (task === 'caption' ? tokenAccuracy[i] : Number(correct[i]))),
        scenes: of.map(i => exam.items[i].scene),
      };
    };
    return { exam, answers: Object.fromEntries(TASKS.map(task => [task, answers(task)])) as Record<Task, TaskAnswers> };
  };
}

/** Head of a table of all tasks. */
export const taskHead = (first: string): string[] => [
  `| ${first} | ${TASKS.map(t => (t === 'caption' ? 'caption, tokens' : t)).join(' | ')} |`,
  `|---|${TASKS.map(() => '---|').join('')}`,
];
