import { describe, expect, it } from 'vitest';
import type { AnswerLine } from '../../evaluation/run/results.ts';
import { embedAnswers, FIELDS, MOST_ANSWERS } from './answers.ts';
import { answersHtml, coverageText } from './html/answers.ts';
import { exampleRun } from './testing/example-run.ts';

const { results } = exampleRun({ sets: ['pope'], questions: 4 });
const sized = (questions: number, scenarios: number) => ({
  ...results,
  sets: [{ ...results.sets[0], questions, scenarios: Array(scenarios).fill(results.sets[0].scenarios[0]) }],
});
const line = (i: number, scenario: string): AnswerLine => ({
  benchmark: 'pope',
  scenario,
  key: `k${i}`,
  text: `question ${i}`,
  right: ['yes', 'yeah'],
  raw: `raw ${i} ${scenario}`,
  value: i % 2 ? null : 'yes',
  correct: i === 0 ? Number.NaN : i % 2,
  category: 'c',
});
async function* lines(questions: number, scenarios: readonly string[]): AsyncGenerator<AnswerLine> {
  for (const scenario of scenarios) for (let i = 0; i < questions; i++) yield line(i, scenario);
}

describe('answers of the page', () => {
  it('hold what was given, in order', async () => {
    const { texts, rows, correct, every, total } = await embedAnswers([line(0, 'clean'), line(1, 'fog:3')], sized(2, 1));
    const row = (i: number) => rows.slice(i * FIELDS, (i + 1) * FIELDS).map(at => (at < 0 ? null : texts[at]));
    expect(row(0)).toEqual(['pope', 'clean', 'k0', 'question 0', 'yes | yeah', 'raw 0 clean', 'yes', 'c']);
    expect(row(1)).toEqual(['pope', 'fog:3', 'k1', 'question 1', 'yes | yeah', 'raw 1 fog:3', null, 'c']);
    expect([correct, every, total]).toEqual([[null, 1], 1, 2]);
    const choice = await embedAnswers([{ ...line(0, 'clean'), options: ['a cat', 'a dog'] }], sized(1, 1));
    expect(choice.texts[choice.rows[3]]).toBe('question 0\nA. a cat  B. a dog');
  });

  it('of 20 001 answers every second question is here, under all scenarios, and it is said', async () => {
    const scenarios = ['clean', 'a', 'b'];
    const embedded = await embedAnswers(lines(6667, scenarios), sized(6667, 3));
    expect(embedded.total).toBe(20_001);
    expect(embedded.every).toBe(2);
    expect(embedded.correct).toHaveLength(3 * 3334);
    const keys = new Map<string, number>();
    for (let at = 2; at < embedded.rows.length; at += FIELDS) {
      const key = embedded.texts[embedded.rows[at]];
      keys.set(key, (keys.get(key) ?? 0) + 1);
    }
    expect(keys.size).toBe(3334);
    expect([...keys.values()].every(count => count === 3)).toBe(true);
    expect(keys.has('k1')).toBe(false);
    expect(coverageText(embedded)).toBe(
      '10,002 of 20,001 answers are on this page: every 2nd question of each set, under all scenarios. All of them stand in the run’s folder, in answers/SET/SCENARIO.jsonl.',
    );
  });

  it('exactly 20 000 are all here; a source that gives more than its results say ends at the limit', async () => {
    const all = await embedAnswers(lines(MOST_ANSWERS, ['clean']), sized(MOST_ANSWERS, 1));
    expect(all.correct).toHaveLength(MOST_ANSWERS);
    expect(coverageText(all)).toBe('All 20,000 answers.');
    const more = await embedAnswers(lines(30, ['clean']), sized(10, 1), 20);
    expect([more.correct.length, more.total]).toEqual([20, 30]);
    expect([3, 4].map(every => coverageText({ ...more, every }))).toEqual([
      expect.stringContaining('every 3rd question of each set'),
      expect.stringContaining('every 4th question of each set'),
    ]);
    expect(coverageText(more)).toContain('20 of 30 answers are on this page: the first ones.');
  });

  it('can be chosen by every set, scenario and category that they have, and by none that they have not', async () => {
    const given = [
      { ...line(0, 'clean'), category: undefined },
      { ...line(1, 'fog:3'), category: 'd' },
      { ...line(2, 'fog:3'), benchmark: 'mme' },
    ];
    const html = (of: readonly AnswerLine[]) => embedAnswers(of, sized(3, 1)).then(embedded => answersHtml(results, embedded));
    const optionsOf = (page: string, id: string) => {
      const select = page.match(new RegExp(`<select id="${id}">(.*?)</select>`));
      return select && [...select[1].matchAll(/<option value="(.*?)">(.*?)</g)].map(([, value, text]) => [value, text]);
    };
    const page = await html(given);
    expect(optionsOf(page, 'of-set')).toEqual([
      ['', 'all sets'],
      ['pope', 'POPE'],
      ['mme', 'mme'],
    ]);
    expect(optionsOf(page, 'of-scenario')?.map(([value]) => value)).toEqual(['', 'clean', 'fog:3']);
    expect(optionsOf(page, 'of-category')?.map(([value]) => value)).toEqual(['', 'd', 'c']);
    expect(optionsOf(await html(given.slice(0, 1)), 'of-category')).toBeNull();
  });
});
