import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { AnswerLine } from '../../../evaluation/run/results.ts';
import { embedAnswers } from '../answers.ts';
import { exampleRun } from '../testing/example-run.ts';
import { searchScript } from './script.ts';

/** As much of an element as the script uses. */
class FakeElement {
  value = '';
  disabled = false;
  type = '';
  className = '';
  readonly children: FakeElement[] = [];
  private readonly listeners = new Map<string, (event: object) => void>();
  private text = '';

  get textContent(): string {
    return this.text + this.children.map(child => child.textContent).join('|');
  }
  set textContent(text: string) {
    this.text = text;
    this.children.length = 0;
  }
  appendChild(child: FakeElement): FakeElement {
    this.children.push(child);
    return child;
  }
  addEventListener(type: string, listener: (event: object) => void): void {
    this.listeners.set(type, listener);
  }
  fire(type: string): void {
    this.listeners.get(type)!({ preventDefault: () => {} });
  }
}

/** The script over answers; `set` changes a control, `rows` are the rows that it shows. */
async function page(lines: readonly AnswerLine[]) {
  const { texts, rows, correct } = await embedAnswers(lines, exampleRun({ questions: 2 }).results);
  const ids = ['data', 'rows', 'find', 'of-set', 'of-scenario', 'of-category', 'of-points', 'clear', 'back', 'on', 'count', 'page'];
  const elements = new Map(ids.map(id => [id, new FakeElement()]));
  const by = (id: string): FakeElement => elements.get(id)!;
  by('data').textContent = JSON.stringify({ answers: { texts, rows, correct } });
  const form = new FakeElement();
  runInNewContext(searchScript, {
    document: { getElementById: by, createElement: () => new FakeElement(), querySelector: () => form },
    setTimeout: (run: () => void) => run(),
    clearTimeout: () => {},
  });
  return {
    by,
    set(id: string, value: string) {
      by(id).value = value;
      by(id).fire(id === 'find' ? 'input' : 'change');
    },
    rows: () => by('rows').children.map(row => row.children.map(cell => cell.textContent)),
  };
}

const line = (i: number, more: Partial<AnswerLine> = {}): AnswerLine => ({
  ...{ benchmark: 'pope', scenario: 'clean', key: `k${i}`, text: `Question ${i}?`, right: ['yes'], raw: `Raw ${i}` },
  ...{ value: 'yes', correct: 1, category: 'count', ...more },
});

describe('the search through answers', () => {
  it('shows an answer as text, with what was read and its points', async () => {
    const { rows } = await page([
      line(0, { raw: '<b>no</b>', value: null, correct: 0.25 }),
      line(1, { correct: Number.NaN, category: undefined }),
    ]);
    expect(rows()).toEqual([
      ['pope', 'clean', 'k0', 'Question 0?', 'yes', '<b>no</b>', '(nothing)', '0.25', 'count'],
      ['pope', 'clean', 'k1', 'Question 1?', 'yes', 'Raw 1', 'yes', 'does not count', ''],
    ]);
  });

  it('finds by text, set, scenario, category and points, and all of them together', async () => {
    const { set, rows, by } = await page([
      line(0),
      line(1, { benchmark: 'mme', raw: 'A DOG' }),
      line(2, { scenario: 'fog:3', correct: 0, text: 'a dog?' }),
      line(3, { category: 'colour', value: null, correct: 0 }),
      line(4, { correct: Number.NaN }),
    ]);
    const keys = () => rows().map(row => row[2]);
    set('find', ' dog ');
    expect(keys()).toEqual(['k1', 'k2']);
    expect(by('count').textContent).toBe('2 answers, 1 right.');
    set('of-set', 'mme');
    expect(keys()).toEqual(['k1']);
    by('clear').fire('click');
    expect(keys()).toHaveLength(5);
    const only = (id: string, value: string) => {
      by('clear').fire('click');
      set(id, value);
      return keys();
    };
    expect(only('of-scenario', 'fog:3')).toEqual(['k2']);
    expect(only('of-category', 'colour')).toEqual(['k3']);
    expect(only('of-points', 'right')).toEqual(['k0', 'k1']);
    expect(only('of-points', 'wrong')).toEqual(['k2', 'k3']);
    expect(only('of-points', 'unread')).toEqual(['k3']);
    expect(only('of-points', 'unscored')).toEqual(['k4']);
    set('of-set', 'mme');
    expect(by('count').textContent).toBe('No answer fits.');
  });

  it('pages, and a key shows its question under every scenario of its set', async () => {
    const lines = ['clean', 'fog:3'].flatMap(scenario => Array.from({ length: 30 }, (_, i) => line(i, { scenario })));
    const { rows, by } = await page([...lines, line(7, { benchmark: 'mme' })]);
    expect(rows()).toHaveLength(50);
    expect([by('page').textContent, by('back').disabled, by('on').disabled]).toEqual(['page 1 of 2', true, false]);
    by('on').fire('click');
    expect(rows()).toHaveLength(11);
    expect([by('page').textContent, by('back').disabled, by('on').disabled]).toEqual(['page 2 of 2', false, true]);
    by('back').fire('click');
    by('rows').children[7].children[2].children[0].fire('click');
    expect(rows().map(row => row.slice(0, 3))).toEqual([
      ['pope', 'clean', 'k7'],
      ['pope', 'fog:3', 'k7'],
    ]);
    expect(by('count').textContent).toBe('2 answers, 2 right; only the question k7.');
    expect(by('of-set').value).toBe('pope');
  });
});
