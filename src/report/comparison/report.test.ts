import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComparisonResults } from '../../evaluation/compare/results.ts';
import { csvCell } from '../../system/csv.ts';
import { NarrowsError } from '../../system/errors.ts';
import { type Analysis, analyse } from './analyse.ts';
import { partCharts } from './charts.ts';
import { tablesCsv } from './csv.ts';
import { type DrawnGallery, drawGallery } from './draw-gallery.ts';
import { intervalText, numberText, optionsText, pText, rangeText, secondsText, signed, slug } from './format.ts';
import { comparisonHtml } from './html.ts';
import { resultsFromJson, resultsJson } from './json.ts';
import { latexText, tablesLatex } from './latex.ts';
import { markdownText, tablesMarkdown } from './markdown.ts';
import { paperChart } from './svg/palette.ts';
import { exampleResults } from './testing/example-results.ts';
import { writeReport } from './write-report.ts';

const nasty = `</script><img src=x onerror=alert(1)> "it's" & | $x_1$ \\ % 50 <!-- =1+1`;
const options = { resamples: 100, flips: 99 };
const textOf = (pieces: Iterable<Uint8Array>): string => Buffer.concat([...pieces]).toString('utf8');

let results: ComparisonResults;
let analysis: Analysis;
let hostile: Analysis;
let drawn: DrawnGallery;
/** The page of an analysis. */
const pageOf = async (of: Analysis): Promise<string> => comparisonHtml(of, await drawGallery(of.results));
let directory: string;

