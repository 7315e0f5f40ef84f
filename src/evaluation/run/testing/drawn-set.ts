/** @file A small set of questions about drawn scenes for tests: pictures that are read through counters, so that a test sees what was read. */

import { questions } from '../../../scenes/questions.ts';
import { drawScene, SCENE_DEFAULTS } from '../../../scenes/scene.ts';
import { loadSprites } from '../../../scenes/sprites.ts';
import { RandomStream } from '../../../tensor/random.ts';
import type { Benchmark } from '../../benchmarks/benchmark.ts';
import type { Question, QuestionSet } from '../../benchmarks/question.ts';

/** A benchmark without files. */
export const drawnBenchmark: Benchmark = {
  name: 'drawn',
  title: 'Drawn',
  summary: 'Yes or no about drawn scenes.',
  kind: 'yes-no',
  licence: 'MIT',
  source: 'drawn',
  format: 'none',
  size: 'as asked for',
  citation: '',
  scorers: ['yes-no@strict'],
  prompts: { plain: { source: 'ours', build: (_, words) => ({ text: words }) } },
  referenceSize: 224,
  maxNewTokens: 8,
  load: options => drawnSet(options.limit ?? 12),
};

/** Existence and colour of things in scenes, `perScene` questions each. @param onRead called whenever a picture is read */
export async function drawnSet(count: number, onRead: (id: string) => void = () => {}, perScene = 3): Promise<QuestionSet> {
  const world = await loadSprites();
  const scenes = new RandomStream(11, 'drawn-scenes');
  const asked = new RandomStream(11, 'drawn-questions');
  const all: Question[] = [];
  for (let s = 0; all.length < count; s++) {
    const scene = drawScene(world, { ...SCENE_DEFAULTS, width: 96, height: 96 }, scenes.reader(0, s));
    const picture = {
      id: `scene ${s}`,
      source: `scene ${s}`,
      read: async () => {
        onRead(`scene ${s}`);
        return scene.image;
      },
    };
    for (const [k, { question, answer }] of questions(scene, asked.reader(0, s)).slice(0, perScene).entries())
      all.push({
        id: all.length,
        key: `${s}/${k}`,
        kind: 'short',
        text: question,
        pictures: [picture],
        answers: [answer],
        cluster: picture.id,
        facts: {},
        where: `scene ${s}, question ${k}`,
      });
  }
  return { questions: all.slice(0, count), warnings: [] };
}
