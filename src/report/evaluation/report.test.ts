import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationResults } from '../../evaluation/run/results.ts';
import { parseCsv } from '../../system/csv.ts';
import { NarrowsError } from '../../system/errors.ts';
import { pText } from '../comparison/format.ts';
import { embedAnswers } from './answers.ts';
import { evaluationCharts } from './charts.ts';
import { figuresCsv, scoresCsv } from './csv.ts';
import { drawWorst } from './draw-worst.ts';
import { disagreements } from './html/changes.ts';
import { evaluationHtml } from './html.ts';
import { scoresLatex } from './latex.ts';
import { scoresMarkdown } from './markdown.ts';
import { distancesOf } from './svg/distance-chart.ts';
import { exampleRun, exampleScenarios } from './testing/example-run.ts';
import { byKind, figureText, pointsInterval, pointsText, scenarioTitle, scoreInterval } from './view.ts';
import { writeEvaluationReport } from './write-report.ts';

const nasty = `</script><img src=x onerror=alert(1)> "it's" & | $x_1$ \\ % 50 <!-- \u001b[2J\u202e`;
const { results, answers } = exampleRun();

const pageOf = async (of: EvaluationResults, lines = answers): Promise<string> => evaluationHtml(of, await embedAnswers(lines, of));
/** Text of every row of every table of a page, cells parted by tabs, without marks. */
const rowsOf = (html: string): string[] =>
  [...html.matchAll(/<tr[^>]*>(.*?)<\/tr>/gs)].map(([, row]) =>
    row
      .replace(/<svg.*?<\/svg>/gs, '')
      .replace(/<\/t[dh]>/g, '\t')
      .replace(/<[^>]*>/g, '')
      .replace(/ +/g, ' ')
      .trim(),
  );
const sectionOf = (html: string, id: string): string => html.match(new RegExp(`<section class="part" id="${id}">.*?</section>`, 's'))![0];

