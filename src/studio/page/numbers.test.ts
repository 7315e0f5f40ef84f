/** @file What carries numbers from events to the page: places of patches, words of values, interactions, frames, rows in sight, addresses. */
import { describe, expect, it } from 'vitest';
import { displayScale } from '../../report/attribution/normalise.ts';
import type { FrameEvent, ResultEvent } from '../protocol.ts';
import { MOST_FRAMES, thinned } from './attribute/collect.ts';
import { differenceOf, differenceText } from './attribute/differences.ts';
import { boxesOf, dragBox, patchAt, patchBeside, patchBox } from './attribute/geometry.ts';
import { frameAt, frameMap, frameTotal, type Shown, shownOfAnswer } from './attribute/maps.ts';
import { EMPTY, newPanel, update } from './attribute/panels.ts';
import { directionOf, runsOf } from './attribute/word-runs.ts';
import { patchesOfWord, patchText, wordsOfPatch } from './attribute/words.ts';
import { ROW_HEIGHT, scrollFor, windowOf } from './audit/window.ts';
import { readFragment, readObject, writeFragment } from './state/fragment.ts';

// Two rows of three patches over the right part of a picture: 10 pixels are left out on the left, 4 on top.
const map = { grid: [2, 3] as const, view: { left: 10, top: 4, width: 90, height: 40 } };
const size = { width: 100, height: 44 };

describe('places', () => {
  it('finds the patch under a point, and none outside of what the model saw', () => {
    expect([patchAt(map, 11, 5), patchAt(map, 69, 23), patchAt(map, 71, 25), patchAt(map, 10, 43)]).toEqual([0, 1, 5, 3]);
    expect([patchAt(map, 9, 5), patchAt(map, 50, 3), patchAt(map, 50, 45)]).toEqual([undefined, undefined, undefined]);
  });

  it('gives back where patches lie', () => {
    expect(patchBox(map, size, 5)).toEqual({ left: 70, top: 24, width: 30, height: 20 });
    expect(patchBox(map, size, 4, 0)).toEqual({ left: 10, top: 4, width: 60, height: 40 });
    for (let patch = 0; patch < 6; patch++) {
      const box = patchBox(map, size, patch)!;
      expect(patchAt(map, box.left + box.width / 2, box.top + box.height / 2)).toBe(patch);
    }
  });

  it('walks by arrows and stops at the edges', () => {
    expect(['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp', 'Home', 'End', 'x'].map(key => patchBeside([2, 3], 1, key))).toEqual([
      2,
      4,
      0,
      1,
      0,
      2,
      undefined,
    ]);
    expect(patchBeside([2, 3], 5, 'ArrowRight')).toBe(5);
  });

  it('makes boxes of whole pixels inside the picture, from any corner', () => {
    expect(dragBox([50.4, 30], [-5, 10.6], size)).toEqual({ left: 0, top: 11, width: 50, height: 19 });
    expect(dragBox([5, 5], [6, 40], size)).toBeUndefined();
  });
});

describe('words of two directions', () => {
  it('stand in runs, all of them in their order; what has no letters goes with what is before it', () => {
    const words = 'قمر وذئب 2 a moon , cat حيوان !'.split(' ').map(text => ({ text }));
    expect(directionOf('2 قمر')).toBe('rtl');
    expect(runsOf(words, 'rtl')).toEqual([
      { direction: 'rtl', places: [0, 1, 2] },
      { direction: 'ltr', places: [3, 4, 5, 6] },
      { direction: 'rtl', places: [7, 8] },
    ]);
    expect(runsOf([{ text: '2' }, { text: 'cats' }], 'ltr')).toEqual([{ direction: 'ltr', places: [0, 1] }]);
  });
});

