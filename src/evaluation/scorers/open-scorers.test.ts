/** Scorers of descriptions, verdicts, turned options and short answers, on cases that are known by hand. */
import { describe, expect, it } from 'vitest';
import { CONCEPTS } from '../../scenes/concepts.ts';
import type { Question } from '../benchmarks/question.ts';
import { scenesOpen } from '../benchmarks/scenes-open.ts';
import { Mentions } from './chair/mentions.ts';
import { scorers } from './registry.ts';
import { claimsOf } from './scenes/claims.ts';
import { scoreAnswers } from './score-answers.ts';
import { wildvisionBoard } from './wildvision/official.ts';

const question = (more: Partial<Question>): Question => ({
  id: 1,
  key: '1',
  kind: 'short',
  text: 'What?',
  pictures: [],
  answers: [],
  cluster: '1',
  facts: {},
  where: 'line 1',
  ...more,
});
const read = (name: string, answer: string, more: Partial<Question>) => scorers[name].read(answer, question(more));
const answered = (questions: readonly Question[], texts: readonly string[], name: string) =>
  scoreAnswers(
    { name: 'x' },
    questions,
    questions.map(({ key, where }, i) => ({ id: key, where, text: texts[i] })),
    scorers[name],
  ).score;

describe('short answers', () => {
  it.each([
    ['The Dog.', ['a dog'], 1],
    ['two', ['2'], 1],
    ['1,234', ['1234.0'], 1],
    ["it isn't", ['it isnt'], 1],
    ['dogs', ['dog'], 0],
    ['', [''], 0],
    ['no hepatitis', ['hepatitis'], 0],
  ])('exact@normalised: %j against %j is %d', (answer, answers, expected) =>
    expect(read('exact@normalised', answer, { answers }).correct).toBe(expected),
  );

  it('contains wants whole words', () => {
    expect(read('contains', 'It is a big dog.', { answers: ['Dog'] }).correct).toBe(1);
    expect(read('contains', 'excellent', { answers: ['cell'] }).correct).toBe(0);
  });

  it('soft accuracy averages over leaving one person out', () => {
    const answers = (same: number): string[] => [
      ...Array.from({ length: same }, () => 'stop'),
      ...Array.from({ length: 10 - same }, (_, i) => `x${i}`),
    ];
    const marks = [0, 1, 2, 3, 4, 10].map(same => read('exact@vqa-soft', 'STOP', { answers: answers(same) }).correct);
    // Of 10 people, k agree: (k min((k-1)/3, 1) + (10-k) min(k/3, 1)) / 10.
    expect(marks.map(mark => Math.round(mark * 1e6) / 1e6)).toEqual([0, 0.3, 0.6, 0.9, 1, 1]);
    expect(read('exact@vqa-soft', 'stop', { answers: ['go', 'stop'] }).correct).toBe(1);
  });
});

describe('yes or no, strictly', () => {
  it('takes what it cannot read for a miss, never for a yes', () => {
    const questions = ['yes', 'yes', 'no', 'no'].map((right, i) =>
      question({ id: i, key: `q${i}`, kind: 'yes-no', answers: [right], cluster: `q${i}` }),
    );
    const { metrics } = answered(questions, ['Yes', 'A dog.', 'A cat.', 'Yes'], 'yes-no@strict');
    expect(metrics).toEqual({ accuracy: 1 / 4, precision: 1 / 2, recall: 1 / 2, f1: 1 / 2, yes_ratio: 1 / 2, unread: 1 / 2 });
  });

  it('pope@vlmevalkit takes what it cannot read for neither, in every figure', () => {
    const given = { yes: ['Yes', 'Yes', 'Yes', 'No', 'A dog.', 'A cat.'], no: ['Yes', 'No', 'No', 'A cat.', 'A cup.', 'A cup.', 'No'] };
    const asked = Object.entries(given).flatMap(([right, texts]) => texts.map(text => ({ right, text })));
    const questions = asked.map(({ right }, i) => question({ id: i, key: `q${i}`, kind: 'yes-no', answers: [right], cluster: `q${i}` }));
    const { metrics } = answered(
      questions,
      asked.map(({ text }) => text),
      'pope@vlmevalkit',
    );
    // 3 of 6 yes and 3 of 7 no are right; 4 of 13 are answered with yes, of which 3 rightly.
    const wanted = { accuracy: 600 / 13, precision: 75, recall: 50, f1: 60, yes_ratio: 400 / 13 };
    for (const [name, value] of Object.entries(wanted)) expect(metrics[name], name).toBeCloseTo(value, 10);
    const never = answered([question({ kind: 'yes-no', answers: ['no'] })], ['No'], 'pope@vlmevalkit').metrics;
    expect(never).toMatchObject({ accuracy: 100, precision: 0, recall: 0, f1: 0 });
  });
});

