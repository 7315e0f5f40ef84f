/** The table of many explained answers: every figure stands below its heading, whatever a row lacks. */
import { expect, it } from 'vitest';
import { type AnswerRow, answersIndexHtml } from './answers-index.ts';

const given = { image: 'a.png', question: 'what?', answer: 'yes', own: false, href: 'answers/a.html' };
const ROWS: readonly AnswerRow[] = [
  { ...given, logProbability: Math.log(0.25), imageMass: 12, imageShare: 0.375, insideBox: 0.5, warnings: ['cut'] },
  { ...given, own: true, logProbability: 0, imageMass: 0, imageShare: 0 },
  { image: 'gone.png', question: 'where?', failure: 'not there' },
];

/** Cells of each row by the heading that they stand below: the value that is sorted by, and the name that a phone shows. */
function cells(html: string): Record<string, { value: string; name: string | undefined; text: string }>[] {
  const heads = [...html.matchAll(/<th [^>]*><button[^>]*>([^<]*)<\/button>/g)].map(found => found[1]);
  const body = /<tbody>([\s\S]*)<\/tbody>/.exec(html)![1];
  return [...body.matchAll(/<tr>(.*)<\/tr>/g)].map(row => {
    const found = [...row[1].matchAll(/<td([^>]*)>(.*?)<\/td>/g)];
    expect(found).toHaveLength(heads.length);
    const attribute = (text: string, name: string): string | undefined => new RegExp(`${name}="([^"]*)"`).exec(text)?.[1];
    return Object.fromEntries(
      found.map(([, attributes, text], i) => [
        heads[i],
        { value: attribute(attributes, 'data-value')!, name: attribute(attributes, 'data-name'), text },
      ]),
    );
  });
}

it.each(['nats', 'score'] as const)('has every figure below its heading, in %s', unit => {
  const mass = unit === 'nats' ? 'Nats from the picture' : 'Mass on the picture';
  const rows = cells(answersIndexHtml(ROWS, { title: 'Answers', unit }));
  const numbers = (row: (typeof rows)[number]) =>
    ['Probability', mass, 'From the picture', 'Inside the box'].map(name => (row[name].value === '' ? undefined : Number(row[name].value)));
  expect(numbers(rows[0])).toEqual([expect.closeTo(0.25, 12), 12, 0.375, 0.5]);
  // An answer that is certain has probability 1.
  expect(numbers(rows[1])).toEqual([1, 0, 0, undefined]);
  expect(rows[1].Probability.text).toMatch(/^100/);
  expect(numbers(rows[2])).toEqual([undefined, undefined, undefined, undefined]);
  expect(rows.map(row => row.Remarks.value)).toEqual(['cut', '', 'failed: not there']);
  expect(rows.map(row => row.Answer.text.includes('(given)'))).toEqual([true, false, false]);
  for (const row of rows) for (const [name, cell] of Object.entries(row)) if (cell.value !== '') expect(cell.name).toBe(name);
});
