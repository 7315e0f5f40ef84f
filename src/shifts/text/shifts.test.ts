/** @file The text shifts: what they change, how much, and what they leave alone. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { shiftText } from '../apply.ts';
import { textShifts } from '../registry.ts';
import { NLPAUG_VERSIONS, type NlpaugVersion } from '../shift.ts';
import { TYPOS } from './keyboard-map.ts';
import { detokenize, joinPieces, splitProtected, tokenize } from './tokens.ts';
import { lettersOnly } from './word-shift.ts';

const QUESTION = 'What is the color of the two suitcases in the image?';
const words = (text: string) =>
  text
    .toLowerCase()
    .match(/[a-z]+/g)!
    .sort();
const letters = (text: string) => [...text.toLowerCase()].sort().join('');
/** Tokens that differ, position by position. */
const changed = (a: string, b: string) => a.split(' ').filter((word, i) => word !== b.split(' ')[i]);
const seeds = Array.from({ length: 40 }, (_, seed) => seed);

describe('splitting and joining', () => {
  it('is as nlpaug does it', () => {
    expect(tokenize('It\'s a "red" cat (or a dog), 5%!')).toEqual([
      'It',
      "'",
      's',
      'a',
      '"',
      'red',
      '"',
      'cat',
      '(',
      'or',
      'a',
      'dog',
      ')',
      ',',
      '5',
      '%',
      '!',
    ]);
    expect(detokenize(tokenize(QUESTION))).toBe(QUESTION);
    // Expected values: nlpaug's four regular expressions in Python's re.
    expect(detokenize(tokenize("What's this (a cat), or not?"))).toBe("What ' s this (a cat ), or not?");
  });

  it('keeps what is protected and the space around it', () => {
    const pieces = splitProtected('<image>\nIs it a cat? cats', ['cat', '<image>']);
    expect(pieces.filter(p => p.kept).map(p => p.text)).toEqual(['<image>', 'cat']);
    expect(
      joinPieces(
        pieces,
        pieces.map(p => p.text),
      ),
    ).toBe('<image>\nIs it a cat? cats');
  });
});

const testdata = <T>(name: string): T => JSON.parse(readFileSync(new URL(`../testdata/${name}`, import.meta.url), 'utf8')) as T;

describe('against nlpaug and EDA', () => {
  const { rows } = testdata<{ rows: readonly { text: string; tokens: string[]; joined: string; eda_cleaned: string | null }[] }>(
    'text-tokens.json',
  );
  it.each(rows)('splits, joins and cleans $text', ({ text, tokens, joined, eda_cleaned }) => {
    expect(tokenize(text)).toEqual(tokens);
    expect(detokenize(tokens)).toBe(joined);
    expect(lettersOnly(text)).toEqual((eda_cleaned ?? '').split(' ').filter(word => word !== ''));
  });

  it('cleans as EDA does: a space for what it drops', () => {
    expect(lettersOnly('x=y+2? and/or 3.5%')).toEqual(['x', 'y', 'and', 'or']);
    expect(shiftText('word_delete', 'solve x=y+2?', 1, { seed: 3 })).toBe('solve x y');
  });

  interface Counts {
    readonly draws: number;
    readonly texts: readonly string[];
    readonly versions: Readonly<Record<NlpaugVersion, Readonly<Record<string, Readonly<Record<string, number>>>>>>;
  }
  const { draws, texts, versions } = testdata<Counts>('text-counts.json');
  const tokensChanged = (a: string, b: string): string => {
    const [x, y] = [tokenize(a), tokenize(b)];
    return x.length === y.length ? String(x.filter((token, i) => token !== y[i]).length) : 'split differently';
  };
  it.each(NLPAUG_VERSIONS)('changes as many tokens as nlpaug %s, as often', version => {
    let compared = 0;
    for (const [key, expected] of Object.entries(versions[version])) {
      const [name, rate, index] = key.split('/');
      const text = texts[Number(index)];
      const found: Record<string, number> = {};
      for (let seed = 0; seed < draws; seed++) {
        const value = tokensChanged(text, shiftText(name, text, Number(rate), { seed, nlpaug: version }));
        found[value] = (found[value] ?? 0) + 1;
      }
      // Two samples of a distribution: chi-square over their values, 30 above its mean happens once in millions.
      const values = [...new Set([...Object.keys(found), ...Object.keys(expected)])];
      const chi = values.reduce((sum, v) => {
        const [a, b] = [found[v] ?? 0, expected[v] ?? 0];
        return sum + (a - b) ** 2 / (a + b);
      }, 0);
      expect({ version, key, found, expected, near: chi < values.length + 25 }).toEqual({ version, key, found, expected, near: true });
      compared++;
    }
    expect(compared).toBe(72);
  });

  it('ocr misreads two letters of a word at least, one as nlpaug 1.1.7, and leaves a word without any alike as it is', () => {
    const letters = (nlpaug: NlpaugVersion): Set<number> =>
      new Set(seeds.map(seed => [...shiftText('ocr', 'oooo', 1, { seed, nlpaug })].filter(c => c !== 'o').length));
    expect([[...letters('1.1.11')], [...letters('1.1.7')]]).toEqual([[2], [1]]);
    // Half of the words have letters that look like others; no second try is made.
    const same = seeds.filter(seed => shiftText('ocr', 'the color', 1, { seed }) === 'the color').length;
    expect(same).toBeGreaterThan(8);
    expect(same).toBeLessThan(32);
  });
});