describe('MME', () => {
  const asked = (category: string, picture: string, right: string): Question =>
    question({ id: picture, key: `${picture}: ${right}`, kind: 'yes-no', text: right, answers: [right], category, cluster: picture });
  const pair = (category: string, picture: string): Question[] => ['yes', 'no'].map(right => asked(category, picture, right));

  it('counts a picture as right only where both of its questions were answered, and rightly', () => {
    const questions = [...pair('existence', 'a'), ...pair('existence', 'b')];
    const answers = questions.slice(0, 3).map(({ key, answers: [right], where }) => ({ id: key, where, text: right }));
    const { score } = scoreAnswers({ name: 'mme' }, questions, answers, scorers['mme@official']);
    // 3 of 4 questions, 1 of 2 pictures.
    expect(score.metrics).toMatchObject({ perception: 125, total: 125, cognition: Number.NaN });
  });

  it('lets the drawn categories stand for one that a resample lacks', () => {
    const questions = [...pair('existence', 'a'), ...pair('code_reasoning', 'b')];
    const tally = scorers['mme@official'].tally(questions);
    const rows = pair('existence', 'a').map(one => ({ question: one, raw: '', stripped: '', value: one.answers[0], correct: 1 }));
    expect(tally.figure(tally.sums(rows, []))).toBe(400);
  });

  it('says which pictures are no pairs', () => {
    const { warnings } = answered([asked('existence', 'a', 'yes')], ['yes'], 'mme@official');
    expect(warnings.join(' ')).toContain("1 of MME's pictures do not have two questions");
  });
});

describe('strict choice', () => {
  const options = ['a dog', 'a cat', 'The answer', 'a bird'];
  it.each([
    ['B', 'B'],
    [' (b) ', 'B'],
    ['**B**', 'B'],
    ['B. a cat', 'B'],
    ['A cat.', 'B'],
    ['The answer is **B**.', 'B'],
    ['the answer is b', 'B'],
    ['I first thought A, but the answer is D.', 'D'],
    ['A is wrong. \\boxed{D}', 'D'],
    ['<answer>C</answer>', 'C'],
    ['B\nbecause of the tail', 'B'],
    ['It must be (D), I think', 'D'],
    ['Ｂ', 'B'],
    ['A or B', null],
    ['(A) and (B)', null],
    ['The answer is A or B', null],
    ['E', null],
    ['A dog sits on a cat', null],
    ['The answer is a mystery', null],
    ['', null],
    ['dog', 'A'],
    ['dogs', null],
  ])('%j names %j', (answer, letter) =>
    expect(read('choice@strict', answer, { kind: 'choice', options, answers: ['A'] }).value).toBe(letter),
  );
});

describe('CHAIR', () => {
  const synonyms = { person: ['person', 'man', 'woman'], dog: ['dog', 'puppy'], 'hot dog': ['hot dog'], cup: ['cup'], knife: ['knife'] };
  const facts = { synonyms, objects: ['person', 'dog'] };

  it('reads names, plurals and longer names first', () => {
    expect(new Mentions(synonyms).in('Two men? A woman with puppies, a HOT DOG and knives; dogs.')).toEqual([
      'person',
      'dog',
      'hot dog',
      'knife',
      'dog',
    ]);
  });

  it('counts mentions, descriptions with an invention, and what is there and named', () => {
    const questions = [1, 2].map(id => question({ id, key: String(id), kind: 'open', cluster: String(id), facts }));
    const { metrics } = answered(questions, ['A man and a cup, and a dog near the cup.', 'A woman.'], 'chair');
    expect(metrics).toMatchObject({ chair_i: 2 / 5, chair_s: 1 / 2, faithful: 1 / 2, recall: 3 / 4 });
  });
});

describe('MMBench', () => {
  const turns = (of: number, right: readonly string[]): Question[] =>
    right.map((letter, turn) =>
      question({
        id: of + 1e6 * turn,
        key: String(of + 1e6 * turn),
        kind: 'choice',
        options: ['x', 'y'],
        answers: [letter],
        cluster: String(of),
        facts: { circular: { of, turn } },
      }),
    );

  it('counts a question where it is right under every turn', () => {
    const questions = [...turns(7, ['A', 'B']), ...turns(8, ['B', 'A'])];
    const { metrics } = answered(questions, ['A', 'B', 'B', 'B'], 'mmbench@circular');
    expect(metrics).toEqual({ accuracy: 0.5, vanilla: 0.75, n: 2, turns: 4 });
  });

  it('says that one turn is no circular evaluation', () => {
    expect(answered(turns(7, ['A']), ['A'], 'mmbench@circular').warnings[0]).toContain('plain accuracy');
  });
});

