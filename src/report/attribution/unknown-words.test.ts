/** @file A word that the model's vocabulary lacks says so wherever a result is shown or stored. */
import { expect, it } from 'vitest';
import { figureSvg, reportHtml } from './bound.ts';
import { attributionFromJson, attributionToJson } from './json.ts';
import { terminalWords } from './terminal.ts';
import { exampleResult } from './testdata/example-result.ts';

const image = { width: 60, height: 40, data: new Uint8Array(60 * 40 * 3).fill(200) };
const known = exampleResult({ caption: 'a cup of coffee on a table', ...image });
const result = {
  ...known,
  text: { ...known.text!, words: known.text!.words.map(word => (word.text === 'cup' ? { ...word, unknown: true as const } : word)) },
};

it('is marked in the terminal, in SVG, HTML and JSON, and no other word is', async () => {
  const shown = [
    terminalWords(result, { colour: false }),
    terminalWords(result, { colour: true, columns: 200 }),
    await figureSvg(result, image),
    await reportHtml([{ result, image }]),
  ];
  for (const text of shown) {
    expect(text).toContain('cup (unknown)');
    expect(text).not.toContain('coffee (unknown)');
  }
  expect(await figureSvg(known, image)).not.toContain('(unknown)');
  const words = attributionFromJson(attributionToJson(result)).text?.words;
  expect(words?.filter(word => word.unknown).map(word => word.text)).toEqual(['cup']);
});
