import { describe, expect, it } from 'vitest';
import type { Attribution } from '../../attribution/result.ts';
import { answerText, percentText, tellingParts } from './answer.ts';
import { figureSvg, reportHtml } from './bound.ts';
import { answerChips } from './html/answer.ts';

const none = { verdict: 'no-optimisation', note: '', fit: [], compression: [] } as const;
const part = (text: string, start: number, patches: number[], words: number[], logProbability: number) => ({
  ...{ text, start, end: start + text.length, tokens: [start], logProbability },
  patches: Float32Array.from(patches),
  words: Float32Array.from(words),
});
const result: Attribution = {
  schemaVersion: 1,
  ...{
    method: 'm2ib',
    title: 'M2IB',
    unit: 'nats',
    caption: 'what is <b> it ?',
    target: 'log-probability of “a red big cat”',
    targetKind: 'answer',
  },
  image: {
    ...{ tokens: Float32Array.of(1, 2, 3, 4), prefixTokens: 0, grid: [2, 2], patches: Float32Array.of(1, 2, 3, 4), convergence: none },
    view: { left: 0, top: 0, width: 4, height: 4 },
  },
  text: { tokens: [], words: [{ text: 'what', start: 0, end: 4, value: 5, tokens: [] }], convergence: none },
  answer: {
    ...{ text: 'a red big cat', own: true, reduction: 'sum' },
    tokens: [
      { text: 'a', start: 0, end: 1, logProbability: Math.log(0.5) },
      { text: 'cat', start: 10, end: 13, logProbability: Math.log(0.25) },
    ],
    parts: [
      part('a', 0, [0, 0, 0, 1], [1], Math.log(0.5)),
      part('red', 2, [9, 0, 0, 0], [2], -1),
      part('big', 6, [0, 5, 0, 0], [3], -1),
      part('cat', 10, [0, 0, 7, 0], [4], Math.log(0.25)),
    ],
    kept: { layer: 3, patches: Float32Array.of(8, 8, 8, 9), words: Float32Array.of(6) },
  },
  ...{ parameters: { seed: 0 }, timings: {} },
  provenance: {
    ...{ narrows: 'test', runtime: 'test', model: { name: 'tiny', sha256: '' }, createdAt: '' },
    image: { name: 'p.png', sha256: '', width: 4, height: 4 },
  },
};
const image = { width: 4, height: 4, data: new Uint8Array(48).fill(200) };

describe('an answer in reports', () => {
  it('has a chip for the whole, each word in its order with its own map, and what the bottleneck keeps', () => {
    const chips = answerChips(result)!;
    expect(chips.map(chip => chip.text)).toEqual(['a red big cat', 'a', 'red', 'big', 'cat', 'what the model keeps']);
    expect(chips.slice(1).map(chip => chip.patches)).toEqual([
      [0, 0, 0, 1],
      [9, 0, 0, 0],
      [0, 5, 0, 0],
      [0, 0, 7, 0],
      [8, 8, 8, 9],
    ]);
    expect(chips.map(chip => chip.words?.[0])).toEqual([undefined, 1, 2, 3, 4, 6]);
    expect(chips[4].note).toContain('25.0 %');
    expect(chips[0].note).toContain('12.5 %');
  });

  it('shows the three words whose maps are strongest, in the order of the answer', async () => {
    expect(tellingParts(result).map(each => each.text)).toEqual(['red', 'big', 'cat']);
    const svg = await figureSvg(result, image);
    for (const word of ['red', 'big', 'cat']) expect(svg).toContain(`>${word}</text>`);
    expect(svg).toContain('most telling words');
    expect(svg).toContain('Needed from the image');
  });

  it('has the map of each of these words over its own name', async () => {
    const panels = async (changed: Attribution): Promise<string[]> =>
      // Each panel is the picture with the map over it.
      [...(await figureSvg(changed, image)).matchAll(/href="(data:image[^"]+)"/g)]
        .slice(-6)
        .flatMap((found, i) => (i % 2 ? [found[1]] : []));
    const [red, big, cat] = await panels(result);
    expect(new Set([red, big, cat]).size).toBe(3);
    const [a, first, second, ...rest] = result.answer!.parts;
    const parts = [a, { ...first, patches: second.patches }, { ...second, patches: first.patches }, ...rest];
    expect(await panels({ ...result, answer: { ...result.answer!, parts } })).toEqual([big, red, cat]);
  });

  it('is said with its probability, whose it is, and what it is held against', async () => {
    expect(answerText(result.answer!)).toBe("“a red big cat” (the model's own), probability 12.5 %");
    expect(answerText({ ...result.answer!, own: false, against: { text: 'a dog', logProbability: Math.log(0.1) } })).toBe(
      '“a red big cat” (given), probability 12.5 %, against “a dog” with 10.0 %',
    );
    expect(percentText(Math.log(1e-7))).toBe('1.0e−5 %');
    const page = await reportHtml([{ result, image }]);
    expect(page).toContain('class="chips"');
    expect(page).toContain('The answer in numbers');
    expect(page).not.toContain('what is <b> it');
  });
});
