/** `narrows evaluate --answers` on folders whose figures official programs made: what is printed is what they say. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Score } from '../../evaluation/scorers/score.ts';
import { explain } from '../errors.ts';
import { runProgram } from '../program.ts';

const FOLDERS = fileURLToPath(new URL('../../evaluation/scorers/testdata/folders/', import.meta.url));
const folder = (...parts: string[]): string => join(FOLDERS, ...parts);
const expected = async (name: string) => JSON.parse(await readFile(folder(name, 'expected.json'), 'utf8'));

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-score-'));
});
afterAll(() => rm(root, { recursive: true }));
afterEach(() => void vi.restoreAllMocks());

/** Standard output of a call; notes on stderr are kept from the terminal. */
async function output(...args: string[]): Promise<string> {
  let text = '';
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  vi.spyOn(process.stdout, 'write').mockImplementation(chunk => {
    text += String(chunk);
    return true;
  });
  await runProgram(['evaluate', ...args], new AbortController().signal);
  vi.restoreAllMocks();
  return text;
}
const score = async (...args: string[]): Promise<Score> => JSON.parse(await output('--json', ...args));
const refusal = async (...args: string[]): Promise<string | undefined> => {
  try {
    await output(...args);
    return undefined;
  } catch (error) {
    return explain(error).text;
  }
};
const pope = (answers: string, ...args: string[]) => [
  '--benchmark',
  'pope',
  '--data',
  folder('pope'),
  '--answers',
  folder('pope', 'answers', answers),
  ...args,
];

/** Every number of `wanted` is in `given` under the same key. */
function contains(given: object, wanted: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(wanted)) {
    const found = (given as Record<string, unknown>)[key];
    if (typeof value === 'number') expect(found, key).toBeCloseTo(value, 10);
    else if (typeof value === 'object' && value !== null) contains(found as object, value as Record<string, unknown>);
  }
}

describe('POPE', () => {
  it.each(['plain', 'odd'])('%s, by three programs', async name => {
    const { llava, lmms_eval, vlmevalkit_percent } = (await expected('pope')).expected[name];
    const { vittle_pooled, mean_f1, ...splits } = llava;
    const official = await score(...pope(`${name}.jsonl`, '--scorer', 'official'));
    expect(official).toMatchObject({ benchmark: 'pope', scorer: 'pope@official', n: 360, missing: 0, warnings: [] });
    contains(official.metrics, { ...vittle_pooled, mean_f1 });
    contains(official.bySplit as object, splits);
    const { all, ...lmms } = lmms_eval;
    const byLmms = await score(...pope(`${name}.jsonl`, '--scorer', 'lmms-eval'));
    contains(byLmms.metrics, all);
    contains(byLmms.bySplit as object, lmms);
    const { Overall, ...percent } = vlmevalkit_percent;
    const byVlm = await score(...pope(`${name}.jsonl`, '--scorer', 'vlmevalkit'));
    contains(byVlm.metrics, Overall);
    contains(byVlm.bySplit as object, percent);
  });

  it('with answers missing and shuffled, by key and by position', async () => {
    const { missing, missing_shuffled } = (await expected('pope')).expected;
    for (const name of ['missing', 'missing_shuffled']) {
      const byKey = await score(...pope(`${name}.jsonl`));
      expect(byKey).toMatchObject({ n: 353, missing: 7, duplicates: 0, unknown: 0 });
      expect(byKey.warnings).toEqual([expect.stringMatching(/^7 questions without an answer .*left out/)]);
      contains(byKey.bySplit?.random as object, missing.by_key);
      contains(byKey.bySplit as object, missing_shuffled.by_key);
    }
    const key = 'by_position_as_the_official_script_does_WRONG';
    const byPosition = await score(...pope('missing.jsonl', '--join', 'position'));
    contains(byPosition.bySplit?.random as object, missing[key]);
    expect(byPosition.warnings.join(' ')).toContain('These figures are wrong');
    contains((await score(...pope('missing_shuffled.jsonl', '--join', 'position'))).bySplit as object, missing_shuffled[key]);
  });
});