describe('character shifts', () => {
  it('keyboard changes ⌈p · tokens⌉ words of four letters or more, ⌈0.3 · letters⌉ letters of each, to neighbours', () => {
    // Twelve tokens: ⌈0.05 · 12⌉ = 1 word at rate 1, ⌈0.15 · 12⌉ = 2 at rate 3.
    for (const [rate, count] of [
      [1, 1],
      [3, 2],
      [7, 4],
    ])
      for (const seed of seeds) {
        const out = shiftText('keyboard', QUESTION, rate, { seed });
        const before = changed(QUESTION, out);
        expect(before).toHaveLength(count);
        for (const word of before) {
          const now = out.split(' ')[QUESTION.split(' ').indexOf(word)];
          const pure = word.replace('?', '');
          expect(pure.length).toBeGreaterThanOrEqual(4);
          const differing = [...pure].flatMap((c, i) => (c === now[i] ? [] : [[c, now[i]]]));
          expect(differing).toHaveLength(Math.ceil(0.3 * pure.length));
          for (const [from, to] of differing) expect(TYPOS.get(from)).toContain(to);
        }
      }
  });

  it('counts down where asked, as nlpaug 1.1.7', () => {
    // ⌊0.15 · 12⌋ = 1 word.
    for (const seed of seeds) expect(changed(QUESTION, shiftText('keyboard', QUESTION, 3, { seed, counts: 'floor' }))).toHaveLength(1);
  });

  it('the keyboard map has neighbours of either case and never the key itself', () => {
    expect(TYPOS.get('p')).toEqual(['(', ')', '0', '9', 'L', 'O', 'l', 'o']);
    for (const [key, typos] of TYPOS) {
      expect(typos).not.toContain(key);
      for (const typo of typos) expect(typo).toHaveLength(1);
    }
  });

  it('insert, substitute, swap and delete do what they say', () => {
    let undone = 0;
    for (const seed of seeds) {
      const text = 'Elephants remember';
      // Two tokens: one word changes; of nine or eight letters, three.
      expect(shiftText('char_insert', text, 1, { seed })).toHaveLength(text.length + 3);
      expect(shiftText('char_delete', text, 1, { seed })).toHaveLength(text.length - 3);
      expect(shiftText('char_substitute', text, 1, { seed })).toHaveLength(text.length);
      const swapped = shiftText('char_swap', text, 1, { seed });
      expect(letters(swapped)).toBe(letters(text));
      if (swapped === text) undone++;
      expect(swapped[0]).toMatch(/[A-Z]/);
    }
    // Swaps may undo each other, and none is made again.
    expect(undone).toBeLessThan(seeds.length / 4);
  });

  it('ocr reads in both directions and short words too', () => {
    const results = new Set(seeds.map(seed => shiftText('ocr', 'o', 1, { seed })));
    expect([...results].sort()).toEqual(['0', 'u']);
    expect(shiftText('ocr', 'a', 1)).toBe('a');
  });
});