describe('the difference of two maps', () => {
  const of = (patches: number[], unit: Shown['unit']): Shown => ({ unit, image: { ...map, patches: Float32Array.from(patches) } });
  const [first, second] = [
    [1, 2, 3, 4, 10, 0],
    [0, -1, 5, 4, 2, 8],
  ];

  it('is first minus second, patch by patch, in nats where both have them', () => {
    const { map: found, unit, shares, parts } = differenceOf(of(first, 'nats'), of(second, 'nats'))!;
    expect([unit, shares, [...found.patches]]).toEqual(['nats', false, [1, 3, -2, 0, 8, -8]]);
    expect(parts.map(each => [...each])).toEqual([first, second]);
    expect([...differenceOf(of(second, 'nats'), of(first, 'nats'))!.map.patches]).toEqual([-1, -3, 2, 0, -8, 8]);
    expect(found).toMatchObject({ grid: map.grid, view: map.view });
  });

  it('is in percent of each map’s own whole where one has no nats, so that neither’s scale counts', () => {
    const one = differenceOf(of(first, 'nats'), of(second, 'score'))!;
    const other = differenceOf(
      of(first, 'score'),
      of(
        second.map(value => 1000 * value),
        'score',
      ),
    )!;
    for (const { map: found, shares, parts } of [one, other]) {
      expect(shares).toBe(true);
      for (let i = 0; i < 6; i++) {
        expect(parts[0][i]).toBeCloseTo((100 * first[i]) / 20, 4);
        // By magnitude: evidence against counts.
        expect(parts[1][i]).toBeCloseTo((100 * second[i]) / 20, 4);
        expect(found.patches[i]).toBeCloseTo(5 * (first[i] - second[i]), 4);
      }
    }
  });

  it('says both values and what lies between them, and nothing for maps of other patches', () => {
    const found = differenceOf(of(first, 'nats'), of(second, 'nats'))!;
    const scale = displayScale(found.map.patches, 'nats', { signed: true, unit: 'nats' });
    expect(differenceText(4, found, scale)).toBe('row 2, column 2: 10.00 and 2.00, difference 8.00 nats');
    expect(differenceText(2, found, scale)).toBe('row 1, column 3: 3.00 and 5.00, difference −2.00 nats');
    expect(differenceText(6, found, scale)).toBe('');
    const shares = differenceOf(of(first, 'score'), of(second, 'nats'))!;
    const percent = displayScale(shares.map.patches, 'score', { signed: true, unit: 'score' });
    expect(differenceText(5, shares, percent)).toBe('row 2, column 3: 0.0 and 40.0, difference −40.0 percent');
    expect(
      differenceOf(of(first, 'nats'), { unit: 'nats', image: { ...map, grid: [3, 2], patches: Float32Array.from(second) } }),
    ).toBeUndefined();
    expect(differenceOf(of(first, 'nats'), { unit: 'nats' })).toBeUndefined();
  });
});

describe('values', () => {
  const shown: Shown = {
    unit: 'nats',
    image: { ...map, patches: Float32Array.of(1, 2, 3, 4, 10, 0) },
    words: [
      { text: 'a', start: 0, end: 1, value: 1 },
      { text: 'cat', start: 2, end: 5, value: 3 },
    ],
    // Tokens 1 and 3 belong to "cat": columns 0 and 2.
    interactions: { values: Float32Array.from({ length: 18 }, (_, i) => i), patches: 6, tokens: [1, 2, 3] },
  };
  const tokensOf = (word: number): number[] => (word === 1 ? [1, 3] : [2]);

  it('says row, column, value and share of the patch that was asked for', () => {
    const { patches } = shown.image!;
    expect(patchText(4, shown, displayScale(patches, 'nats'))).toBe('row 2, column 2: 10.0 nats, 50.0 % of the picture');
    expect(patchText(4, shown, displayScale(patches, 'nats', { unit: 'bits' }))).toContain(': 14.4 bits, 50.0 %');
  });

  it('sums interactions over the tokens of a word, of the right patch', () => {
    expect(wordsOfPatch(shown, 2, tokensOf)).toEqual([7, 6 + 8]);
    expect([...patchesOfWord(shown, 1, tokensOf)!]).toEqual([2, 8, 14, 20, 26, 32]);
    expect(patchesOfWord({ ...shown, interactions: undefined }, 1, tokensOf)).toBeUndefined();
  });
});