describe('WildVision', () => {
  it('has the closed form of the score, and takes an unclear verdict for a tie in the rates only', () => {
    const board = wildvisionBoard({ 'much better': 10, better: 20, tie: 4, worse: 30, 'much worse': 30, unclear: 6 });
    // (3·10 + 20 + 2) / (3·40 + 50 + 4)
    expect(board.score).toBeCloseTo((100 * 52) / 174, 12);
    expect(board).toMatchObject({ win_rate: 0.3, win_or_tie_rate: 0.4, reward: -25, unclear: 6, much_worse: 30 });
    expect(board.elo).toBeCloseTo(1000 + 400 * Math.log10(52 / 122), 10);
  });

  it('is equal to a logistic regression of the battles', () => {
    // One parameter, weights of double verdicts 3: the root of the likelihood's derivative by bisection.
    const [wins, losses] = [3 * 5 + 7 + 1.5, 3 * 2 + 6 + 1.5];
    let [low, high] = [-10, 10];
    for (let i = 0; i < 100; i++) {
      const middle = (low + high) / 2;
      const p = 1 / (1 + Math.exp(-middle));
      if (wins * (1 - p) - losses * p > 0) low = middle;
      else high = middle;
    }
    const { score } = wildvisionBoard({ 'much better': 5, better: 7, tie: 3, worse: 6, 'much worse': 2, unclear: 0 });
    expect(score).toBeCloseTo(100 / (1 + Math.exp(-low)), 8);
  });

  it('reads judgements and bare verdicts', () => {
    const questions = [1, 2, 3].map(id => question({ id, key: String(id), kind: 'open', cluster: String(id) }));
    const { metrics } = answered(questions, ['So: [[B>>A]]', 'A>B', '[[A>B]] no, [[B>A]]'], 'wildvision@official');
    expect(metrics).toMatchObject({ much_better: 1, worse: 1, unclear: 1, score: 75 });
  });
});

describe('the rule judge of drawn scenes', () => {
  const truth = {
    things: [
      { name: 'dog', place: 'top left', box: [0, 0, 0.2, 0.2], area: 0.04 },
      { name: 'red apple', place: 'bottom right', box: [0.6, 0.6, 1, 1], area: 0.16 },
    ],
    count: 2,
    background: 'blue',
  };
  const mark = (task: string, reference: string, answer: string) =>
    read('scenes-open@rules', answer, { kind: 'open', facts: { truth, task, reference } });

  it.each([
    ['count', 'two', 'There are 2 things.', 1],
    ['count', 'two', 'three', 0],
    ['color', 'blue', 'The background is blue, with a red apple', 1],
    ['color', 'blue', 'blue or red', 0],
    ['position', 'top left', 'in the upper left corner', 1],
    ['position', 'top left', 'top right', 0.5],
    ['position', 'top left', 'left or right', 0],
    ['position', 'left of', 'the dog is left of the red apple', 1],
    ['position', 'above', 'below', 0],
    ['size', 'the red apple', 'The red apple is larger than the dog', 1],
    ['size', 'the red apple', 'the dog', 0],
    ['naming', 'dog', 'a dog', 1],
    ['naming', 'dog', 'a cat', 0],
    ['caption', 'a dog and a red apple on a blue background', 'a dog and a red apple on a blue background', 1],
    // Two right of three; one invented: 2·2 / (3 + 3).
    ['caption', '', 'a dog and a cat on a blue background', 2 / 3],
    ['caption', '', 'nothing', 0],
  ])('%s (%s): %j is %d', (task, reference, answer, expected) => expect(mark(task, reference, answer).correct).toBeCloseTo(expected, 12));

  it('counts names right, missed and invented', () => {
    expect(mark('caption', '', 'a dog and a cat on a red background').parts).toEqual({
      things: 2,
      named: 1,
      missed: 1,
      said: 2,
      invented: 1,
    });
  });

  it('reads every name of the built-in world', () => {
    expect(CONCEPTS.filter(({ name }) => claimsOf(`there is ${name} here`).things.join() !== name)).toEqual([]);
  });

  it('gives the true answers full marks', async () => {
    const { questions } = await scenesOpen.load({ seed: 1 });
    const { metrics, byCategory } = answered(
      questions,
      questions.map(one => String(one.facts.reference)),
      'scenes-open@rules',
    );
    expect(metrics).toMatchObject({ mark: 1, names_right: 1, missed: 0, invented: 0, unread: 0, counts: 1, places: 1, colours: 1 });
    expect(Object.keys(byCategory)).toEqual(['conv', 'detail', 'complex']);
    const blank = answered(
      questions,
      questions.map(() => 'I cannot say.'),
      'scenes-open@rules',
    );
    expect(blank.metrics).toMatchObject({ mark: 0, unread: 1 });
  });
});
