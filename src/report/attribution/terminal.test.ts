import { expect, test } from 'vitest';
import { terminalThumbnail } from './bound.ts';
import { columnsOf, terminalSummary, terminalWords } from './terminal.ts';
import { exampleResult } from './testdata/example-result.ts';

const image = { width: 60, height: 40, data: new Uint8Array(60 * 40 * 3).fill(200) };
const result = exampleResult({ caption: 'a cup of coffee on a table', ...image });
const ESC = '\u001b';
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const bare = (text: string) => text.replace(/\u001b\[[\d;]*m/g, '');

test('without colour: one line a word, number and bar, no escape sequences', () => {
  const text = terminalWords(result, { colour: false, columns: 40 });
  expect(text).not.toContain(ESC);
  const lines = text.split('\n');
  expect(lines).toHaveLength(7);
  expect(lines[3]).toMatch(/^coffee {2}1\.42 {2}█{20,}$/);
  expect(lines[0]).toMatch(/^a {7}0\.02$/);
  expect(terminalWords(result, { colour: false, unit: 'bits' }).split('\n')[3]).toContain('2.05');
});

test('in colour: wrapped chips, every line within the columns, colours reset', () => {
  const lines = terminalWords(result, { colour: true, columns: 30 }).split('\n');
  expect(lines.length % 3).toBe(2);
  for (const line of lines.filter(Boolean)) {
    expect(columnsOf(bare(line))).toBeLessThanOrEqual(30);
    expect(line.endsWith(`${ESC}[0m`)).toBe(true);
  }
  expect(bare(lines[0])).toContain('coffee');
  expect(bare(lines[1])).toContain('1.42');
});

test('a caption cannot send escape sequences', () => {
  const nasty = { ...result, text: { ...result.text!, words: [{ ...result.text!.words[0], text: `x${ESC}[2Jy\u202e` }] } };
  expect(terminalWords(nasty, { colour: false })).toContain('x\ufffd[2Jy\ufffd');
});

test('wide characters count two columns, marks none', () => {
  expect(['abc', '猫', '👩‍🚀', 'e\u0301'].map(columnsOf)).toEqual([3, 2, 2, 1]);
});

test('the thumbnail is half blocks in the right number', async () => {
  const lines = (await terminalThumbnail(result, image, 30)).split('\n');
  expect(lines).toHaveLength(10);
  for (const line of lines) expect(bare(line)).toBe('▀'.repeat(30));
  const thin = { width: 640, height: 3, data: new Uint8Array(640 * 9) };
  expect(bare(await terminalThumbnail(exampleResult({ caption: 'a', ...thin }), thin, 20))).toBe('▀'.repeat(20));
});

test('the summary warns', () => {
  expect(terminalSummary(result)).toMatch(/^M2IB on clip-vit-base-patch32 · cosine 0\.287 · image [\d.]+ bits · caption [\d.]+ bits$/);
  expect(terminalSummary(exampleResult({ caption: 'a', ...image, converged: false }))).toContain('NOT CONVERGED');
});
