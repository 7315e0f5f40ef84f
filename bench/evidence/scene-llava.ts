/**
 * @file What a small LLaVA of the scenes answers, by task, with 95 % intervals over fresh scenes, on the trained styles and on each style
 * kept for testing. Control: always the most frequent answer of the task. Writes Markdown and JSON.
 * usage: node --import tsx bench/evidence/scene-llava.ts [--model REF] [--scenes N] [--output DIR]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { nameCaption } from '../../src/scenes/captions.ts';
import { TASKS } from '../../src/scenes/instructions.ts';
import { TEST_STYLES, TRAIN_STYLES } from '../../src/scenes/sprite-atlas.ts';
import { RandomStream } from '../../src/tensor/random.ts';
import { clusterBootstrap } from '../../src/tensor/statistics/cluster-bootstrap.ts';
import type { SceneExam } from '../../src/tuning/llava/scene-eval.ts';
import { taskExaminer, taskHead } from './scene-tasks.ts';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'scene-llava' },
    scenes: { type: 'string', default: '400' },
    seed: { type: 'string', default: '20261126' },
    output: { type: 'string', default: 'out/evidence' },
    threads: { type: 'string', default: '2' },
    // A model that was trained when things were named with their article.
    articles: { type: 'boolean', default: false },
  },
});
const seed = Number(flags.seed);
const runtime = nodeRuntime({ threads: Number(flags.threads) });
const sit = await taskExaminer(runtime, flags.model);
const random = new RandomStream(seed, 'evidence.bootstrap');
const show = (values: readonly number[], scenes: readonly number[]): string => {
  const { estimate, low, high } = clusterBootstrap(values, scenes, { random });
  return `${estimate.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
};
/** "a dog" for "dog" where a thing is to be named. */
function withArticles({ scene, instruction }: SceneExam['items'][number]): SceneExam['items'][number] {
  if (instruction.task !== 'naming') return { scene, instruction };
  return { scene, instruction: { ...instruction, answer: nameCaption(instruction.concepts[0]) } };
}
/** Share of the most frequent answer of a task. */
function control(exam: SceneExam, task: string): number {
  const counts = new Map<string, number>();
  const answers = exam.items.filter(i => i.instruction.task === task).map(i => i.instruction.answer);
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return Math.max(...counts.values()) / answers.length;
}
const lines = taskHead('styles');
const results: Record<string, object> = {};
for (const styles of [TRAIN_STYLES, ...TEST_STYLES.map(s => [s])]) {
  const name = styles === TRAIN_STYLES ? 'trained (noto, twemoji, fluent flat)' : `${styles[0]} (unseen)`;
  const sitting = { styles, seed, scenes: Number(flags.scenes) };
  const { exam, answers } = await sit(sitting, drawn => (flags.articles ? { ...drawn, items: drawn.items.map(withArticles) } : drawn));
  const cells = TASKS.map(task => show(answers[task].values, answers[task].scenes));
  if (styles === TRAIN_STYLES)
    results.control = Object.fromEntries(TASKS.filter(t => t !== 'caption').map(task => [task, control(exam, task)]));
  results[name] = Object.fromEntries(TASKS.map((task, i) => [task, cells[i]]));
  lines.push(`| ${name} | ${cells.join(' | ')} |`);
  console.error(lines.at(-1));
}
const controls = results.control as Record<string, number>;
lines.push(`| most frequent answer | ${TASKS.map(t => (t === 'caption' ? '' : controls[t].toFixed(3))).join(' | ')} |`);
lines.push(
  '',
  `${flags.scenes} fresh scenes (seed ${seed}), one question of each task that a scene allows; an answer counts when greedy decoding gives exactly it. 95 % bootstrap intervals over scenes.`,
);
mkdirSync(flags.output, { recursive: true });
writeFileSync(`${flags.output}/scene-llava.md`, `${lines.join('\n')}\n`);
writeFileSync(
  `${flags.output}/scene-llava.json`,
  `${JSON.stringify({ model: flags.model, seed, scenes: Number(flags.scenes), results }, null, 2)}\n`,
);
console.log(lines.join('\n'));
await runtime.release();