describe('maps of an answer', () => {
  const part = (text: string, value: number) => ({
    ...{ text, start: 0, end: text.length, tokens: [0], logProbability: -value },
    patches: Float32Array.from({ length: 6 }, (_, i) => value + i),
    words: Float32Array.of(value, 2 * value),
  });
  const explained = {
    ...{ unit: 'nats', image: { ...map, patches: new Float32Array(6), pixels: undefined } },
    text: { words: [{ text: 'a' }, { text: 'cat' }].map(word => ({ ...word, start: 0, end: 1, value: 0, tokens: [] })) },
    answer: { parts: [part('yes', 10), part('cat', 20)] },
  } as unknown as Parameters<typeof shownOfAnswer>[0];

  it('are those of the word that is pointed at, over the picture and over the question; the whole without one', () => {
    const shown = shownOfAnswer(explained, 1);
    expect([...shown.image!.patches]).toEqual([20, 21, 22, 23, 24, 25]);
    expect(shown.image!.view).toEqual(map.view);
    expect(shown.words!.map(word => [word.text, word.value])).toEqual([
      ['a', 20],
      ['cat', 40],
    ]);
    for (const whole of [undefined, 7]) expect([...shownOfAnswer(explained, whole).image!.patches]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe('a panel', () => {
  it('keeps nothing of what it showed when it is emptied: no map stands under the name of another method', () => {
    const panel = newPanel('m2ib');
    const result = { kind: 'result', method: 'm2ib' } as unknown as ResultEvent;
    update(panel, { status: 'done', result, failure: 'x', warnings: ['y'] });
    update(panel, EMPTY);
    expect(panel.state.peek()).toEqual({ status: 'empty', image: [], text: [], warnings: [] });
  });
});

describe('frames', () => {
  const frame = (step: number): FrameEvent => ({
    ...{ kind: 'frame', method: 'm2ib', modality: 'image', seed: 0, step, steps: 10, fit: 0.5, compression: 1 },
    tokens: Float32Array.of(99, 1, 2, 3, 4, 5, 6),
    image: { prefixTokens: 1, ...map },
  });

  it('leave the prefix out of the map and of its sum', () => {
    expect([...frameMap(frame(1))!.patches]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(frameTotal(frame(1))).toBe(21);
  });

  it('show the newest one up to a step where some were left out', () => {
    const frames = [frame(1), frame(4), frame(9)];
    expect([1, 3, 4, 8, 10].map(step => frameAt(frames, step)?.step)).toEqual([1, 1, 4, 4, 9]);
    expect(frameAt(frames.slice(1), 2)?.step).toBe(4);
  });

  it('are thinned in long runs, the first and the last never', () => {
    const many = Array.from({ length: MOST_FRAMES + 2 }, (_, i) => frame(i + 1));
    const { frames, by } = thinned(many);
    expect([frames[0].step, frames.at(-1)?.step, by]).toEqual([1, MOST_FRAMES + 2, 2]);
    expect(frames.length).toBeLessThan(MOST_FRAMES);
    expect(thinned(many.slice(2)).by).toBe(1);
  });
});

describe('rows in sight', () => {
  it('are few however long the list is, and cover what is seen', () => {
    const [from, to] = windowOf(5000 * ROW_HEIGHT, 10 * ROW_HEIGHT, 10_000);
    expect(from).toBeLessThanOrEqual(5000);
    expect(to).toBeGreaterThanOrEqual(5010);
    expect(to - from).toBeLessThan(40);
    expect(windowOf(1e9, 600, 3)).toEqual([0, 3]);
    expect(windowOf(0, 600, 0)).toEqual([0, 0]);
  });

  it('are scrolled to only where they are not in sight', () => {
    expect(scrollFor(3, 0, 10 * ROW_HEIGHT)).toBe(0);
    expect(scrollFor(20, 0, 10 * ROW_HEIGHT)).toBe(11 * ROW_HEIGHT);
    expect(scrollFor(2, 5 * ROW_HEIGHT, 10 * ROW_HEIGHT)).toBe(2 * ROW_HEIGHT);
  });
});

describe('boxes of a link', () => {
  it('are those that were drawn; what is none, or lies outside of the picture, is left out', () => {
    expect(boxesOf('1,2.5,30,40;10,4,90,40', size)).toEqual([
      { left: 1, top: 2.5, width: 30, height: 40 },
      { left: 10, top: 4, width: 90, height: 40 },
    ]);
    expect(boxesOf('1,2,3;a,b,c,d;-1,2,3,4;1,2,0,4;50,4,90,40;1e9,0,1,1', size)).toEqual([]);
    expect(boxesOf(undefined, size)).toEqual([]);
  });
});

describe('addresses', () => {
  it('come back as they were written, whatever the caption holds', () => {
    const place = { view: 'attribute', parameters: { text: 'a <b> & "c" #d ? 50 % ü 日本', methods: 'm2ib,rise' } };
    expect(readFragment(writeFragment(place))).toEqual(place);
    expect(writeFragment({ view: 'chat', parameters: { text: '' } })).toBe('#/chat');
    expect(readFragment('#/../x?text=1').view).toBe('');
    expect(readObject('{"against":"a dog"')).toBeUndefined();
    expect(readObject('[1]')).toBeUndefined();
  });
});
