/** @file The built-in benchmarks as exams: `scenes-pope` in its three splits, `scenes-choice`, `scenes-open` by the judge of rules. */
import type { Question } from '../../../evaluation/benchmarks/question.ts';
import { scenesChoice } from '../../../evaluation/benchmarks/scenes-choice.ts';
import { scenesOpen } from '../../../evaluation/benchmarks/scenes-open.ts';
import { scenesPope } from '../../../evaluation/benchmarks/scenes-pope.ts';
import { scenesOpenRules } from '../../../evaluation/scorers/scenes/rules.ts';
import type { Task } from '../../../scenes/instructions.ts';
import type { Draft, ExamGroup, ExamItem } from './exam.ts';

/** The wording that the shipped models were taught. */
const WORDING = 'scenes@1';

/** Questions of the first scenes as an exam. @param of what is asked, and the answer to it in the scenes' own words */
async function examOf(
  { id, group, scenes = Number.POSITIVE_INFINITY }: { readonly id: string; readonly group: ExamGroup; readonly scenes?: number },
  questions: readonly Question[],
  of: (question: Question) => Omit<ExamItem, 'scene'>,
  images = new Map<string, Uint8Array>(),
): Promise<Draft & { readonly asked: readonly Question[] }> {
  const places = new Map<string, number>();
  for (const { cluster } of questions) if (places.size < scenes && !places.has(cluster)) places.set(cluster, places.size);
  const asked = questions.filter(({ cluster }) => places.has(cluster));
  for (const { cluster, pictures } of asked)
    if (!images.has(cluster)) images.set(cluster, Uint8Array.from((await pictures[0].read()).data));
  return {
    ...{ id, group, asked },
    items: asked.map(question => ({ scene: places.get(question.cluster)!, ...of(question) })),
    images: [...places.keys()].map(cluster => images.get(cluster)!),
  };
}

/** Random, popular and adversarial, of the same scenes. */
export async function popeExams(scenes: number): Promise<Draft[]> {
  const { questions } = await scenesPope.load({});
  const pictures = new Map<string, Uint8Array>();
  const out: Draft[] = [];
  for (const split of ['random', 'popular', 'adversarial']) {
    const { asked: _, ...draft } = await examOf(
      { id: `pope:${split}`, group: 'pope', scenes },
      questions.filter(question => question.split === split),
      ({ text, answers }) => ({ task: 'existence', question: text, answer: answers[0] }),
      pictures,
    );
    // The same list for all splits, so that the pictures are encoded once.
    out.push(out.length > 0 ? { ...draft, images: out[0].images } : draft);
  }
  return out;
}

const CHOICE_TASKS: Readonly<Record<string, Task>> = { object: 'choice', count: 'count', color: 'color', position: 'position' };

/** Of four options, in the wording that the models were taught. */
export async function choiceExam(scenes: number): Promise<Draft> {
  const { questions } = await scenesChoice.load({});
  const { asked: _, ...draft } = await examOf({ id: 'choice', group: 'choice', scenes }, questions, question => ({
    task: CHOICE_TASKS[question.category!],
    question: scenesChoice.prompts[WORDING].build(question, question.text).text,
    answer: question.facts.answer as string,
  }));
  return draft;
}

/** Conversation, detail and complex questions; a description is marked by what it names. */
export async function openExam(): Promise<Draft> {
  const { questions } = await scenesOpen.load({});
  const { asked, ...draft } = await examOf({ id: 'open', group: 'open' }, questions, ({ text, facts }) => ({
    ...{ task: facts.task as Task, question: text, answer: facts.reference as string },
  }));
  return { ...draft, marks: answers => answers.map((answer, i) => scenesOpenRules.read(answer, asked[i]).correct) };
}
