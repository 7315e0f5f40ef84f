/** What holds for every scorer. */
import { describe, expect, it } from 'vitest';
import type { Question } from '../benchmarks/question.ts';
import { benchmarks } from '../benchmarks/registry.ts';
import { findScorer, scorers } from './registry.ts';
import { scoreAnswers } from './score-answers.ts';
import type { ScoredAnswer, Scorer } from './scorer.ts';
import { grouped } from './summaries/groups.ts';

const all = Object.entries(scorers);
const SPLITS = ['random', 'popular'];
const CATEGORIES = ['existence', 'code_reasoning', 'Art'];
const TEXTS: Record<string, string[]> = {
  'yes-no': ['Yes', 'No.', 'yes, it is', 'there is none', ''],
  choice: ['A', 'B.', 'The answer is C. ', 'b', '(A) or (B)', 'none'],
  short: ['8', 'two dogs', 'The answer is 8.', ''],
  open: ['[[A>B]]', 'a dog and a cat', '[[B>>A]]', 'a hot dog', ''],
};

/** Questions of every kind that a scorer takes, two to a cluster, and answers to most of them. */
function example(scorer: Scorer) {
  const questions = Array.from({ length: 48 }, (_, i): Question => {
    const kind = scorer.kinds[i % scorer.kinds.length];
    const answers = { 'yes-no': [i % 2 ? 'yes' : 'no'], choice: ['ABC'[i % 3]], short: ['8'], open: [] }[kind];
    return {
      id: Math.floor(i / 2),
      key: `k${i}`,
      kind,
      text: `Question ${i}?`,
      pictures: [],
      answers,
      ...(kind === 'choice' ? { options: ['a dog', 'a cat', 'a bird'] } : {}),
      category: CATEGORIES[Math.floor(i / 2) % 3],
      split: SPLITS[Math.floor(i / 2) % 2],
      cluster: `c${Math.floor(i / 2)}`,
      facts: {
        objects: ['dog', 'duck'],
        synonyms: { dog: ['dog', 'puppy'], cat: ['cat'], duck: ['duck'] },
        l2_category: ['x', 'y'][i % 2],
        subject: 'natural science',
        grade: `grade${1 + (i % 9)}`,
        topic: 'physics',
        task: 'caption',
        reference: 'a dog and a duck',
        truth: { things: [{ name: 'dog' }, { name: 'duck' }], count: 2, background: 'blue' },
      },
      where: `line ${i}`,
    };
  });
  const missing = questions.filter((_, i) => i % 11 === 5);
  const rows = questions
    .filter(one => !missing.includes(one))
    .map((question, i): ScoredAnswer => {
      const raw = TEXTS[question.kind][i % TEXTS[question.kind].length];
      return { question, raw, stripped: raw, ...scorer.read(raw, question) };
    });
  return { questions, rows, missing: scorer.missing === 'wrong' ? missing : [] };
}

describe.each(all)('%s', (name, scorer) => {
  const { questions, rows, missing } = example(scorer);

  it('stands under its name, with kinds, a source and a primary figure that it gives', () => {
    expect(scorer.name).toBe(name);
    expect(scorer.kinds.length).toBeGreaterThan(0);
    expect(scorer.source).not.toBe('');
    expect(scorer.summary).toMatch(/\.$/);
    expect(Object.keys(scorer.summarise(rows, missing).metrics)).toContain(scorer.primary);
  });

  it('has the same primary figure by sums over clusters as in its summary', () => {
    const tally = scorer.tally(questions);
    const sums = new Float64Array(tally.width);
    for (const { rows: own, missing: lacking } of grouped(rows, missing, question => question.cluster).values()) {
      const cluster = tally.sums(own, lacking);
      expect(cluster).toHaveLength(tally.width);
      for (let j = 0; j < tally.width; j++) sums[j] += cluster[j];
    }
    expect(tally.figure(sums)).toBeCloseTo(scorer.summarise(rows, missing).metrics[scorer.primary], 10);
  });

  it('gives its best figure where all is right, and a worse one where all is wrong', () => {
    const right: Record<string, (question: Question) => string> = {
      'yes-no': ({ answers }) => (answers[0] === 'yes' ? 'Yes' : 'No'),
      choice: ({ answers }) => answers[0],
      short: ({ answers }) => answers[0],
      open: () => (name.startsWith('wildvision') ? '[[B>>A]]' : 'a dog and a duck on a blue background'),
    };
    const wrong: Record<string, (question: Question) => string> = {
      'yes-no': ({ answers }) => (answers[0] === 'yes' ? 'No' : 'Yes'),
      choice: ({ answers }) => (answers[0] === 'A' ? 'B' : 'A'),
      short: () => '9',
      open: () => (name.startsWith('wildvision') ? '[[A>>B]]' : 'a cat'),
    };
    // The pinned lmms-eval cannot be right on open questions; contains needs a truth.
    const asked = questions.filter(
      one => !(name.endsWith('75571cf') && one.kind === 'short') && !(name === 'contains' && one.kind === 'open'),
    );
    const scoreOf = (texts: typeof right): number => {
      const read = asked.map((question): ScoredAnswer => {
        const raw = texts[question.kind](question);
        return { question, raw, stripped: raw, ...scorer.read(raw, question) };
      });
      return scorer.summarise(read, []).metrics[scorer.primary];
    };
    // Two of MME's fourteen categories are asked, and one that is not MME's.
    const best = scorer.best === 2800 ? 600 : scorer.best;
    expect(scoreOf(right)).toBeCloseTo(best, 10);
    const worst = scoreOf(wrong);
    expect(Number.isNaN(worst) || worst < best / 4).toBe(true);
  });
});

