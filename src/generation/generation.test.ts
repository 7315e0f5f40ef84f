import { describe, expect, it } from 'vitest';
import { NarrowsError } from '../system/errors.ts';
import { RandomStream } from '../tensor/random.ts';
import { floats } from '../tensor/tensor.ts';
import { generate, streamTokens } from './generate.ts';
import type { GenerativeModel } from './model.ts';
import { best, candidates, chooseToken, penalise } from './sampling.ts';
import { TextStream } from './text-stream.ts';
import { ruleOut, type TokenRules } from './token-rules.ts';

const scores = (...values: number[]): Float32Array => Float32Array.from(values);
const random = (step = 0) => new RandomStream(3, 'test').reader(step, 0);

/** A model of six tokens whose next token is always the last one plus one, modulo six. */
const counting: GenerativeModel = {
  async start(prompts) {
    let last = prompts.map(({ ids }) => ids.at(-1)!);
    const logits = () =>
      floats(
        [last.length, 6],
        Float32Array.from({ length: 6 * last.length }, (_, i) => (i % 6 === (last[Math.floor(i / 6)] + 1) % 6 ? 5 : 0)),
      );
    return {
      get logits() {
        return logits();
      },
      async step(tokens) {
        last = [...tokens];
        return logits();
      },
      keep(rows) {
        last = rows.map(b => last[b]);
      },
    };
  },
};
const letters = (ids: readonly number[]): string => ids.map(id => 'abcdef'[id]).join('');

describe('sampling', () => {
  it('takes the first best token, and says so where there is none', () => {
    expect(best(scores(1, 3, 3, Number.NaN))).toBe(1);
    expect(best(scores(Number.NEGATIVE_INFINITY, -5))).toBe(1);
    expect(() => best(scores(Number.NaN, Number.NaN))).toThrow(/gave no number for any next token/);
  });

  it('penalises each token that occurred once, towards less likely', () => {
    const s = scores(2, -2, 1);
    penalise(s, [0, 0, 1], 2);
    expect([...s]).toEqual([1, -4, 1]);
  });

  it('keeps the k best with ties, and the smallest set that reaches p', () => {
    const s = scores(Math.log(0.1), Math.log(0.4), Math.log(0.3), Math.log(0.1), Math.log(0.1));
    expect(candidates(s, {}).ids).toEqual([1, 2, 0, 3, 4]);
    expect(candidates(s, { topK: 2 }).ids).toEqual([1, 2]);
    expect(candidates(s, { topK: 3 }).ids).toEqual([1, 2, 0, 3, 4]);
    expect(candidates(s, { topP: 0.39 }).ids).toEqual([1]);
    const half = candidates(s, { topP: 0.65 });
    expect(half.ids).toEqual([1, 2]);
    expect(half.probabilities[0]).toBeCloseTo(4 / 7, 5);
    // The temperature sharpens before p is reached: .4² / (.4² + .3² + 3 · .1²) = .571
    expect(candidates(s, { temperature: 0.5, topP: 0.56 }).ids).toEqual([1]);
  });

  it('draws the best token at any tiny temperature, and any token at a huge one', () => {
    const s = scores(1, 3, 2.999, 3, Number.NEGATIVE_INFINITY);
    for (const temperature of [1e-3, 1e-17, 1e-300, Number.MIN_VALUE])
      expect(candidates(s, { temperature }).ids.slice(0, 2)).toEqual([1, 3]);
    for (const temperature of [1e-17, 1e-300, Number.MIN_VALUE])
      expect(candidates(s, { temperature })).toEqual({ ids: [1, 3], probabilities: [0.5, 0.5] });
    const flat = candidates(s, { temperature: Number.MAX_VALUE });
    expect(flat.ids).toEqual([1, 3, 2, 0]);
    expect(flat.probabilities.map(p => Number(p.toFixed(6)))).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(candidates(scores(1, Number.POSITIVE_INFINITY, 5), {})).toEqual({ ids: [1], probabilities: [1] });
    expect(chooseToken(scores(1, 2), [], { temperature: 1e-17 }, () => random())).toBe(1);
    const half = scores(Math.log(0.5), Math.log(0.3), Math.log(0.15), Math.log(0.05));
    expect([0.05, 0.2, 0.61, 1].map(minP => candidates(half, { minP }).ids.length)).toEqual([4, 3, 1, 1]);
  });

  it('draws tokens as often as they are likely', () => {
    const counts = [0, 0, 0];
    for (let i = 0; i < 4000; i++) counts[chooseToken(scores(0, Math.log(2), Math.log(5)), [], { temperature: 1 }, () => random(i))]++;
    expect(counts[0] / 4000).toBeCloseTo(1 / 8, 1);
    expect(counts[1] / 4000).toBeCloseTo(2 / 8, 1);
    expect(counts[2] / 4000).toBeCloseTo(5 / 8, 1);
  });
});

