/** Synonyms: WordNet's as EDA finds them, and what the two shifts do with them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../tensor/random.ts';
import { shiftText } from '../apply.ts';
import { wordnetSynonyms } from '../wordnet.ts';
import { STOP_WORDS } from './stop-words.ts';
import { synonymReplacement } from './synonym-words.ts';
import { type SynonymFile, synonymsOf } from './synonyms.ts';

const seeds = Array.from({ length: 60 }, (_, seed) => seed);
const QUESTION = 'What is the color of the two suitcases in the image?';
const PLAIN = 'what is the color of the two suitcases in the image'.split(' ');

describe('synonyms', () => {
  const golden = JSON.parse(readFileSync(new URL('../testdata/official/synonyms.json', import.meta.url), 'utf8')) as {
    readonly synonyms: Readonly<Record<string, readonly string[]>>;
  };
  it('of 79 words are those that EDA takes from WordNet 3.0', () => {
    expect(Object.keys(golden.synonyms)).toHaveLength(79);
    for (const [word, synonyms] of Object.entries(golden.synonyms))
      expect([...wordnetSynonyms(word)].sort(), word).toEqual([...synonyms].sort());
  });

  it('of a form hold its base form, of what is no word nothing', () => {
    expect(wordnetSynonyms('zebras')).toEqual(['zebra']);
    for (const word of ['', 'qwxz', 'hasownproperty', 'toString', 'hot dog', "dog's"]) expect(wordnetSynonyms(word)).toEqual([]);
  });

  it('are looked up by irregular forms, by one ending, then by more', () => {
    const file: SynonymFile = {
      source: '',
      license: '',
      phrases: ['man', 'guy', 'walk', 'stroll', 'adult'],
      synsets: [
        [0, 1],
        [2, 3],
        [0, 4],
      ],
      lemmas: { noun: { man: [0], walk: [] }, verb: { walk: [1], man: [2] }, adj: {}, adv: {} },
      exceptions: { noun: { menz: 'man' }, verb: {}, adj: {}, adv: {} },
    };
    const of = synonymsOf(file);
    expect(of('men')).toEqual(['man', 'guy']);
    expect(of('menz')).toEqual(['man', 'guy']);
    expect(of('walking')).toEqual(['walk', 'stroll']);
    expect(of('man')).toEqual(['guy', 'adult']);
    // Two endings: "ing", then "s".
    expect(of('walksing')).toEqual(['walk', 'stroll']);
  });
});

describe("WordNet's rules of detachment", () => {
  it.each([
    ['noun', 's: , ses:s, ves:f, xes:x, zes:z, ches:ch, shes:sh, men:man, ies:y'],
    ['verb', 's: , ies:y, es:e, es: , ed:e, ed: , ing:e, ing: '],
    ['adj', 'er: , est: , er:e, est:e'],
    ['adv', ''],
  ])('%s', (part, rules) => {
    const known = (lemma: string): SynonymFile => {
      const none = { noun: {}, verb: {}, adj: {}, adv: {} };
      return {
        source: '',
        license: '',
        phrases: [lemma, 'other'],
        synsets: [[0, 1]],
        lemmas: { ...none, [part]: { [lemma]: [0] } },
        exceptions: none,
      };
    };
    const list = rules
      .split(', ')
      .filter(Boolean)
      .map(rule => rule.split(':').map(end => end.trim()));
    for (const [ending, base] of list) expect(synonymsOf(known(`qu${base}`))(`qu${ending}`), ending).toContain('other');
    for (const ending of ['s', 'men', 'ed', 'ing', 'er', 'est', 'ly'])
      if (!list.some(([one, base]) => one === ending && base === '')) expect(synonymsOf(known('qu'))(`qu${ending}`), ending).toEqual([]);
  });
});

it('127 words are never replaced', () => {
  expect(STOP_WORDS.size).toBe(127);
  expect(['the', 'not', 'now', 's', 't'].every(word => STOP_WORDS.has(word))).toBe(true);
});

describe('synonym_replacement', () => {
  it('replaces ⌊p · words⌋ of the words that have synonyms and are no stop words, at least one', () => {
    for (const [rate, count] of [
      [1, 1],
      [5, 2],
      [7, 3],
    ]) {
      let most = 0;
      for (const seed of seeds) {
        const out = ` ${shiftText('synonym_replacement', QUESTION, rate, { seed })} `;
        // "two", "color", "image" and "suitcases" may go; of the others none.
        const gone = PLAIN.filter(word => !out.includes(` ${word} `));
        expect(gone.length, `${rate} ${seed} ${out}`).toBeLessThanOrEqual(count);
        most = Math.max(most, gone.length);
        for (const word of gone) expect(['two', 'color', 'image', 'suitcases']).toContain(word);
        for (const word of ['what', 'is', 'the', 'of', 'in']) expect(out).toContain(` ${word} `);
      }
      expect(most).toBe(count);
    }
  });

  it('takes any synonym, of any sense, wherever the word stands', () => {
    const seen = new Set(seeds.map(seed => shiftText('synonym_replacement', 'Cat and cat', 1, { seed })));
    for (const text of seen) {
      const [a, b] = text.split(' and ');
      expect(a).toBe(b);
      expect(wordnetSynonyms('cat')).toContain(a);
    }
    expect(seen.size).toBeGreaterThan(15);
  });

  it('leaves what is protected, and says whose synonyms are missing', () => {
    const text = '<image>\nWhat color is the cat?\nAnswer the question using a single word or phrase.';
    for (const seed of seeds) {
      const out = shiftText('synonym_replacement', text, 7, {
        seed,
        protect: ['<image>', '\nAnswer the question using a single word or phrase.'],
      });
      expect(out).toMatch(/^<image>\nwhat .*\nAnswer the question using a single word or phrase\.$/s);
    }
    const reader = new RandomStream(0, 'test').reader(0, 0);
    expect(() => synonymReplacement.apply('a cat', 1, reader)).toThrow(/synonym_replacement needs synonyms: pass them/);
  });
});

describe('synonym_insertion', () => {
  it('adds ⌊p · words⌋ synonyms and keeps every word in its order, the last one last', () => {
    const places = new Set<number>();
    for (const seed of seeds) {
      const out = shiftText('synonym_insertion', QUESTION, 1, { seed }).split(' ');
      expect(out.at(-1)).toBe('image');
      let at = 0;
      for (const word of out) if (word === PLAIN[at]) at++;
      expect(at).toBe(PLAIN.length);
      const first = out.findIndex((word, i) => word !== PLAIN[i]);
      places.add(first);
    }
    expect(places.size).toBeGreaterThan(6);
  });

  it('adds nothing where no word has a synonym', () => {
    expect(shiftText('synonym_insertion', 'qwxz qwzx', 7)).toBe('qwxz qwzx');
  });
});

it('digits and other scripts by themselves stay as they are', () => {
  for (const name of ['synonym_replacement', 'synonym_insertion', 'word_swap', 'word_delete'])
    for (const text of ['3 + 4 = ?', '日本語です。', '']) expect(shiftText(name, text, 7)).toBe(text);
});