describe('MME', () => {
  it.each(['plain', 'odd'])('%s, from LLaVA’s file and from the tool’s folder', async name => {
    const { official, lmms_eval, vlmevalkit, accuracy_percent } = (await expected('mme')).expected[name];
    for (const answers of [folder('mme', 'answers', `${name}.jsonl`), folder('mme', 'eval_tool', name)]) {
      const by = (scorer: string) => score('--benchmark', 'mme', '--data', folder('mme'), '--answers', answers, '--scorer', scorer);
      const { by_category, ...whole } = official;
      const own = await by('official');
      expect(own).toMatchObject({ n: 112, missing: 0, unknown: 0 });
      contains(own.metrics, whole);
      const scores = (given: Score): Record<string, number> =>
        Object.fromEntries(Object.entries(given.byCategory).map(([category, figures]) => [category, figures.score]));
      contains(scores(own), by_category);
      contains((await by('lmms-eval')).metrics, lmms_eval);
      const { perception, reasoning, ...categories } = vlmevalkit;
      const byVlm = await by('vlmevalkit');
      contains(byVlm.metrics, { perception, reasoning, cognition: reasoning });
      contains(scores(byVlm), categories);
      const { all, ...each } = accuracy_percent;
      const plain = await by('accuracy');
      expect(plain.metrics.accuracy).toBeCloseTo(all, 10);
      for (const [category, accuracy] of Object.entries(each))
        expect(plain.byCategory[category].accuracy).toBeCloseTo(accuracy as number, 10);
    }
  });
});

