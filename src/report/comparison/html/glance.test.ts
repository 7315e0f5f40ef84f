import { beforeAll, describe, expect, it } from 'vitest';
import { type Analysis, analyse, type MethodRow, type PartAnalysis } from '../analyse.ts';
import { exampleResults } from '../testing/example-results.ts';
import { glanceHtml } from './glance.ts';

let analysis: Analysis;
let part: PartAnalysis;
beforeAll(async () => {
  analysis = analyse(await exampleResults({ pairs: 4, seeds: 1, perFamily: 2 }), { resamples: 50, flips: 19 });
  [part] = analysis.parts;
});

/** The cells of the one metric's row, with rows of given ranks: rank 1 is best; names in `alike` are not told apart from it. */
function glance(ranks: readonly (readonly [method: string, rank: number])[], alike: readonly string[], control?: string): string[] {
  const table = part.tables.find(t => t.metric.direction !== 'none' && t.metric.category !== 'cost')!;
  const like = { ...table.rows.find(r => r.toBest)!.toBest!, verdict: 'alike' } as const;
  const rows = ranks.map(([method, rank]): MethodRow => {
    const value = { ...table.rows[0].value, estimate: rank / 8, low: rank / 8 - 0.01, high: rank / 8 + 0.01 };
    return {
      ...table.rows[0],
      method,
      rank,
      best: rank === 1,
      value,
      toBest: alike.includes(method) ? like : { ...like, verdict: 'worse' },
    };
  });
  const methods = analysis.results.methods.map(
    m => ({ ...m, title: `<${m.name}>`, family: m.name === control ? 'control' : 'gradient' }) as const,
  );
  const html = glanceHtml(
    { ...analysis, results: { ...analysis.results, methods, reference: ranks[1][0] } },
    { ...part, tables: [{ ...table, best: ranks.find(([, rank]) => rank === 1)![0], rows }] },
  );
  const row = html.split('<tr>').at(-1)!;
  return [...row.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map(m => m[1]);
}

describe('a row of the first table', () => {
  const name = (i: number): string => analysis.results.methods[i].name;
  const shown = (i: number): string => `&lt;${name(i)}&gt;`;

  it('names the best, then what does not differ from it in the order of ranks, and where the reference stands', () => {
    const [best, alike, reference, control] = glance(
      [
        [name(0), 3],
        [name(1), 4],
        [name(2), 1],
        [name(3), 2],
      ],
      [name(0), name(3)],
    );
    expect(best).toContain(`<b>${shown(2)}</b>`);
    expect(best).toMatch(/0\.125.*\[0\.115, 0\.135\]/);
    expect(alike).toBe(`${shown(3)}, ${shown(0)}`);
    expect(reference).toMatch(/^0\.5.*rank 4 of 4/);
    expect(control).toBe('');
  });

  it('lists four, counts the rest, and warns where a control is not clearly different', () => {
    const six = Array.from({ length: 6 }, (_, i): [string, number] => [name(i), 6 - i]);
    const [, alike, , control] = glance(
      six,
      six.slice(0, 5).map(([method]) => method),
      name(2),
    );
    expect(alike).toContain(`${[4, 3, 2, 1].map(shown).join(', ')} <span`);
    expect(alike).toContain(`title="${shown(0)}">and 1 more`);
    expect(control).toMatch(new RegExp(`^${shown(2)}.*rank 4 of 6.*no clear difference from the best`));
  });

  it('warns where a control is best, and says where nothing is alike', () => {
    const [, alike, , control] = glance(
      [
        [name(0), 1],
        [name(1), 2],
      ],
      [],
      name(0),
    );
    expect(alike).toContain('none');
    expect(control).toContain('a control is best');
  });
});
