import { beforeAll, describe, expect, it } from 'vitest';
import { analyse } from '../report/comparison/analyse.ts';
import { drawGallery } from '../report/comparison/draw-gallery.ts';
import { resultsJson } from '../report/comparison/json.ts';
import { exampleResults } from '../report/comparison/testing/example-results.ts';
import { exampleRun } from '../report/evaluation/testing/example-run.ts';
import { exactJson } from '../system/exact-json.ts';
import { comparisonView, robustnessView } from './evidence-files.ts';

let json: string;
let analysis: ReturnType<typeof analyse>;
beforeAll(async () => {
  analysis = analyse(await exampleResults({}), { resamples: 50, flips: 49 });
  json = Buffer.concat([...resultsJson(analysis, await drawGallery(analysis.results))]).toString('utf8');
}, 120_000);

describe('comparisonView', () => {
  it('has the very numbers of the analysis, method by method', () => {
    const view = comparisonView(json, 'results.json');
    expect(view.methods.map(m => m.name)).toEqual(analysis.results.methods.map(m => m.name));
    expect(view.parts.length).toBe(analysis.parts.length);
    let compared = 0;
    for (const [p, part] of analysis.parts.entries()) {
      const shown = view.parts[p];
      expect([shown.group, shown.modality, shown.pairs]).toEqual([part.part.group, part.part.modality, part.part.pairs.length]);
      for (const [t, table] of part.tables.entries()) {
        expect(shown.tables[t].metric).toBe(table.metric.name);
        for (const [r, row] of table.rows.entries()) {
          const found = shown.tables[t].rows[r];
          const finite = (v: number): number | null => (Number.isFinite(v) ? v : null);
          expect([found.method, found.rank, found.best]).toEqual([row.method, row.rank, row.best]);
          expect(found.value).toEqual({ value: finite(row.value.estimate), low: finite(row.value.low), high: finite(row.value.high) });
          if (row.toReference) {
            compared++;
            expect(found.toReference).toMatchObject({ p: finite(row.toReference.signFlipHolm), verdict: row.toReference.verdict });
            expect(found.toReference!.difference.value).toEqual(finite(row.toReference.difference.estimate));
          }
        }
      }
      expect(shown.gallery.map(c => c.maps.map(m => m.values.length))).toEqual(
        part.part.gallery.map(c => c.maps.map(m => m.values.length)),
      );
    }
    expect(compared).toBeGreaterThan(3);
    expect(view.parts.flatMap(p => p.gallery)[0].picture).toMatch(/^data:image\/png;base64,/);
  });

  it('refuses another file, a cut one, and one whose picture is no picture', () => {
    expect(() => comparisonView('{', 'x.json')).toThrow('x.json is not JSON');
    expect(() => comparisonView('{"schemaVersion":1}', 'x.json')).toThrow(/does not hold the results of `narrows compare`/);
    const uri = /data:image\/png;base64,[^"]*/.exec(json)![0];
    expect(() => comparisonView(json.replace(uri, 'https://example.org/track.png'), 'x.json')).toThrow(/picture: is no picture/);
    expect(() => comparisonView(json.replace(uri, 'data:image/svg+xml;base64,AAAA'), 'x.json')).toThrow(/picture: is no picture/);
  });
});

describe('robustnessView', () => {
  it('keeps what the file says', () => {
    const { results } = exampleRun();
    const view = robustnessView(exactJson(results), 'results.json');
    expect(JSON.parse(exactJson(view.results))).toEqual(JSON.parse(exactJson(results)));
    expect(() => robustnessView('[]', 'x.json')).toThrow(/x.json does not hold the results of `narrows evaluate`/);
  });
});
