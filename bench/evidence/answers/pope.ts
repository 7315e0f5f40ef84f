/** @file Does grounding foretell invented things? Every answer "yes" to scenes-pope, right or invented, with the grounding of its maps. */
import { AnswerAttributor } from '../../../src/attribution/answers/answer-attributor.ts';
import type { MethodEntry } from '../../../src/attribution/method.ts';
import { findMethod } from '../../../src/attribution/registry.ts';
import { groundingOf } from '../../../src/evaluation/answers/grounding.ts';
import type { Question } from '../../../src/evaluation/benchmarks/question.ts';
import { sceneSet } from '../../../src/evaluation/benchmarks/scenes/world.ts';
import { scenesPope } from '../../../src/evaluation/benchmarks/scenes-pope.ts';
import type { Scene } from '../../../src/scenes/scene.ts';
import { NOISY } from './maps.ts';
import { type Figures, kept, type Study, VALUES } from './study.ts';

/** Figures of a map without any knowledge of the scene. */
export const PREDICTORS = ['image', 'imageShare', 'peak', 'concentration'] as const;
/** Methods whose grounding is held against the model's own probability. */
export const AUDITORS = [
  { name: 'm2ib', method: 'm2ib', options: { layer: -1, beta: 10, ...NOISY } },
  { name: 'saliency', method: 'saliency', options: {} },
  { name: 'chefer', method: 'chefer', options: {} },
  { name: 'random', method: 'random', options: {} },
] as const;

/** A question that was answered with yes. */
export interface Said {
  readonly question: Question;
  readonly right: boolean;
  readonly logProbability: number;
}

/**
 * Questions of scenes-pope over so many scenes. About things that are there only a third of the scenes is asked: nearly all of them are
 * answered with yes, and few right answers are needed for each invented one.
 */
export async function popeQuestions(study: Study, scenes: number): Promise<Question[]> {
  const { questions } = await scenesPope.load({ seed: study.seed });
  return questions.slice(0, 6 * scenes).filter((question, i) => question.answers[0] === 'no' || Math.floor(i / 6) % 3 === 0);
}

/** Asks one question. */
export const askPope = (study: Study, question: Question): Promise<Figures> =>
  study.cell(['said', String(question.id)], async () => study.margin({ image: await question.pictures[0].read(), text: question.text }));

/** Those that were asked and answered with yes: every invented one with `each` right ones behind it, as long as there are some. */
export function saidYes(study: Study, questions: readonly Question[], each: number): Said[] {
  const all = questions.flatMap((question): Said[] => {
    const known = study.done(['said', String(question.id)]);
    if (!known || !(Number(known.margin) > 0)) return [];
    return [{ question, right: question.answers[0] === 'yes', logProbability: Number(known.yes) }];
  });
  const [invented, right] = [all.filter(one => !one.right), all.filter(one => one.right)];
  return invented.flatMap((one, i) => [one, ...right.slice(i * each, (i + 1) * each)]);
}

/** Computes the grounding of answers. */
export class PopeJudge {
  private readonly attributors: readonly AnswerAttributor[];
  private readonly set;

  constructor(private readonly study: Study) {
    this.attributors = AUDITORS.map(
      ({ method, options }) => new AnswerAttributor(findMethod(method) as MethodEntry, study.chat, { ...options }),
    );
    this.set = sceneSet('pope', study.seed, 500, { least: 3, most: 4 });
  }

  async judge({ question }: Said): Promise<void> {
    let scene: Scene | undefined;
    for (const [i, { name }] of AUDITORS.entries())
      await this.study.cell(['grounding', String(question.id), name], async () => {
        scene ??= await this.set.draw(Number(String(question.id).split('-')[0]));
        const result = await this.attributors[i].attribute({ image: scene.image, text: question.text }, { ...VALUES, seed: 0 });
        const figures = groundingOf(result);
        const each = scene.objects.map(({ name: thing, box }) => ({
          ...{ name: thing },
          ...groundingOf(result, [box.left, box.top, box.width, box.height]),
        }));
        const best = each.reduce((a, b) => ((a.thing ?? 0) > (b.thing ?? 0) ? a : b));
        const asked = each.find(one => one.name === question.facts.concept);
        return {
          ...Object.fromEntries(PREDICTORS.map(key => [key, kept(figures[key])])),
          ...{ strongest: kept(best.thing), strongestShare: kept(best.thingShare) },
          ...(asked ? { asked: kept(asked.thing), askedShare: kept(asked.thingShare) } : {}),
        };
      });
  }

  async release(): Promise<void> {
    for (const attributor of this.attributors) await attributor.release();
  }
}