describe('rules', () => {
  const left = (rules: TokenRules, seen: readonly number[], count = 1, eosTokens: readonly number[] = [5]): number[] => {
    const s = new Float32Array(6);
    ruleOut(s, { seen, count, eosTokens }, rules);
    return [...s.keys()].filter(i => s[i] === 0);
  };
  it('rule out what would repeat an n-gram, bad words, early ends and what is suppressed', () => {
    expect(left({ noRepeatNgramSize: 1 }, [1, 3, 3])).toEqual([0, 2, 4, 5]);
    expect(left({ noRepeatNgramSize: 2 }, [1, 2, 3, 1])).toEqual([0, 1, 3, 4, 5]);
    expect(left({ noRepeatNgramSize: 3 }, [1, 2, 3, 1, 2, 4, 1, 2])).toEqual([0, 1, 2, 5]);
    expect(left({ noRepeatNgramSize: 3 }, [1])).toEqual([0, 1, 2, 3, 4, 5]);
    expect(left({ badWordsIds: [[0], [1, 2], [4, 2, 3], [5], [9]] }, [4, 1])).toEqual([1, 3, 4, 5]);
    expect(
      left(
        {
          badWordsIds: [
            [1, 2],
            [4, 2, 3],
          ],
        },
        [1, 4, 2],
      ),
    ).toEqual([0, 1, 2, 4, 5]);
    expect(left({ minNewTokens: 2 }, [1], 1)).toEqual([0, 1, 2, 3, 4]);
    expect(left({ minNewTokens: 2 }, [1], 2)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(left({ minLength: 3 }, [1, 2], 0)).toEqual([0, 1, 2, 3, 4]);
    expect(left({ suppressTokens: [0, 7], beginSuppressTokens: [1] }, [1], 0)).toEqual([2, 3, 4, 5]);
    expect(left({ suppressTokens: [0, 7], beginSuppressTokens: [1] }, [1], 1)).toEqual([1, 2, 3, 4, 5]);
    expect(() => left({ suppressTokens: [0, 1, 2, 3, 4], minNewTokens: 9 }, [1])).toThrow(
      'No token is left to go on with: no_repeat_ngram_size',
    );
  });
});

describe('TextStream', () => {
  it('holds back what may become a stop string, across tokens, and half characters', () => {
    const pieces = ['Yes', ' #', '#', 'x', ' ##', '#', ' no'];
    const stream = new TextStream(ids => ids.map(i => pieces[i]).join(''), ['###', '\n\n']);
    expect([0, 1, 2, 3, 4, 5].map(i => stream.push(i))).toEqual(['Yes', ' ', '', '##x', ' ', '']);
    expect([stream.stop, stream.text, stream.finish()]).toEqual(['###', 'Yes ##x ', '']);
    const bytes = ['a', '\uFFFD', '\uFFFD'];
    const half = new TextStream(ids => (ids.length === 3 ? 'aé' : ids.map(i => bytes[i]).join('')));
    expect([0, 1, 2].map(i => half.push(i))).toEqual(['a', '', 'é']);
    const open = new TextStream(letters, ['bcd']);
    expect([0, 1].map(i => open.push(i)).concat(open.finish())).toEqual(['a', '', 'b']);
  });
});

describe('generate', () => {
  it('ends each answer by its own reason, in the order of the prompts', async () => {
    const prompts = [{ ids: [0] }, { ids: [3, 3] }, { ids: [5, 5, 5] }];
    const options = { maxNewTokens: 4, eosTokens: [5], stop: ['bc'], decode: letters };
    const expected = [
      { ids: [1, 2], text: '', finish: 'stop' },
      { ids: [4, 5], text: 'e', finish: 'eos' },
      { ids: [0, 1, 2], text: 'a', finish: 'stop' },
    ];
    const told: number[] = [];
    expect(await generate(counting, prompts, { ...options, onAnswer: prompt => told.push(prompt) })).toEqual(expected);
    expect(told.toSorted()).toEqual([0, 1, 2]);
    expect(await generate(counting, prompts, { ...options, batchSize: 2 })).toEqual(expected);
    expect(await generate(counting, [{ ids: [0] }], { maxNewTokens: 3, decode: letters })).toEqual([
      { ids: [1, 2, 3], text: 'bcd', finish: 'length' },
    ]);
    expect(await generate(counting, [])).toEqual([]);
  });

  it('searches beams to an end token, a stop string or the length, each prompt by itself', async () => {
    const prompts = [{ ids: [0] }, { ids: [3] }];
    const beams = { numBeams: 2, maxNewTokens: 4, eosTokens: [5], stop: ['bc'], decode: letters };
    const expected = [
      { ids: [1, 2], text: '', finish: 'stop' },
      { ids: [4, 5], text: 'e', finish: 'eos' },
    ];
    expect(await generate(counting, prompts, beams)).toEqual(expected);
    expect(await generate(counting, prompts, { ...beams, batchSize: 1 })).toEqual(expected);
    expect(await generate(counting, [{ ids: [0] }], { numBeams: 3, maxNewTokens: 3 })).toEqual([
      { ids: [1, 2, 3], text: '', finish: 'length' },
    ]);
    let text = '';
    for await (const token of streamTokens(counting, [{ ids: [0] }], { ...beams, stop: [], maxNewTokens: 8 })) text += token.text;
    expect(text).toBe('bcde');
  });

  it('tells pieces of text that make up the whole', async () => {
    let text = '';
    for await (const token of streamTokens(counting, [{ ids: [0] }], { maxNewTokens: 5, decode: letters, stop: ['fe'] }))
      text += token.text;
    expect(text).toBe('bcdef');
  });

  it.each<[object, RegExp]>([
    [{ temperature: -1 }, /temperature must be 0 \(greedy\) or more, not -1/],
    [{ topK: 0 }, /top-k must be a whole number from 1 on, not 0/],
    [{ topP: 0 }, /top-p must lie above 0/],
    [{ topK: 1e300 }, /top-k must be a whole number/],
    [{ minP: 2 }, /min-p must lie between 0 and 1, not 2/],
    [{ maxNewTokens: 1e300 }, /number of new tokens must be a whole number/],
    [{ numBeams: 1e9 }, /number of beams must be a whole number from 1 to 256, not 1000000000/],
    [{ numBeams: 2, lengthPenalty: Number.NaN }, /length penalty must lie between/],
    [{ numBeams: 2, temperature: 1 }, /Beam search takes the best tokens and draws none/],
    [{ noRepeatNgramSize: -1 }, /no-repeat n-gram size must be a whole number from 0 on/],
    [{ suppressTokens: [1.5] }, /suppressed tokens must be ids/],
    [{ minNewTokens: 5, maxNewTokens: 4 }, /cannot have 5 tokens at least and 4 at most/],
    [{ repetitionPenalty: 0 }, /repetition penalty must be above 0/],
    [{ maxNewTokens: 0 }, /number of new tokens must be a whole number from 1 on, not 0/],
    [{ stop: ['a'] }, /Stop strings need/],
    [{ stop: [''], decode: letters }, /must not be empty/],
    [{ batchSize: 0 }, /batch size must be a whole number/],
  ])('refuses %j', async (options, message) => {
    const run = generate(counting, [{ ids: [0] }], options);
    await expect(run).rejects.toThrow(NarrowsError);
    await expect(run).rejects.toThrow(message);
  });
});
