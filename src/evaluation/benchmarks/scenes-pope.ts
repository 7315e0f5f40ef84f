/** @file POPE on the built-in world: random, popular and adversarial absent things by the statistics of the scenes; every answer is known. */
import { CONCEPTS } from '../../scenes/concepts.ts';
import { existence } from '../../scenes/instructions.ts';
import { type RandomReader, RandomStream } from '../../tensor/random.ts';
import type { Benchmark, LoadOptions } from './benchmark.ts';
import { SCENE_PROMPTS } from './loading/prompts.ts';
import { QuestionList } from './loading/question-list.ts';
import { checkSplit } from './loading/split.ts';
import type { QuestionSet } from './question.ts';
import { SCENE_FACTS, sceneSet } from './scenes/world.ts';

const SPLITS = ['random', 'popular', 'adversarial'] as const;
type Split = (typeof SPLITS)[number];
const SCENES = 500;
/** POPE takes pictures with more than three things; a scene has at most four. */
const THINGS = { least: 3, most: 4 };
/** POPE's popular things are the most frequent of the set: one of so many that the scene lacks. */
const POPULAR = 10;

/** How often each concept stands in a scene, and each pair in the same scene. */
interface Statistics {
  readonly frequency: readonly number[];
  /** [concept × concepts] */
  readonly together: Uint16Array;
}

function statisticsOf(things: readonly (readonly number[])[]): Statistics {
  const n = CONCEPTS.length;
  const frequency = new Array<number>(n).fill(0);
  const together = new Uint16Array(n * n);
  for (const scene of things)
    for (const a of scene) {
      frequency[a]++;
      for (const b of scene) if (a !== b) together[a * n + b]++;
    }
  return { frequency, together };
}

/** An absent thing as POPE (section 4) chooses it. @param taken things that the scene shows, or that were asked for already */
function absent(
  split: Split,
  present: readonly number[],
  taken: ReadonlySet<number>,
  { frequency, together }: Statistics,
  reader: RandomReader,
): number {
  // Shuffled before it is sorted: equal things are chosen among by chance.
  const candidates = reader.shuffle(CONCEPTS.map(({ index }) => index)).filter(concept => !taken.has(concept));
  if (split === 'random') return candidates[0];
  const popular = (a: number, b: number): number => frequency[b] - frequency[a];
  if (split === 'popular') return candidates.sort(popular)[reader.integer(POPULAR)];
  const company = (concept: number): number => present.reduce((sum, one) => sum + together[one * CONCEPTS.length + concept], 0);
  const score = new Map(candidates.map(concept => [concept, company(concept)]));
  return candidates.sort((a, b) => (score.get(b) as number) - (score.get(a) as number) || popular(a, b))[0];
}

async function load(options: LoadOptions): Promise<QuestionSet> {
  const { seed = 0, split: wanted } = options;
  checkSplit(scenesPope, SPLITS, wanted);
  const scenes = sceneSet('pope', seed, SCENES, THINGS);
  const statistics = statisticsOf(scenes.things);
  const list = new QuestionList('scenes-pope', options);
  const stream = new RandomStream(seed, 'benchmark.pope.questions');
  for (const [index, present] of scenes.things.entries()) {
    if (list.full) break;
    options.signal?.throwIfAborted();
    const reader = stream.reader(0, index);
    const shown = reader.shuffle(present);
    const taken = new Set(present);
    for (const [k, split] of SPLITS.entries()) {
      // Drawn for all splits, whichever is wanted: a split's questions are the same when it is asked for by itself.
      const no = absent(split, present, taken, statistics, reader);
      taken.add(no);
      if (wanted !== undefined && split !== wanted) continue;
      for (const [concept, shows] of [
        [shown[k], true],
        [no, false],
      ] as const) {
        const { question, answer } = existence(concept, shows);
        const id = `${index}-${split}-${answer}`;
        list.add({
          id,
          kind: 'yes-no',
          text: question,
          pictures: [scenes.picture(index)],
          answers: [answer],
          ...(shows ? { boxes: () => scenes.boxes(index, concept) } : {}),
          split,
          category: split,
          facts: { concept: CONCEPTS[concept].name, objects: present.map(one => CONCEPTS[one].name) },
          where: `scenes-pope, question ${id}`,
        });
      }
    }
  }
  return list.finish('scenes-pope');
}

/** POPE's questions about drawn scenes. */
export const scenesPope: Benchmark = {
  name: 'scenes-pope',
  title: 'Scenes-POPE',
  summary: 'POPE on drawn scenes: asks of things whether they are in the picture; absent ones are random, popular or adversarial',
  kind: 'yes-no',
  ...SCENE_FACTS,
  size: '3 000 questions over 500 scenes, 1 000 each of random, popular and adversarial, half of them yes',
  citation: 'after Li et al., EMNLP 2023, arXiv 2305.10355',
  scorers: ['pope@strict', 'pope@official', 'pope@lmms-eval', 'pope@vlmevalkit'],
  prompts: SCENE_PROMPTS,
  maxNewTokens: 4,
  load,
};