beforeAll(async () => {
  results = await exampleResults({ pairs: 6, seeds: 2, perFamily: 2 });
  // One metric is never defined, one is the same for all.
  const parts = results.parts.map(part => {
    const set = (value: number) =>
      Object.fromEntries(Object.entries(part.values.aid).map(([method, rows]) => [method, rows.map(r => r.map(() => value))]));
    return { ...part, values: { ...part.values, infidelity: set(Number.NaN), 'iou-otsu': set(0.5) } };
  });
  results = { ...results, parts };
  analysis = analyse(results, options);
  drawn = await drawGallery(results);
  hostile = analyse(await exampleResults({ pairs: 2, seeds: 1, text: nasty, perFamily: 1 }), options);
  directory = await mkdtemp(join(tmpdir(), 'narrows-report-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Tags close in the order in which they opened; attribute values are quoted. */
function expectBalanced(html: string): void {
  const open: string[] = [];
  const hollow = new Set(['meta', 'img', 'br']);
  const bare = html.replace(/<!doctype html>|<\?xml[^>]*\?>/, '').replace(/(<(script|style)[^>]*>)[\s\S]*?(<\/\2>)/g, '$1$3');
  const tag = /<(\/?)([a-zA-Z][\w-]*)((?:\s+[\w:-]+(?:="[^"<]*")?)*)\s*\/?>/g;
  let seen = 0;
  for (const [whole, close, name] of bare.matchAll(tag)) {
    seen++;
    if (close) expect(open.pop()).toBe(name);
    else if (!hollow.has(name) && !whole.endsWith('/>')) open.push(name);
  }
  expect(open).toEqual([]);
  expect(bare.match(/</g)?.length).toBe(seen);
}

describe('CSV', () => {
  it('quotes, defuses formulas, leaves NaN empty', () => {
    expect(csvCell('a,b')).toBe('"a,b"');
    expect(csvCell('say "no"\n')).toBe('"say ""no""\n"');
    expect(csvCell('=1+1')).toBe("'=1+1");
    expect(csvCell('-1')).toBe("'-1");
    expect([csvCell(-1.5), csvCell(Number.NaN), csvCell(undefined), csvCell(true)]).toEqual(['-1.5', '', '', 'true']);
  });
  it('has a line per part, metric and method, all of one width', () => {
    const lines = textOf(tablesCsv(analysis)).trimEnd().split('\r\n');
    const rows = analysis.parts.flatMap(p => p.tables.map(t => t.rows.length)).reduce((a, b) => a + b, 0);
    expect(lines).toHaveLength(rows + 1);
    // No cell of this comparison has a comma within.
    expect(new Set(lines.filter(l => !l.includes('"')).map(l => l.split(',').length)).size).toBe(1);
    const find = (metric: string) => lines.find(l => l.includes(`,${metric},`) && l.includes(',saliency,'))!.split(',');
    const head = lines[0].split(',');
    expect(find('insertion')[head.indexOf('mean')]).toBe(
      String(analysis.parts[0].tables.find(t => t.metric.name === 'insertion')!.rows.find(r => r.method === 'saliency')!.value.estimate),
    );
    expect(find('infidelity')[head.indexOf('mean')]).toBe('');
    expect(find('infidelity')[head.indexOf('nan_values')]).toBe('6');
  });
});

describe('JSON', () => {
  it('comes back as it was, NaN, pictures and maps included', async () => {
    const text = textOf(resultsJson(analysis, drawn));
    const back = await resultsFromJson(text);
    expect(back.parts[0].values.infidelity.saliency[0]).toEqual([Number.NaN]);
    expect(back.parts[0].values.insertion.saliency[0][0]).toBeCloseTo(results.parts[0].values.insertion.saliency[0][0], 8);
    const rest = ({ parts, ...all }: ComparisonResults) => ({ ...all, parts: parts.map(({ values: _, gallery: __, ...p }) => p) });
    expect(rest(back)).toEqual(JSON.parse(JSON.stringify(rest(results))));
    for (const [p, { gallery }] of results.parts.entries())
      for (const [c, one] of gallery.entries()) {
        const again = back.parts[p].gallery[c];
        expect(again.picture).toEqual(one.picture);
        expect(again).toMatchObject({ place: one.place, pair: one.pair, caption: one.caption, metric: one.metric });
        expect(again.maps.map(m => [m.method, m.value, m.unit])).toEqual(one.maps.map(m => [m.method, m.value, m.unit]));
        for (const [m, map] of one.maps.entries())
          for (let i = 0; i < map.values.length; i++) expect(again.maps[m].values[i]).toBeCloseTo(map.values[i], 6);
      }
    const found = JSON.parse(text).analysis.parts[0].tables.find((t: { metric: string }) => t.metric === 'insertion');
    expect(found.rows).toHaveLength(analysis.parts[0].tables[2].rows.length);
    expect(textOf(tablesCsv(analyse(back, options))).split('\n')).toHaveLength(textOf(tablesCsv(analysis)).split('\n').length);
  });
  it('keeps long numbers of the list as they are written', async () => {
    const [first, ...rest] = results.parts;
    const [pair, ...pairs] = first.pairs;
    const long = { ...results, parts: [{ ...first, pairs: [{ ...pair, further: { id: 9007199254740993n } }, ...pairs] }, ...rest] };
    const text = textOf(resultsJson(analyse(long, options), drawn));
    expect(text).toContain('"further":{"id":9007199254740993}');
    expect((await resultsFromJson(text)).parts[0].pairs[0].further).toEqual({ id: 9007199254740993n });
  });
  it('refuses what is no comparison', async () => {
    await expect(resultsFromJson('{', 'x.json')).rejects.toThrow(/x\.json is not JSON/);
    await expect(resultsFromJson('{"schemaVersion":2}', 'x.json')).rejects.toThrow(/does not hold the results/);
    await expect(resultsFromJson('{"schemaVersion":1}', 'x.json')).rejects.toThrow(/earlier version.*resumes from its cache/);
    await expect(resultsFromJson('null')).rejects.toThrow(NarrowsError);
    const broken = textOf(resultsJson(analysis, drawn)).replaceAll('data:image/png;base64,iVBOR', 'data:image/png;base64,AAAA');
    await expect(resultsFromJson(broken)).rejects.toThrow(/cannot be decoded/);
  });
});

describe('LaTeX and Markdown', () => {
  it('escape everything that has a meaning', () => {
    expect(latexText('50 % of $x_1^2$ & {#} ~ \\')).toBe(
      '50 \\% of \\$x\\_1\\textasciicircum{}2\\$ \\& \\{\\#\\} \\textasciitilde{} \\textbackslash{}',
    );
    expect(latexText('a -- <b> "c"\n×')).toBe(
      'a -{}- \\textless{}b\\textgreater{} \\textquotedbl{}c\\textquotedbl{} \\ensuremath{\\times}',
    );
    expect(markdownText('a|b *c* _d_ <e> `f` [g](h)\n&')).toBe('a\\|b \\*c\\* \\_d\\_ &lt;e&gt; \\`f\\` \\[g\\](h) &amp;');
  });
  it('LaTeX: balanced tables that hold every method and metric, best in bold', () => {
    const tex = tablesLatex(analysis);
    expect(tex.match(/\\begin\{tabular\}/g)?.length).toBe(tex.match(/\\end\{tabular\}/g)?.length);
    for (const { title } of [...results.methods, ...results.metrics]) expect(tex).toContain(latexText(title));
    for (const table of tex.split('\\begin{tabular}').slice(1)) {
      const columns = /^\{(l+)\}/.exec(table)![1].length;
      const rows = table.split('\n').filter(l => / \\\\$/.test(l));
      for (const row of rows) expect(row.replace(/\\&/g, '').split('&')).toHaveLength(columns);
      expect(columns).toBeLessThanOrEqual(5);
    }
    // A caption names the part and the category of the metrics under it.
    const captions = [...tex.matchAll(/\\caption\{(.*)\n/g)].map(m => m[1]);
    const reference = results.methods.find(m => m.name === results.reference)!;
    for (const caption of captions) expect(caption).toContain(`better or worse than ${latexText(reference.title)} (`);
    expect(captions).toHaveLength(tex.match(/\\begin\{tabular\}/g)!.length);
    for (const [i, table] of tex.split('\\begin{tabular}').slice(1).entries()) {
      const category = /^.*?, ([a-z]+)\. /.exec(captions[i])![1];
      const titles = results.metrics.filter(m => table.split('\\midrule')[0].includes(`& ${latexText(m.title)}`));
      expect(titles.length).toBeGreaterThan(0);
      for (const metric of titles) expect(metric.category).toBe(category);
    }
    expect(tex).toMatch(/\\textbf\{[\d.]+\}/);
    expect(tex).toContain('6 NaN');
    expect(tablesLatex(hostile)).not.toMatch(/(?<!\\)[%#](?! Model| Needs)/);
  });
  it('Markdown: every row as wide as its head', () => {
    for (const text of [tablesMarkdown(analysis), tablesMarkdown(hostile)]) {
      let width = 0;
      for (const line of text.split('\n')) {
        const cells = line.startsWith('|') ? line.replace(/\\\|/g, '').split('|').length : 0;
        if (cells > 0 && width > 0) expect(cells).toBe(width);
        width = cells;
      }
    }
    for (const { title } of results.metrics) expect(tablesMarkdown(analysis)).toContain(markdownText(title));
    expect(tablesMarkdown(hostile)).not.toContain('<img');
  });
});

describe('the page', () => {
  it('is one file that asks for nothing, and its policy admits only its own script', async () => {
    const html = await pageOf(analysis);
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\//);
    for (const [, source] of html.matchAll(/\s(?:src|href)="([^"]*)"/g)) expect(source).toMatch(/^data:image\/|^#(part-\d|provenance)$/);
    expectBalanced(html);
    const policy = /Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? '';
    for (const tag of ['script', 'style']) {
      const inner = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html)?.[1] ?? '';
      expect(policy).toContain(`'sha256-${createHash('sha256').update(inner).digest('base64')}'`);
      if (tag === 'script') expect(() => new Function(inner)).not.toThrow();
    }
    expect(html).not.toMatch(/\sstyle="|\son[a-z]+="|javascript:/);
  });
  it('has every method, metric, reading, part, and the NaN counts', async () => {
    const html = await pageOf(analysis);
    for (const { title } of results.methods) expect(html).toContain(title);
    for (const { title, reading } of results.metrics) for (const text of [title, reading]) expect(html).toContain(text);
    for (const { group } of results.parts) expect(html).toContain(group);
    expect(html).toContain('<span class="nan">6 NaN</span>');
    expect(html.match(/<b>(Best|Median|Worst) case<\/b>/g)).toHaveLength(9);
    expect(html).toContain('Nothing is drawn.');
    expect(html).not.toMatch(/NaN[,\]]|undefined|\[object|"NaN"|Infinity/);
    const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map(m => m[1]);
    expect(new Set(ids).size).toBe(ids.length);
  });
  it('escapes every text', async () => {
    const html = await pageOf(hostile);
    expect(html).not.toContain('<img src=x');
    expectBalanced(html);
  });
  it('stands one pair and one seed', async () => {
    const html = await pageOf(analyse(await exampleResults({ pairs: 1, seeds: 1, gallery: false, perFamily: 1 }), options));
    expect(html).toContain('no intervals and no tests with one');
    expect(html).not.toMatch(/NaN[,\]]|"NaN"|undefined|Infinity/);
    expectBalanced(html);
  });
});

describe('charts', () => {
  it('are sound SVG, whatever the names, without a NaN', () => {
    for (const each of [analysis, hostile])
      for (const part of each.parts)
        for (const { chart } of partCharts(each, part, paperChart, true)) {
          expectBalanced(chart.svg);
          expect(chart.svg).not.toMatch(/NaN|undefined|Infinity|var\(/);
        }
  });
});

describe('writeReport', () => {
  it('writes everything, and the paths it returns', async () => {
    const paths = await writeReport(results, directory, options);
    const names = paths.map(p => p.slice(directory.length + 1));
    expect(names.slice(0, 5)).toEqual(['report.html', 'tables.csv', 'results.json', 'tables.tex', 'tables.md']);
    expect(names.filter(n => /^figures\/[a-z0-9-]+\.svg$/.test(n))).toHaveLength(paths.length - 5);
    expect(new Set(paths).size).toBe(paths.length);
    for (const path of paths) expect((await readFile(path)).length).toBeGreaterThan(100);
    expect((await resultsFromJson(await readFile(join(directory, 'results.json'), 'utf8'))).reference).toBe('m2ib');
  });
  it('says in one sentence where it cannot write', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    await expect(writeReport({ ...results, parts: [] }, file, options)).rejects.toThrow(/Cannot write .*not a directory/);
  });
});

describe('numbers', () => {
  it('a single value that is not defined is counted in its cell', () => {
    const method = 'saliency';
    const [first, ...others] = results.parts;
    const rows = first.values.aid[method].map((row, i) => row.map((v, s) => (i === 0 && s === 0 ? Number.NaN : v)));
    const part = { ...first, values: { ...first.values, aid: { ...first.values.aid, [method]: rows } } };
    const cellsOf = (of: Analysis): number => (tablesMarkdown(of).match(/\(1 NaN\)|, 1 NaN\)/g) ?? []).length;
    expect(cellsOf(analyse({ ...results, parts: [part, ...others] }, options))).toBe(cellsOf(analysis) + 1);
  });

  it('of a cost reach every table: median, least, most and how many', () => {
    expect(rangeText({ range: [0.03, 0.2], measurements: 4 })).toBe('30 ms to 200 ms');
    expect([rangeText({ range: [1, 1], measurements: 1 }), rangeText({})]).toEqual(['', '']);
    const method = 'saliency';
    const { seconds, range, measurements } = results.parts[0].cost[method];
    const title = results.methods.find(m => m.name === method)!.title;
    const shown = [secondsText(seconds), rangeText({ range, measurements }), '3'];
    const row = tablesMarkdown(analysis)
      .split('\n')
      .find(l => l.startsWith(`| ${title} | gradient`))!;
    expect(row.split(' | ').slice(3, 6)).toEqual(shown);
    const part = comparisonHtml(analysis, drawn).split('<h4>methods and cost</h4>')[1].split('</table>')[0];
    const cells = part
      .split('<tr')
      .find(r => r.includes(`data-value="${title}"`))!
      .match(/<td[^>]*>[^<]*/g)!;
    expect(cells.slice(0, 3).map(c => c.replace(/.*>/, ''))).toEqual(shown);
    const [head, ...lines] = textOf(tablesCsv(analysis)).split('\r\n');
    const line = lines.find(l => l.includes(`,${method},`))!.split(',');
    const names = head.split(',');
    expect(names.slice(-6)).toEqual(['seconds', 'forward', 'backward', 'seconds_least', 'seconds_most', 'measurements']);
    const cost = results.parts[0].cost[method];
    expect(line.slice(-6, -3).map(Number)).toEqual([cost.seconds, cost.forward, cost.backward]);
    expect(line.slice(-3).map(Number)).toEqual([...range!, 3]);
  });

  it('are written plainly', () => {
    expect([pText(0.0004), pText(0.0234), pText(1), pText(Number.NaN)]).toEqual(['<0.001', '0.023', '1', '–']);
    expect([signed(0.123, 2), signed(-0.123, 2), signed(0.001, 2), signed(Number.NaN, 2)]).toEqual(['+0.12', '−0.12', '0.00', '–']);
    const sizes = [0, 0.00012, -0.0123456, 12345.6, 2.5e7, Number.NaN].map(v => numberText(v, 'significant'));
    expect(sizes).toEqual(['0', '1.2e−4', '−0.0123', '12346', '2.5e+7', '–']);
    expect([secondsText(0.0123), secondsText(1.234), secondsText(600), secondsText(Number.NaN)]).toEqual(['12 ms', '1.2 s', '10 min', '–']);
    expect([intervalText(0.1, 0.2, 1), intervalText(Number.NaN, 1, 1)]).toEqual(['[0.1, 0.2]', '']);
    expect([slug('Images: flat (trained) é'), slug('חתול')]).toEqual(['images-flat-trained-e', 'part']);
    expect(optionsText({ name: '', title: '', family: 'control', options: { steps: 5, layer: 'last' } })).toBe('steps 5, layer last');
  });
});