describe('finding a scorer', () => {
  const pope = { name: 'pope', scorers: ['pope@official', 'pope@strict'] };
  it('takes full names, variants of the set, or the set’s first', () => {
    expect(findScorer(undefined, pope).name).toBe('pope@official');
    expect(findScorer('strict', pope).name).toBe('pope@strict');
    expect(findScorer('mme@official', pope).name).toBe('mme@official');
  });
  it('names what is near', () => {
    expect(() => findScorer('offical', pope)).toThrow(
      'There is no scorer "offical" for pope, which has pope@official, pope@strict; did you mean official?',
    );
    expect(() => findScorer('zzzzzz', pope)).toThrow('which has pope@official, pope@strict.');
    expect(() => findScorer(undefined, { name: 'llava-bench-coco', scorers: [] })).toThrow('need a judge');
  });
  it('is there for every name that a benchmark lists', () => {
    for (const benchmark of benchmarks) for (const name of benchmark.scorers) expect(scorers, benchmark.name).toHaveProperty([name]);
  });
});

describe('a scorer of another set', () => {
  const open: Question = {
    id: 1,
    key: 'q1',
    kind: 'open',
    text: 'Describe it.',
    pictures: [],
    answers: [],
    cluster: '1',
    facts: {},
    where: 'line 1',
  };
  it.each(['chair', 'scenes-open@rules'])('%s says what it lacks', name => {
    expect(() => scorers[name].read('a dog', open)).toThrow(new RegExp(`^${name} needs .*, which question q1 does not`));
  });
});