let page: string;
let directory: string;
beforeAll(async () => {
  page = await pageOf(results);
  directory = await mkdtemp(join(tmpdir(), 'narrows-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('every way out says what the results say', () => {
  it('CSV', () => {
    const [head, ...records] = parseCsv(scoresCsv(results)).map(({ fields }) => fields);
    const find = (benchmark: string, scenario: string, scorer: string) => {
      const found = records.find(r => r[0] === benchmark && r[2] === scenario && r[head.indexOf('scorer')] === scorer)!;
      return (column: string) => found[head.indexOf(column)];
    };
    expect(records).toHaveLength(results.sets.reduce((sum, set) => sum + 2 * set.scenarios.length, 0));
    for (const set of results.sets)
      for (const one of set.scenarios) {
        const cell = find(set.benchmark, one.scenario.name, set.scorer);
        const { score, againstClean: c } = one;
        const { accuracy } = score.metrics;
        expect([cell('value'), cell('low'), cell('high'), cell('n'), cell('missing')].map(Number)).toEqual([
          accuracy,
          score.interval.low,
          score.interval.high,
          score.n,
          score.missing,
        ]);
        const names = [
          'difference',
          'difference_low',
          'difference_high',
          'p_holm',
          'right_to_wrong',
          'wrong_to_right',
          'share_clean',
          'share_shifted',
        ];
        const wanted = c && [c.difference, c.low, c.high, c.adjusted, c.rightToWrong, c.wrongToRight, c.a, c.b];
        expect(names.map(cell)).toEqual(names.map((_, i) => (wanted ? String(wanted[i]) : '')));
        expect(cell('emid')).toBe(one.distances ? String(one.distances.emid) : '');
        expect(find(set.benchmark, one.scenario.name, 'pope@lmms-eval')('value')).toBe(
          String(one.others['pope@lmms-eval'].metrics.accuracy),
        );
      }
  });

  it('all figures, by category and split', () => {
    const records = parseCsv(figuresCsv(results)).map(({ fields }) => fields);
    const { score, scenario } = results.sets[1].scenarios[2];
    const has = (part: string, name: string, figure: string, value: number) =>
      expect(records).toContainEqual(['scenes-pope', scenario.name, 'pope@official', part, name, figure, String(value)]);
    has('whole', '', 'yesRatio', score.metrics.yesRatio);
    has('category', 'count', 'accuracy', score.byCategory.count.accuracy);
    has('split', 'adversarial', 'accuracy', score.bySplit!.adversarial.accuracy);
  });

  it('the page: scores, changes, power, and the matrix', () => {
    const [scores, changes, power] = ['scores', 'changes', 'power'].map(id => rowsOf(sectionOf(page, id)));
    for (const set of results.sets)
      for (const { scenario, score, againstClean: c, kind } of set.scenarios) {
        const shown = figureText(score.metrics.accuracy, 1);
        expect(
          scores.filter(r => r.startsWith(`${scenarioTitle(scenario)}\t`) && r.includes(`${shown} ${scoreInterval(score, 1)}`)),
        ).not.toEqual([]);
        if (kind === 'clean') continue;
        const row = [
          scenarioTitle(scenario),
          figureText(c!.a, 1),
          figureText(c!.b, 1),
          `${pointsText(c!.difference)}${c!.adjusted < 0.05 ? '' : '†'} ${pointsInterval(c!)}`,
          '',
          pText(c!.pValue),
          pText(c!.adjusted),
          c!.rightToWrong,
          '',
          c!.wrongToRight,
          pText(c!.mcnemar),
        ].join('\t');
        expect(changes.map(r => r.replaceAll('&lt;', '<'))).toContain(row);
        expect(power).toContain(
          [
            scenarioTitle(scenario),
            c!.n,
            c!.clusters,
            figureText(c!.smallestDifference, 1),
            c!.questionsForOnePoint.toLocaleString('en-US'),
          ].join('\t'),
        );
      }
    const matrix = rowsOf(sectionOf(page, 'matrix'));
    const cellsOf = (i: number) =>
      ['gaussian_noise:2', undefined, 'gaussian_noise:4', undefined].map(name => {
        const c = results.sets[i].scenarios.find(s => s.scenario.name === name)?.againstClean;
        return c ? `${pointsText(c.difference)}${c.adjusted < 0.05 ? '' : '†'}` : '·';
      });
    expect(matrix).toContain(['gaussian noise', ...cellsOf(0), ...cellsOf(1)].join('\t'));
  });

  it('the page: each set at a glance', async () => {
    const glance = (html: string) => rowsOf(sectionOf(html, 'glance'));
    const lineOf = (of: EvaluationResults, i: number) => {
      const set = of.sets[i];
      const first = set.scenarios.find(s => s.kind === 'clean') ?? set.scenarios[0];
      const note = first.kind === 'clean' ? '' : `, ${scenarioTitle(first.scenario)}`;
      const changes = (['visual', 'textual', 'joint'] as const).map(kind => {
        const all = set.scenarios.flatMap(s => (s.kind === kind && s.againstClean ? [s.againstClean.difference] : []));
        return all.length > 0 ? `${pointsText(all.reduce((a, b) => a + b) / all.length)} of ${all.length}` : 'not asked';
      });
      const worst = set.scenarios
        .filter(s => s.againstClean && s.againstClean.difference < 0)
        .sort((a, b) => a.againstClean!.difference - b.againstClean!.difference)[0];
      return [
        `${set.title} ${set.scorer}`,
        `${figureText(first.score.metrics.accuracy, 1)} % ${scoreInterval(first.score, 1)}${note}`,
        ...changes,
        worst
          ? `${scenarioTitle(worst.scenario)} ${pointsText(worst.againstClean!.difference)}${worst.againstClean!.adjusted < 0.05 ? '' : '†'}`
          : '',
        `${set.questions} on ${set.clusters} pictures`,
      ]
        .join('\t')
        .trim();
    };
    expect(glance(page).slice(1)).toEqual([lineOf(results, 0), lineOf(results, 1)]);
    const shifted = exampleRun({ scenarios: [exampleScenarios[1]], sets: ['pope'] }).results;
    const none = { ...shifted, sets: [...shifted.sets, { ...shifted.sets[0], scenarios: [] }] };
    const [, asked, empty] = glance(await pageOf(none, []));
    expect(asked).toBe(lineOf(shifted, 0));
    expect(asked).toContain(', defocus blur, severity 2');
    expect(empty.split('\t')[1]).toBe('–');
  });

  it('the page: categories, other rules, what was left out', () => {
    const [set] = results.sets;
    const parts = rowsOf(sectionOf(page, 'parts'));
    expect(parts).toContain(['count', ...byKind(set).map(s => figureText(s.score.byCategory.count.accuracy, 1))].join('\t'));
    expect(parts).toContain(['random', ...byKind(set).map(s => figureText(s.score.bySplit!.random.accuracy, 1))].join('\t'));
    const other = set.scenarios[3].others['pope@lmms-eval'].metrics.accuracy.toFixed(3);
    expect(
      rowsOf(sectionOf(page, 'rules')).some(
        r => r.startsWith(`${scenarioTitle(set.scenarios[3].scenario)}\t`) && r.includes(`\t${other} `),
      ),
    ).toBe(true);
    expect(sectionOf(page, 'unanswered')).toContain('<b>mmmu</b>: its data are not there');
    expect(rowsOf(sectionOf(page, 'unanswered'))).toContain('pope\tclean\t60\tquestions.jsonl, line 61\ttoo long');
    expect(page.indexOf('no chat template')).toBeLessThan(page.indexOf('id="glance"'));
  });

  it('Markdown and LaTeX', () => {
    const [markdown, latex] = [scoresMarkdown(results), scoresLatex(results)];
    for (const set of results.sets)
      for (const { scenario, score, againstClean: c } of set.scenarios) {
        const shown = figureText(score.metrics.accuracy, 1);
        const dagger = c && c.adjusted >= 0.05;
        const change = c ? `${pointsText(c.difference)}${dagger ? '†' : ''} ${pointsInterval(c)}` : '';
        const line = markdown.split('\n').find(l => l.startsWith(`| ${scenarioTitle(scenario)} |`) && l.includes(scoreInterval(score, 1)))!;
        expect(line.split(' | ').slice(1, 4)).toEqual([`${shown} ${scoreInterval(score, 1)}`, `${score.n} (1 missing)`, change]);
        const tex = (text: string) => text.replaceAll('−', '$-$');
        const row = `${scenarioTitle(scenario)} & ${shown} {\\scriptsize ${scoreInterval(score, 1)}} & ${score.n} & `;
        const points = c
          ? `${tex(pointsText(c.difference))}${dagger ? '\\textsuperscript{\\textdagger}' : ''} {\\scriptsize ${tex(pointsInterval(c))}}`
          : '';
        expect(latex).toContain(row + points);
      }
    expect(latex.match(/\\begin\{tabular\}/g)).toHaveLength(4);
  });

  it('a figure whose best is 2000 is not a percentage, and every scenario counts in the means', () => {
    const [set] = results.sets;
    const scenarios = set.scenarios.map(s => ({ ...s, score: { ...s.score, metrics: { accuracy: 1234.56 } } }));
    const text = scoresMarkdown({ ...results, sets: [{ ...set, best: 2000, scenarios }] });
    expect(text).toContain('**1234.6**');
    expect(text).toContain('of 2000');
    const visual = set.scenarios.filter(s => s.kind === 'visual').map(s => s.againstClean!.difference);
    expect(text).toContain(`${pointsText(visual.reduce((a, b) => a + b) / visual.length)} (of 10)`);
  });
});

describe('a figure that moves against the share of right answers', () => {
  it('is said, in whichever direction', () => {
    const [set] = results.sets;
    const [clean, one] = set.scenarios;
    const moved = (figure: number, difference: number) => ({
      ...set,
      scenarios: [
        { ...clean, score: { ...clean.score, metrics: { accuracy: 0.5 } } },
        { ...one, score: { ...one.score, metrics: { accuracy: figure } }, againstClean: { ...one.againstClean!, difference } },
      ],
    });
    expect(disagreements(moved(0.6, -0.1))).toEqual([
      'defocus blur, severity 2: accuracy goes up (50.0 to 60.0), the share of right answers down (−10.0 points).',
    ]);
    expect(disagreements(moved(0.4, 0.1))[0]).toContain('goes down (50.0 to 40.0), the share of right answers up (+10.0 points)');
    expect([moved(0.4, -0.1), moved(0.6, 0.1), moved(0.505, -0.1), moved(Number.NaN, -0.1)].map(disagreements)).toEqual([[], [], [], []]);
  });
});

describe('distances', () => {
  it('go with the changes of the same scenarios', () => {
    const [set] = results.sets;
    const plot = distancesOf(set).find(p => p.distance === 'emid')!;
    expect(plot.points).toHaveLength(16);
    for (const point of plot.points) {
      const one = set.scenarios.find(s => scenarioTitle(s.scenario) === point.name)!;
      expect([point.distance, point.change]).toEqual([one.distances!.emid, 100 * one.againstClean!.difference]);
    }
    expect(plot.correlation.r).toBeGreaterThan(0.5);
    expect(page).toContain('r = 0.');
    expect(distancesOf(exampleRun({ distances: false }).results.sets[0])).toEqual([]);
  });
});

describe('hostile texts', () => {
  it('stay texts in the page, and the data keep them', async () => {
    const hostile = exampleRun({ text: nasty, questions: 6 });
    const html = await pageOf(hostile.results, hostile.answers);
    expect(html).not.toMatch(/<img src=x/);
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html).not.toContain('<!--');
    const data = JSON.parse(html.match(/<script type="application\/json" id="data">(.*?)<\/script>/s)![1]);
    expect(data.answers.texts).toContain(`No.${nasty}`);
    const policy = html.match(/content="(default-src[^"]*)"/)![1];
    expect(policy).toContain("default-src 'none'");
    expect(html).not.toMatch(/ style="/);
  });

  it('do no harm in CSV, Markdown, LaTeX and SVG', () => {
    const formula = exampleRun({ text: '=HYPERLINK("http://x")', questions: 6 }).results;
    const named = { ...formula, sets: formula.sets.map(set => ({ ...set, title: '=1+1', benchmark: '@cmd' })) };
    const [, record] = parseCsv(scoresCsv(named));
    expect(record.fields.slice(0, 2)).toEqual(["'@cmd", "'=1+1"]);
    const hostile = exampleRun({ text: nasty, questions: 6 }).results;
    expect(scoresCsv(hostile)).not.toContain('\u001b');
    expect(scoresMarkdown(hostile)).not.toContain('<img');
    expect(scoresLatex(hostile)).not.toMatch(/[^\\]%(?! Model| Needs)(?=[^\n])/);
    const opened = { ...hostile, sets: hostile.sets.map(set => ({ ...set, title: '[1] *' })) };
    expect(scoresLatex(opened)).toContain('\n{}[1] * & ');
    for (const { chart } of evaluationCharts(hostile))
      for (const harm of ['<img', '\u001b', '<script']) expect(chart.svg).not.toContain(harm);
  });
});

describe('parts that are empty', () => {
  it('no clean set, one scenario, no categories, no answers', async () => {
    const lone = exampleRun({ scenarios: [exampleScenarios[1]], sets: ['pope'], categories: false, distances: false, questions: 5 });
    const html = await pageOf({ ...lone.results, worst: [], unanswered: [], leftOut: [], warnings: [] }, []);
    for (const id of ['matrix', 'changes', 'power', 'parts', 'distances', 'worst', 'unanswered']) expect(html).not.toContain(`id="${id}"`);
    expect(html).toContain('This report was made without answers.');
    expect(html).toContain('id="scores"');
    expect(scoresLatex(lone.results)).toContain('toprule');
    expect(evaluationCharts(lone.results)).toEqual([]);
    const none = { ...lone.results, sets: [] };
    expect(await pageOf(none, [])).toContain('sets <b>0</b>');
    expect(scoresMarkdown(none)).toContain('# Evaluation');
  });
  it('values that are not there are dashes, never NaN', async () => {
    const { results: clean } = exampleRun({ sets: ['pope'], questions: 4 });
    const [set] = clean.sets;
    const scenarios = set.scenarios.map(s => ({
      ...s,
      score: { ...s.score, metrics: {}, interval: { ...s.score.interval, low: Number.NaN, high: Number.NaN } },
      ...(s.againstClean
        ? {
            againstClean: {
              ...s.againstClean,
              low: Number.NaN,
              high: Number.NaN,
              adjusted: Number.NaN,
              questionsForOnePoint: Number.NaN,
              smallestDifference: Number.NaN,
            },
          }
        : {}),
    }));
    const broken = { ...clean, sets: [{ ...set, scenarios }] };
    for (const text of [await pageOf(broken, []), scoresCsv(broken), scoresMarkdown(broken), scoresLatex(broken)])
      expect(text.replace(/<script>.*?<\/script>/gs, '')).not.toMatch(/NaN|undefined|Infinity/);
    for (const { chart } of evaluationCharts(broken)) expect(chart.svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('files', () => {
  it('are written with the pictures of worst cases; a picture that cannot be read is said', async () => {
    const pixel = { width: 2, height: 1, data: new Uint8Array(6) };
    const files = await writeEvaluationReport(directory, results, {
      answers,
      words: async (one, scenario) => (scenario === 'clean' ? one.text : `<b>typo</b> ${one.key} ${scenario}`),
      pictures: async (one, scenario) => {
        if (one.key === '1') throw new NarrowsError('pictures/1.png is damaged.');
        return scenario === 'clean' ? [pixel] : [pixel, pixel];
      },
    });
    const names = files.map(path => path.slice(directory.length + 1));
    expect(names).toEqual(expect.arrayContaining(['report.html', 'results.json', 'scores.csv', 'figures.csv', 'scores.tex', 'scores.md']));
    for (const theme of ['light', 'dark'])
      expect(names).toEqual(expect.arrayContaining([`figures/shifts-${theme}.svg`, `figures/changes-pope-${theme}.svg`]));
    const html = await readFile(join(directory, 'report.html'), 'utf8');
    const drawn = await drawWorst(results, { pictures: async () => [pixel] });
    const shown = results.worst.filter(one => one.key !== '1').reduce((sum, one) => sum + 1 + 2 * one.wrong.length, 0);
    expect(html.match(/src="data:image/g)).toHaveLength(shown);
    const [first] = results.worst.filter(one => one.key !== '1' && one.wrong.length > 0);
    expect(html).toContain(`“&lt;b&gt;typo&lt;/b&gt; ${first.key} ${first.wrong[0].scenario}”`);
    expect(html).not.toContain(`“${first.text}”`);
    expect(html).toContain('no picture: pictures/1.png is damaged.');
    expect([...drawn.get(results.worst[0])!.keys()][0]).toBe('clean');
    expect(JSON.parse(await readFile(join(directory, 'results.json'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(results)));
  });
});
