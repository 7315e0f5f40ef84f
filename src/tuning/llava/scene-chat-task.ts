/** @file `narrows train tune` without a file: a LLaVA of the built-in scenes on conversations about them. */
import { GraphCache } from '../../graph/index.ts';
import { Tokenizer } from '../../inputs/text/tokenizer.ts';
import { DEFAULT_CHAT_MODEL } from '../../models/bundled.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { CHAT_TOKENS } from '../../scenes/chat-tokenizer.ts';
import { TEST_STYLES } from '../../scenes/sprite-atlas.ts';
import { loadSprites, type SpriteOptions } from '../../scenes/sprites.ts';
import { NarrowsError } from '../../system/errors.ts';
import { PromiseCache } from '../../system/promise-cache.ts';
import type { FloatTensor } from '../../tensor/tensor.ts';
import type { LlavaArguments } from './arguments.ts';
import type { LlavaTask } from './file-task.ts';
import { methodOf } from './method.ts';
import { type ExamRow, rowsExam, type SceneExam, sceneExam } from './scene-eval.ts';
import { accuracies, compileTower, encodeImages, examRows, towerOf } from './scene-task.ts';
import { sceneTuneTask, sceneUpdates } from './scene-tune.ts';
import { checkBottleneckKept, type LlavaSource, llavaSource } from './source.ts';
import { openTrained, saveMerged, saveTrained } from './store.ts';
import { withStreamScale } from './stream-scale.ts';

/** Seed of the scenes that a run is watched on. */
const WATCH_SEED = 4_000_037;
/** Conversations as the experiment tunes on them: up to four objects, six turns. */
const CHAT = { curriculumSteps: 0, maxObjects: 4, spelled: 0, extra: 2, maxTurns: 6 };

/** @throws NarrowsError where a model's words are not the scenes' own */
function checkWords({ tokenizer, directory }: LlavaSource): void {
  const ids = new Tokenizer(tokenizer.json, tokenizer.config);
  if (CHAT_TOKENS.every((token, id) => ids.idOf(token) === id)) return;
  throw new NarrowsError(`${directory} was not made for the built-in scenes (its vocabulary is another); give a "data_path".`);
}

/** An exam with its images encoded once. */
interface Watched {
  readonly exam: SceneExam;
  readonly rows: readonly ExamRow[];
  readonly features: FloatTensor;
}

async function watchedExams(
  runtime: Runtime,
  source: LlavaSource,
  scenes: number,
  sprites: SpriteOptions,
): Promise<Record<string, Watched>> {
  const tower = towerOf(source);
  const graph = await compileTower(runtime, tower);
  const out: Record<string, Watched> = {};
  for (const [name, styles] of [
    ['trained', undefined],
    ['unseen', TEST_STYLES],
  ] as const) {
    const world = await loadSprites({ ...sprites, ...(styles && { styles }) });
    const exam = sceneExam(world, source.config.vision_config.image_size, WATCH_SEED, scenes, { maxObjects: CHAT.maxObjects });
    out[name] = { exam, rows: examRows(exam, source.config), features: await encodeImages(graph, tower, exam.images) };
  }
  await graph.release();
  return out;
}

/**
 * Tuning on the built-in scenes; evaluation on `eval_samples` fresh ones of trained and of unseen styles.
 * @throws NarrowsError where `args.model` has another vocabulary
 */
export async function llavaSceneTask(runtime: Runtime, args: LlavaArguments, sprites: SpriteOptions = {}): Promise<LlavaTask> {
  const source = await llavaSource(args.model ?? DEFAULT_CHAT_MODEL);
  checkBottleneckKept(source, args.method);
  checkWords(source);
  const layers = source.config.text_config.num_hidden_layers;
  const asked = methodOf(args, source.entries.keys(), layers, { before: source.bottleneck });
  const world = await loadSprites(sprites);
  const chat = { ...CHAT, isolated: args.isolated_turns, lossAverage: args.loss_average };
  const warnings = [...source.warnings];
  const updates = sceneUpdates(args, { source, world, chat });
  const method = await withStreamScale(
    runtime,
    source,
    asked,
    async k => updates.rows(k, 0),
    w => warnings.push(w),
  );
  const settings = { source, world, chat, method, recompute: args.gradient_checkpointing };
  const task = await sceneTuneTask(runtime, args, settings, (directory, parameters) =>
    saveTrained(directory, { args, source, method, parameters }),
  );
  const graphs = new GraphCache();
  const exams = new PromiseCache<Record<string, Watched>>();
  let tokens = 0;
  return {
    ...task,
    ...{ method, maxSteps: args.max_steps, samples: 0, warnings },
    tokens: () => tokens,
    async batch(step) {
      const batch = await task.batch(step);
      for (const shown of batch.attention_mask.data) tokens += Number(shown);
      return batch;
    },
    async exams() {
      const watched = await exams.get('exams', () => watchedExams(runtime, source, args.eval_samples, sprites));
      const graph = await graphs.keep('examiner', () => task.examiner());
      const feeds = task.feeds();
      return Object.entries(watched).map(([name, { exam, rows, features }]) =>
        rowsExam(`scenes in ${name} styles`, `${WATCH_SEED}`, { graph, config: source.config, rows, features, feeds }, result =>
          Object.fromEntries(Object.entries(accuracies(exam, result)).map(([key, value]) => [`${name}_${key}`, value])),
        ),
      );
    },
    ...(method.lora &&
      args.method === 'lora' &&
      args.merge_lora && { finish: (directory: string) => saveMerged(directory, { args, source, method, parameters: task.parameters }) }),
    open: directory => openTrained(directory, method, source.config),
    async close() {
      await graphs.release();
      await task.close();
    },
  };
}
