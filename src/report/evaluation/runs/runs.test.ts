import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ComparedScenario, compareRuns, type RunsComparison } from '../../../evaluation/run/compare-runs.ts';
import { parseCsv } from '../../../system/csv.ts';
import { paperChart } from '../../comparison/svg/palette.ts';
import { exampleScenarios, exampleScoredRun } from '../testing/example-run.ts';
import { pointsInterval, pointsText } from '../view.ts';
import { writeRunsReport } from '../write-runs.ts';
import { runChart, runsCharts } from './charts.ts';
import { runsHtml } from './html.ts';
import { countsText, runsOnSets } from './summary.ts';
import { runsCsv, runsLatex, runsMarkdown, runsTable } from './table.ts';

const few = [...exampleScenarios.slice(0, 4), exampleScenarios[11]];
const run = (model: string, seed: number, text = '') => exampleScoredRun({ model, seed, text, scenarios: few, questions: 40 });
const plain = compareRuns([run('base', 0), run('tuned', 5), run('mini', 9)]);
/** Verdicts of all kinds, whatever was drawn. */
const comparison: RunsComparison = {
  ...plain,
  rows: plain.rows.map((row, i): ComparedScenario => ({ ...row, verdict: (['better', 'worse', 'not significant'] as const)[i % 3] })),
};
const dagger = (verdict: string): string => (verdict === 'not significant' ? '†' : '');
const cells = (html: string): string[] =>
  [...html.matchAll(/<tr[^>]*>(.*?)<\/tr>/gs)].map(([, row]) =>
    row
      .replace(/<svg.*?<\/svg>/gs, '')
      .replace(/<\/t[dh]>/g, '\t')
      .replace(/<[^>]*>/g, '')
      .replaceAll('&lt;', '<')
      .replace(/ +/g, ' ')
      .trim(),
  );

