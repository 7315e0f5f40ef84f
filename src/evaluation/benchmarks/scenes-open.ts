/** @file LLaVA-Bench's form on the built-in world: conversation, detail and complex questions whose true answers are known. */
import { type Instruction, instructions, place, type Task } from '../../scenes/instructions.ts';
import type { Scene } from '../../scenes/scene.ts';
import { type RandomReader, RandomStream } from '../../tensor/random.ts';
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { SCENE_PROMPTS } from './loading/prompts.ts';
import { QuestionList } from './loading/question-list.ts';
import type { QuestionSet } from './question.ts';
import { contextOfScene, truthOf } from './scenes/truth.ts';
import { SCENE_FACTS, sceneSet } from './scenes/world.ts';

const SCENES = 30;
const THINGS = { least: 2, most: 4 };

/** A question of each of LLaVA-Bench's categories. */
function ask(scene: Scene, index: number, reader: RandomReader): (readonly [string, Instruction])[] {
  const known = new Map<Task, Instruction>(instructions(scene, reader).map(one => [one.task, one]));
  const first = (...tasks: readonly Task[]): Instruction => known.get(tasks.find(task => known.has(task)) as Task) as Instruction;
  const where = place(scene, reader.shuffle(scene.objects)[0]);
  const conversation = [first('count'), first('color'), where][index % 3];
  // Two things are weighed against each other where the scene allows it, else one is looked for.
  const complex = index % 2 === 0 ? first('size', 'position', 'naming', 'choice') : first('position', 'size', 'naming', 'choice');
  return [
    ['conv', conversation],
    ['detail', first('caption')],
    ['complex', complex],
  ];
}

async function load(options: LoadOptions): Promise<QuestionSet> {
  const { seed = 0 } = options;
  const list = new QuestionList('scenes-open', options);
  const scenes = sceneSet('open', seed, SCENES, THINGS);
  const stream = new RandomStream(seed, 'benchmark.open.questions');
  const captions = new RandomStream(seed, 'benchmark.open.captions');
  for (let index = 0; index < SCENES && !list.full; index++) {
    options.signal?.throwIfAborted();
    const scene = await scenes.draw(index);
    const context = contextOfScene(scene, captions, index);
    for (const [category, { question, answer, task }] of ask(scene, index, stream.reader(0, index))) {
      const id = `${index}-${category}`;
      list.add({
        id,
        kind: 'open',
        text: question,
        pictures: [scenes.picture(index)],
        answers: [],
        category,
        facts: { ...context, reference: answer, task, truth: truthOf(scene) },
        where: `scenes-open, question ${id}`,
      });
    }
  }
  return list.finish('scenes-open');
}

/** Open questions about drawn scenes. */
export const scenesOpen: Benchmark = {
  name: 'scenes-open',
  title: 'Scenes-Open',
  summary:
    'Conversation, detail and complex questions about drawn scenes, with captions, boxes and a true answer; a rule judge knows the truth',
  kind: 'open',
  ...SCENE_FACTS,
  size: '90 questions, 3 for each of 30 scenes',
  citation: 'the form of Liu et al., NeurIPS 2023, arXiv 2304.08485',
  scorers: ['scenes-open@rules'],
  prompts: SCENE_PROMPTS,
  maxNewTokens: 48,
  load,
};