describe('word shifts', () => {
  it('word_swap keeps the words, in small letters, and moves some', () => {
    for (const seed of seeds) {
      const out = shiftText('word_swap', QUESTION, 1, { seed });
      expect(words(out)).toEqual(words(QUESTION));
      expect(out).toMatch(/^[a-z ]+$/);
      // One swap: two places differ, or none where the same word stands in both ("the" stands thrice).
      expect([0, 2]).toContain(changed('what is the color of the two suitcases in the image', out).length);
    }
    expect(new Set(seeds.map(seed => shiftText('word_swap', QUESTION, 7, { seed }))).size).toBeGreaterThan(30);
  });

  it('word_delete drops the published share and never everything', () => {
    let left = 0;
    const text = 'one two three four five six seven eight nine ten';
    for (const seed of seeds) left += shiftText('word_delete', text, 7, { seed }).split(' ').length;
    expect(left / (10 * seeds.length)).toBeCloseTo(0.65, 1);
    for (const seed of seeds) expect(shiftText('word_delete', 'cat', 7, { seed })).toBe('cat');
  });

  it('punctuation adds one to ⌊p · words + 1⌋ marks and changes no word', () => {
    const counts = new Set<number>();
    for (const seed of seeds) {
      const out = shiftText('punctuation', QUESTION, 5, { seed });
      const marks = out.split(' ').filter(word => /^[.,!?;:]$/.test(word));
      expect(
        out
          .split(' ')
          .filter(word => !/^[.,!?;:]$/.test(word))
          .join(' '),
      ).toBe(QUESTION);
      counts.add(marks.length);
    }
    expect([...counts].sort()).toEqual([1, 2, 3]);
  });
});

describe.each(textShifts.filter(s => !s.waits).map(s => [s.name] as const))('%s', name => {
  const prompt = '<image>\nIs there a zebra in the picture?';

  it('repeats with its seed and leaves the protected alone', () => {
    expect(shiftText(name, prompt, 4, { seed: 3, sample: 5 })).toBe(shiftText(name, prompt, 4, { seed: 3, sample: 5 }));
    expect(new Set(seeds.map(seed => shiftText(name, prompt, 7, { seed }))).size).toBeGreaterThan(5);
    for (const seed of seeds) {
      const out = shiftText(name, prompt, 7, { seed, protect: ['<image>', 'zebra'] });
      expect(out.startsWith('<image>\n')).toBe(true);
      expect(out).toMatch(/\bzebra\b/);
    }
  });

  it('takes empty and odd texts', () => {
    for (const text of ['', ' ', '?', '<image>', 'Ωμέγα 🦓 日本', 'a'])
      expect(typeof shiftText(name, text, 7, { protect: ['<image>'] })).toBe('string');
    expect(shiftText(name, '<image>', 7, { protect: ['<image>'] })).toBe('<image>');
  });
});

it('refuses what there is not in one sentence', () => {
  expect(() => shiftText('synonym', 'a', 1)).toThrow(
    /There is no text shift "synonym"; did you mean synonym_replacement or synonym_insertion\?$/,
  );
  expect(() => shiftText('shuffle', 'a', 1)).toThrow(/There is no text shift "shuffle"; choose among keyboard, /);
  expect(() => shiftText('translation', 'a', 1)).toThrow('translation has to wait for its result: call shiftTextAsync.');
  expect(() => shiftText('keyboard', 'a', 8)).toThrow('The severity of keyboard must be a whole number from 1 to 7; got 8.');
});