describe('the comparison of runs', () => {
  it('is the same in the page, CSV, Markdown, LaTeX and the terminal', () => {
    const rows = cells(runsHtml(comparison));
    const [head, ...records] = parseCsv(runsCsv(comparison)).map(({ fields }) => fields);
    const markdown = runsMarkdown(comparison);
    const latex = runsLatex(comparison);
    const table = runsTable(comparison);
    expect(latex).toContain('with 95 \\% intervals (paired t over pictures); \\textsuperscript{\\textdagger} not significant');
    expect(latex).toContain('p $\\ge$ 0.05');
    // An unescaped percent sign would swallow the rest of its line.
    expect(latex.split('\n').slice(1).join('\n')).not.toMatch(/(?:^|[^\\])(?:\\\\)*%/m);
    expect(records).toHaveLength(comparison.rows.length);
    expect(table.rows).toHaveLength(comparison.rows.length);
    for (const [i, row] of comparison.rows.entries()) {
      const { changes: c, drop } = row;
      const difference = `${pointsText(c.difference)}${dagger(row.verdict)} ${pointsInterval(c)}`;
      const [a, b] = [row.reference, row.value].map(v => (100 * v).toFixed(1));
      expect(
        rows.filter(
          r =>
            r.startsWith(`${row.scenario}\t${a}\t${b}\t${difference}\t`) &&
            r.includes(`\t${row.verdict}\t${c.rightToWrong}\t\t${c.wrongToRight}\t`),
        ),
      ).not.toEqual([]);
      const field = (name: string) => records[i][head.indexOf(name)];
      expect([field('run'), field('benchmark'), field('scenario'), field('reference')]).toEqual([
        row.run,
        row.benchmark,
        row.scenario,
        'base',
      ]);
      const numbers = {
        reference_value: row.reference,
        run_value: row.value,
        difference: c.difference,
        p_holm: row.adjusted,
        right_to_wrong: c.rightToWrong,
        wrong_to_right: c.wrongToRight,
      };
      for (const [name, value] of Object.entries(numbers)) expect([name, Number(field(name))]).toEqual([name, value]);
      expect(field('drop_difference')).toBe(drop ? String(drop.difference) : '');
      expect(field('verdict')).toBe(row.verdict);
      const escaped = difference.replace('[', '\\[').replace(']', '\\]');
      expect(markdown).toContain(`| ${row.scenario.replaceAll('_', '\\_')} | ${a} | ${b} | ${escaped} |`);
      const tex = difference.replaceAll('−', '$-$').replace('†', '\\textsuperscript{\\textdagger}');
      expect(latex).toContain(`${row.scenario.replaceAll('_', '\\_')} & ${a} & ${b} & ${tex} &`);
      expect(table.rows).toContainEqual(expect.arrayContaining([row.run, row.benchmark, row.scenario, a, b, difference]));
      if (!drop) continue;
      const lost = [-drop.reference, -drop.run].map(pointsText);
      expect(
        rows.some(r =>
          r.startsWith(
            `${row.scenario}\t${lost[0]}\t${lost[1]}\t${pointsText(drop.difference)}${dagger(drop.verdict)} ${pointsInterval(drop)}`,
          ),
        ),
      ).toBe(true);
    }
  });

  it('counts where a run is better', () => {
    for (const one of runsOnSets(comparison)) {
      const all = comparison.rows.filter(row => row.run === one.run && row.benchmark === one.benchmark);
      expect(one.counts.better).toBe(all.filter(row => row.verdict === 'better').length);
      expect(one.counts.worse).toBe(all.filter(row => row.verdict === 'worse').length);
      expect(one.rows).toHaveLength(all.length);
    }
    expect(countsText({ better: 3, worse: 0, 'not significant': 2 })).toBe('better under 3, not significant under 2 of 5');
  });

  it('says where the figure prefers the other run', () => {
    const [row] = comparison.rows;
    const turned = { ...row, reference: 0.5, value: 0.6, changes: { ...row.changes, difference: -0.1 } };
    const odd = { ...comparison, rows: [turned] };
    const sentence = `${row.scenario}: accuracy goes up (50.0 to 60.0), the share of right answers down (−10.0 points).`;
    expect(runsHtml(odd)).toContain(sentence);
    expect(runsTable(odd).notes).toContain(`${row.run} on ${row.benchmark}, ${sentence}`);
    expect(runsMarkdown(odd)).toContain('accuracy goes up');
    expect(runsHtml({ ...comparison, rows: [{ ...turned, value: 0.4 }] })).not.toContain('accuracy goes');
  });

  it('draws what is better at the right', () => {
    const svg = runChart(comparison, 'tuned', 'score', paperChart)!.svg;
    expect(svg).toContain('tuned minus base');
    const [row] = comparison.rows.filter(r => r.run === 'tuned' && r.verdict === 'better');
    expect(svg).toContain(
      `${row.title}, ${row.scenario}: ${pointsText(row.changes.difference)} ${pointsInterval(row.changes)} points, ${row.changes.n} questions, better`,
    );
    expect(runsCharts(comparison).map(({ name }) => name)).toEqual(
      ['tuned', 'mini'].flatMap(name => ['light', 'dark'].flatMap(theme => [`differences-${name}-${theme}`, `losses-${name}-${theme}`])),
    );
  });

  it('keeps hostile names as text', () => {
    const nasty = compareRuns([run('base', 0, '<script>x</script>'), run('=1+1<img src=x>', 5, '<script>x</script>')]);
    const html = runsHtml(nasty);
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html).not.toContain('<img');
    expect(parseCsv(runsCsv(nasty))[1].fields[1]).toBe("'=1+1<img src=x>");
    expect(runsMarkdown(nasty)).not.toContain('<script');
  });

  it('says where there is nothing to compare', () => {
    const none: RunsComparison = { ...comparison, rows: [], warnings: ['mini has no answers to pope, so it is not compared on it.'] };
    expect(runsHtml(none)).toContain('share no question');
    expect(runsHtml(none)).toContain('mini has no answers to pope');
    expect(runsCharts(none)).toEqual([]);
    expect(runsTable(none).rows).toEqual([]);
  });

  it('is written', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'narrows-'));
    const files = await writeRunsReport(directory, comparison);
    expect(files.map(f => f.slice(directory.length + 1)).slice(0, 5)).toEqual(
      ['html', 'json', 'csv', 'tex', 'md'].map(ending => `comparison.${ending}`),
    );
    expect(JSON.parse(await readFile(join(directory, 'comparison.json'), 'utf8')).rows).toHaveLength(comparison.rows.length);
    await rm(directory, { recursive: true });
  });
});