describe('MMMU', () => {
  it('from its folder of outputs, which are questions and answers at once', async () => {
    const wanted = await expected('mmmu');
    const { overall, num, guessed, overall_with_expected_luck } = wanted;
    const args = ['--benchmark', 'mmmu', '--data', folder('mmmu'), '--answers', folder('mmmu')];
    const own = await score(...args, '--scorer', 'official', '--output', join(root, 'mmmu'));
    contains(own.metrics, { overall, num, guessed, overall_with_expected_luck });
    contains(own.byCategory, { ...wanted.by_domain, ...wanted.by_subject });
    const rows = (await readFile(join(root, 'mmmu', 'answers.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    for (const { question_id, parsed, correct, guessed: guess } of rows) {
      const { correct: right, parsed: read } = wanted.answers[question_id];
      expect([question_id, correct === 1]).toEqual([question_id, right]);
      if (read !== undefined) expect(guess ? 'random' : parsed).toBe(read);
    }
    expect(JSON.parse(await readFile(join(root, 'mmmu', 'score.json'), 'utf8'))).toEqual(own);
  });
});

describe('MMStar', () => {
  it('by its program and by lmms-eval', async () => {
    const { official, lmms_eval } = await expected('mmstar');
    const { by_category, by_l2, ...whole } = official;
    const by = (scorer: string) =>
      score('--benchmark', 'mmstar', '--data', folder('mmstar'), '--answers', folder('mmstar', 'predictions.jsonl'), '--scorer', scorer);
    const own = await by('official');
    contains(own.metrics, whole);
    contains(own.byCategory, by_category);
    for (const [second, accuracy] of Object.entries(by_l2)) expect(own.byCategory[second].accuracy).toBeCloseTo(accuracy as number, 10);
    contains((await by('lmms-eval')).metrics, lmms_eval);
  });
});

describe('ScienceQA', () => {
  it('by LLaVA, by its own table and by lmms-eval', async () => {
    const { llava, scienceqa_by_group, lmms_eval, unanswered } = await expected('scienceqa');
    const by = (scorer: string, ...more: string[]) =>
      score(
        '--benchmark',
        'scienceqa',
        '--data',
        folder('scienceqa'),
        '--answers',
        folder('scienceqa', 'answers.jsonl'),
        '--scorer',
        scorer,
        ...more,
      );
    const { answers, predicted_index: _, line: __, ...figures } = llava;
    const own = await by('official', '--output', join(root, 'scienceqa'));
    expect(own).toMatchObject({ n: 88, missing: 1 });
    contains(own.metrics, figures);
    const rows = (await readFile(join(root, 'scienceqa', 'answers.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(rows.length).toBe(87);
    for (const { question_id, parsed, correct } of rows)
      expect([question_id, parsed ?? 'FAILED', correct === 1]).toEqual([
        question_id,
        answers[question_id].parsed,
        answers[question_id].correct,
      ]);
    expect(own.warnings[0]).toContain(`without an answer (${unanswered})`);
    const groups = await by('scienceqa');
    // Its script prints two decimals, the even one of two.
    for (const [group, accuracy] of Object.entries(scienceqa_by_group))
      expect(Math.abs(groups.metrics[group] - (accuracy as number))).toBeLessThan(0.00501);
    const byLmms = await by('lmms-eval', '--output', join(root, 'lmms'));
    expect(byLmms.metrics.accuracy).toBeCloseTo(lmms_eval.accuracy, 10);
    const right = (await readFile(join(root, 'lmms', 'answers.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(
      right
        .filter(row => row.correct === 1)
        .map(row => row.question_id)
        .sort(),
    ).toEqual(lmms_eval.correct);
  });
});

describe('forms of answers', () => {
  const QUESTIONS = ['Is there a dog?', 'Is there a cat?'];
  const set = async (): Promise<string[]> => {
    const file = join(root, 'own.jsonl');
    await writeFile(
      file,
      QUESTIONS.map((question, id) => JSON.stringify({ id, question, answer: id ? 'no' : 'yes', kind: 'yes-no' })).join('\n'),
    );
    return ['--benchmark', 'generic', '--data', file, '--scorer', 'yes-no@strict'];
  };
  it.each([
    ['a.csv', 'id,answer\n1,No\n0,Yes\n'],
    ['a.tsv', 'index\tquestion\tanswer\tprediction\n0\tIs there a dog?\tno\tYes\n1\tIs there a cat?\tyes\tNo\n'],
    ['a.json', '{"0": "Yes", "1": "no"}'],
    ['b.json', '[{"id": 0, "response": "Yes"}, {"id": 1, "response": "No"}]'],
    [
      'a.jsonl',
      [0, 1]
        .map(i =>
          JSON.stringify({
            doc_id: i,
            doc: { id: i, question: QUESTIONS[i] },
            input: QUESTIONS[i],
            resps: [['x']],
            filtered_resps: [['Yes', 'No'][i]],
          }),
        )
        .join('\n'),
    ],
    [
      'b.jsonl',
      [0, 1].map(i => JSON.stringify({ question_id: i, prompt: QUESTIONS[i], text: ['Yes', 'No'][i], model_id: 'm' })).join('\n'),
    ],
  ])('%s', async (name, content) => {
    const file = join(root, name);
    await writeFile(file, content);
    expect(await score(...(await set()), '--answers', file)).toMatchObject({ n: 2, missing: 0, metrics: { accuracy: 1 } });
  });

  it.each([
    ['no-id.jsonl', '{"text": "Yes"}', /no-id.jsonl, line 1: the row has no id \(question_id, .*its keys are text/],
    ['no-answer.jsonl', '{"id": 0, "label": "yes"}', /line 1: the row has no answer \(prediction, .*its keys are id, label/],
    ['broken.jsonl', '{"id": 0, "text": "Yes"', /broken.jsonl is not valid JSON/],
    ['empty.jsonl', '', /empty.jsonl is empty/],
    [
      'other.jsonl',
      '{"id": 0, "prompt": "Is there a horse?", "text": "Yes"}',
      /answers "Is there a horse\?", but question 0 .* is "Is there a dog\?".*another version/,
    ],
  ])('%s is refused in a sentence', async (name, content, sentence) => {
    const file = join(root, name);
    await writeFile(file, content);
    expect(await refusal(...(await set()), '--answers', file)).toMatch(sentence);
  });

  it('takes a null answer for an empty one', async () => {
    const file = join(root, 'null.jsonl');
    await writeFile(file, '{"id": 0, "text": null}\n{"id": 1, "text": "no"}');
    expect(await score(...(await set()), '--answers', file)).toMatchObject({ n: 2, metrics: { accuracy: 0.5 } });
  });
});

describe('the command', () => {
  it('prints a table with the interval, and scorers side by side', async () => {
    const table = await output(...pope('odd.jsonl'));
    expect(table).toContain('POPE by pope@official: 360 questions count');
    expect(table).toMatch(/mean_f1 0\.8035, 95 % interval 0\.7702 to 0\.8327 \(20 independent pictures\)/);
    expect(table).toMatch(/adversarial +0\.8167 +0\.8276 +0\.8000 +0\.8136/);
    const all = await output(...pope('odd.jsonl', '--scorer', 'all'));
    expect(all).toMatch(/pope@official +pope@lmms-eval +pope@vlmevalkit +pope@strict/);
    expect(all).toMatch(/its value +0\.8035 +0\.8837 +86\.14 +0\.8610/);
  });

  it('refuses what has no place next to answers, and names what is near', async () => {
    expect(await refusal(...pope('odd.jsonl', '--shifts', 'fog:3'))).toContain('--shifts is for asking a model');
    expect(await refusal(...pope('odd.jsonl', '--max-new-tokens', '5'))).toContain('--max-new-tokens is for asking a model');
    expect(await refusal('--benchmark', 'pope', '--join', 'position')).toContain('add --answers FILE');
    expect(await refusal(...pope('odd.jsonl', '--scorer', 'oficial'))).toContain('did you mean official?');
    expect(await refusal('--benchmark', 'popo', '--answers', 'x')).toContain('did you mean pope?');
    expect(await refusal('--benchmark', 'pope,mme', '--answers', 'x')).toContain('belong to one set');
    expect(await refusal('--answers', 'x')).toContain('Add --benchmark NAME');
    expect(await refusal(...pope('none.jsonl'))).toMatch(/none\.jsonl/);
    const questions = ['--benchmark', 'pope', '--data', folder('pope'), '--answers', folder('pope', 'llava_pope_test.jsonl')];
    expect(await refusal(...questions)).toContain('The answers are the questions themselves');
  });
});