describe('scoring', () => {
  const yes = (id: number, more: Partial<Question> = {}): Question => ({
    id,
    key: String(id),
    kind: 'yes-no',
    text: `Is there a thing ${id}?`,
    pictures: [],
    answers: ['no'],
    cluster: String(id),
    facts: {},
    where: `line ${id}`,
    ...more,
  });
  const official = scorers['pope@official'];

  it('says null where nothing is a true positive, instead of dying', () => {
    const { score } = scoreAnswers(
      { name: 'pope' },
      [yes(1), yes(2)],
      [1, 2].map(id => ({ id, text: 'No', where: `line ${id}` })),
      official,
    );
    expect(score.metrics).toMatchObject({ accuracy: 1, precision: Number.NaN, f1: Number.NaN });
    expect(JSON.parse(JSON.stringify(score)).metrics.f1).toBeNull();
    expect(score.warnings.join(' ')).toContain('Not defined, since there is nothing to divide by: precision, recall, f1, mean_f1');
  });

  it('names at most six figures that are not defined', () => {
    const textOf = (count: number) => {
      const metrics = Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i + 1}`, Number.NaN]));
      const scorer = { ...official, summarise: () => ({ metrics: { ...metrics, mean_f1: 1 } }) };
      return scoreAnswers({ name: 'pope' }, [yes(1)], [{ id: 1, text: 'No', where: 'line 1' }], scorer).score.warnings.join(' ');
    };
    const start = 'Not defined, since there is nothing to divide by: f1, f2, f3, f4, f5, f6';
    expect([0, 1, 5, 6, 7].map(textOf)).toEqual([
      '',
      'Not defined, since there is nothing to divide by: f1; null stands there.',
      `${start.slice(0, -4)}; null stands there.`,
      `${start}; null stands there.`,
      `${start} and others; null stands there.`,
    ]);
  });

  it('takes thinking away and keeps what was raw, what was read and what was made of it', () => {
    const answers = [
      { id: 1, text: '<think>yes?</think>\nNo', where: 'line 1' },
      { id: 2, text: '<think>yes', where: 'line 2' },
      { id: 3, text: '', where: 'line 3' },
      { id: 4, text: '<think>no', where: 'line 4' },
    ];
    const { score, rows } = scoreAnswers({ name: 'pope' }, [yes(1), yes(2), yes(3), yes(4)], answers, scorers['pope@strict']);
    expect(rows.map(({ raw, stripped, value, correct }) => [raw, stripped, value, correct])).toEqual([
      ['<think>yes?</think>\nNo', 'No', 'no', 1],
      ['<think>yes', '', null, 0],
      ['', '', null, 0],
      ['<think>no', '', null, 0],
    ]);
    expect(score.warnings.join(' ')).toMatch(
      /3 answers held <think>…<\/think>, which was taken away \(2 of them never came to an answer\)/,
    );
  });

  it('counts a question without an answer as the scorer says, and says so', () => {
    const answers = [{ id: 1, text: 'No', where: 'line 1' }];
    const by = (name: string) => scoreAnswers({ name: 'pope' }, [yes(1), yes(2)], answers, scorers[name]).score;
    expect(by('pope@official')).toMatchObject({ n: 1, missing: 1, metrics: { accuracy: 1 } });
    expect(by('pope@strict')).toMatchObject({ n: 2, missing: 1, metrics: { accuracy: 0.5 } });
    expect(by('pope@strict').warnings[0]).toBe('1 question without an answer (2): counted as wrong, as pope@strict has it.');
    const asked = [1, 2, 3, 4, 5].map(id => yes(id));
    const lacking = (count: number) => scoreAnswers({ name: 'pope' }, asked.slice(0, count), answers, official).score.warnings[0];
    expect(lacking(4)).toBe('3 questions without an answer (2, 3, 4): left out, as pope@official has it.');
    expect(lacking(5)).toBe('4 questions without an answer (2, 3, 4, …): left out, as pope@official has it.');
  });

  it('leaves questions without a right answer out, and refuses a set of them, another kind, and questions given as answers', () => {
    const answers = [1, 2].map(id => ({ id, text: 'No', where: `line ${id}` }));
    const { score } = scoreAnswers({ name: 'pope' }, [yes(1), yes(2, { answers: [] })], answers, official);
    expect(score).toMatchObject({ n: 1, warnings: [expect.stringContaining('1 question without a right answer'), expect.anything()] });
    expect(() => scoreAnswers({ name: 'pope' }, [yes(1, { answers: [] })], answers.slice(0, 1), official)).toThrow(
      'nothing to score against',
    );
    expect(() => scoreAnswers({ name: 'pope' }, [yes(1)], [], scorers['choice@strict'])).toThrow(
      'choice@strict scores answers of kind choice',
    );
    const questions = [{ id: 1, text: 'Is there a thing 1?\nAnswer yes or no.', where: 'line 1' }];
    expect(() => scoreAnswers({ name: 'pope' }, [yes(1)], questions, official)).toThrow('The answers are the questions themselves');
  });

  it('has the same interval for the same seed, another for another, clustered by picture', () => {
    const questions = Array.from({ length: 40 }, (_, i) => yes(i, { answers: [i % 2 ? 'yes' : 'no'], cluster: String(i >> 1) }));
    const answers = questions.map(({ id, where }, i) => ({ id, where, text: i % 3 ? 'No' : 'Yes' }));
    const by = (seed: number) => scoreAnswers({ name: 'pope' }, questions, answers, scorers['pope@strict'], { seed }).score.interval;
    expect(by(1)).toEqual(by(1));
    expect(by(1)).not.toEqual(by(2));
    expect(by(1)).toMatchObject({ metric: 'mean_f1', clusters: 20 });
  });
});
