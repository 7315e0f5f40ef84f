/** The report of a training run: read from folders as runs write them, drawn, and written by the command. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { started } from '../../testing/compiled.ts';
import { paperChart } from '../comparison/svg/palette.ts';
import { spreadRows, trainingHtml } from './html.ts';
import { linesChart, thinned } from './lines-chart.ts';
import { trainingPlots } from './plots.ts';
import { readTrainingRun, type TrainingRun } from './run.ts';
import { writeTrainingReport } from './write-report.ts';

let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-training-report-'));
});
afterAll(() => rm(root, { recursive: true }));

const WARNING = 'The posterior of prompt tokens is at its prior <after> 2 of 4 updates.';
/** A Vittle run of four updates, as `train tune` logs it. */
const VITTLE = [1, 2, 3, 4].flatMap(step => [
  {
    ...{ step, loss: 2 / step, ce: 1 / step, kl_visual: 1 / step, kl_text: 0.01, used_visual: 0.5, used_text: 0 },
    ...{ variance_visual: 0.25, variance_text: 1, grad_norm: 3, learning_rate: 0.001 / step, tokens_per_second: 900, odd_figure: 7 },
    ...(step === 2 ? { warning: WARNING } : {}),
  },
  ...(step % 2
    ? []
    : [{ step, eval_loss: 1.5, eval_trained_accuracy: 0.5, eval_trained_count: 0.1, eval_trained_color: 1, eval_extra: 3 }]),
]);
const CONFIG = { bottleneck_config: { bottleneck_layers: [1], alpha_schedule: 'cosine', beta_schedule: 'after_alpha' } };

/** A folder with these lines and JSON files. */
async function folder(lines: readonly object[], files: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const directory = join(root, `run-${count++}`);
  await mkdir(directory);
  await writeFile(join(directory, 'metrics.jsonl'), lines.map(line => `${JSON.stringify(line)}\n`).join(''));
  for (const [name, json] of Object.entries(files)) {
    await mkdir(join(directory, name, '..'), { recursive: true });
    await writeFile(join(directory, name), typeof json === 'string' ? json : JSON.stringify(json));
  }
  return directory;
}
const finished = () =>
  folder(VITTLE, {
    'training_args.json': { method: 'vittle', max_steps: 4, seed: 5, model: 'a <b> & c', freeze: ['x', 'y'] },
    'trainer_state.json': { global_step: 4, max_steps: 4, best_global_step: 2, warnings: ['A file lacks a key.', WARNING] },
    'config.json': CONFIG,
  });

describe('readTrainingRun', () => {
  it('reads a finished run: settings, lines apart by kind, warnings, best update', async () => {
    const run = await readTrainingRun(await finished());
    expect(run).toMatchObject({ command: 'train tune --method vittle', step: 4, maxSteps: 4, finished: true, bestStep: 2 });
    expect([run.steps.length, run.evaluations.length]).toEqual([4, 2]);
    expect(run.warnings).toEqual(['A file lacks a key.', WARNING]);
    expect(run.bottleneck).toMatchObject({ bottleneck_layers: [1], beta_schedule: 'after_alpha' });
  });

  it('reads a run under way: of the newest checkpoint, with the warnings of its lines; or of figures only', async () => {
    const under = await folder(VITTLE.slice(0, 3), {
      'checkpoint-1/training_args.json': { max_steps: 9 },
      'checkpoint-1/trainer_state.json': {},
      'checkpoint-2/training_args.json': { max_steps: 8 },
      'checkpoint-2/trainer_state.json': {},
    });
    expect(await readTrainingRun(under)).toMatchObject({
      command: 'train clip',
      maxSteps: 8,
      finished: false,
      step: 2,
      warnings: [WARNING],
    });
    const early = await readTrainingRun(await folder(VITTLE.slice(0, 1)));
    expect(early).toMatchObject({ command: 'train', args: {}, finished: false, step: 1 });
    expect(early.warnings).toEqual(['The run has written no checkpoint yet, so its settings are not known here.']);
    expect((await readTrainingRun(await folder(VITTLE, { 'training_args.json': { method: 'projector' } }))).command).toBe(
      'train projector',
    );
  });

  it('says what it cannot read, and refuses a folder without figures in one sentence', async () => {
    const damaged = await folder([...VITTLE.slice(0, 2)], {
      'training_args.json': '{"max_steps": ',
      'config.json': { bottleneck_config: { bottleneck_layers: [] } },
    });
    const { warnings } = await readTrainingRun(damaged);
    expect(warnings).toContainEqual(`${join(damaged, 'training_args.json')} is no JSON object, so what it says is missing here.`);
    expect(warnings).toContainEqual(expect.stringContaining('bottleneck_config.bottleneck_layers'));
    await expect(readTrainingRun(await folder([]))).rejects.toThrow(
      /holds no figures of a training run \(no metrics.jsonl with lines\); give/,
    );
    await expect(readTrainingRun(join(root, 'nowhere'))).rejects.toThrow('holds no figures of a training run');
  });
});

describe('trainingPlots', () => {
  it('puts figures together that share a unit, and leaves none out', async () => {
    const run = await readTrainingRun(await finished());
    const plots = trainingPlots(run);
    const names = Object.fromEntries(plots.map(({ title, series }) => [title, series.map(({ name }) => name)]));
    expect(names).toEqual({
      Loss: ['loss', 'ce', 'evaluation: loss'],
      'Evaluation: trained': ['accuracy', 'count', 'color'],
      Evaluation: ['extra'],
      'KL to the prior': ['image tokens', 'prompt tokens'],
      'Dimensions in use': ['image tokens', 'prompt tokens'],
      'σ of the posterior': ['image tokens', 'prompt tokens'],
      Schedules: ['α', 'share of β'],
      'Learning rate': ['learning rate'],
      'Norm of the gradient': ['grad norm'],
      Speed: ['tokens per second'],
      'odd figure': ['odd figure'],
    });
    const of = (title: string) => plots.find(plot => plot.title === title)!;
    expect(of('σ of the posterior').series[0].points).toEqual([1, 2, 3, 4].map(step => [step, 0.5]));
    expect(of('KL to the prior').series[0].points).toEqual([1, 2, 3, 4].map(step => [step, 1 / step]));
    const [alpha, beta] = of('Schedules').series.map(({ points }) => points);
    expect([alpha[0][1], alpha.at(-1)![1], beta[0][1], beta.at(-1)![1]]).toEqual([0, 0.5, 0, 1]);
    expect(plots[0].events).toEqual([
      { step: 2, text: WARNING },
      { step: 2, text: 'best evaluation, update 2' },
    ]);
  });

  it('has nothing of a bottleneck where there is none, as of train clip', async () => {
    const lines = [{ step: 2, loss: 3, contrastive: 2, naming: 1, learning_rate: 0.1 }];
    const plots = trainingPlots(await readTrainingRun(await folder(lines, { 'training_args.json': { max_steps: 2 } })));
    expect(plots.map(({ title }) => title)).toEqual(['Loss', 'Learning rate']);
    expect(plots[0].series.map(({ name }) => name)).toEqual(['loss', 'contrastive', 'naming']);
  });
});

describe('linesChart', () => {
  const points = (values: readonly number[]) => values.map((v, i) => [i + 1, v] as const);
  const path = (svg: string): number[][] =>
    [.../M[\d.]+ [\d.]+(?:L[\d.]+ [\d.]+)+/.exec(svg)![0].matchAll(/([\d.]+) ([\d.]+)/g)].map(m => [Number(m[1]), Number(m[2])]);

  it('draws values to scale, larger ones higher, on a logarithmic axis where they spread far', () => {
    const draw = (values: readonly number[], linear = false) =>
      linesChart({ title: 'A', unit: 'u', linear, series: [{ name: 'one', points: points(values) }] }, paperChart).svg;
    const [a, b, c] = path(draw([1, 2, 3]));
    expect([b[0] - a[0], a[1] - b[1]]).toEqual([c[0] - b[0], b[1] - c[1]].map(v => expect.closeTo(v, 0)));
    expect(a[1]).toBeGreaterThan(c[1]);
    const spread = [1, 10, 100];
    const [d, e, f] = path(draw(spread));
    expect(draw(spread)).toContain('u, logarithmic');
    expect(d[1] - e[1]).toBeCloseTo(e[1] - f[1], 0);
    const [g, h, i] = path(draw(spread, true));
    expect((g[1] - h[1]) / (h[1] - i[1])).toBeCloseTo(0.1, 1);
    expect(draw([0, 10, 100])).not.toContain('logarithmic');
    // Updates are whole, and a tick says the value that it stands at.
    const ticks = [...draw([0.001, 0.0008, 0.000001], true).matchAll(/>(-?[\d.]+)<\/text>/g)].map(m => m[1]);
    expect(ticks).toEqual(['0', '1', '2', '3', '0.00025', '0.00050', '0.00075', '0.00100']);
  });

  it('draws one point, equal values, and names with markup, without a number that is none', () => {
    for (const values of [[5], [2, 2, 2], [0, 0], [1e-7, 1], [3e6, 1]]) {
      const { svg } = linesChart(
        {
          title: '<b>',
          unit: 'u',
          series: [{ name: 'a & <c>', points: points(values), marked: values.length === 1 }],
          events: [{ step: 1, text: '<x>' }],
        },
        paperChart,
      );
      expect(svg).not.toMatch(/NaN|Infinity|undefined|<b>|<x>/);
    }
  });

  it('thins long lines to means of neighbours', () => {
    const long = points(Array.from({ length: 1000 }, (_, i) => i));
    const few = thinned(long);
    expect(few.length).toBe(334);
    expect(few[0]).toEqual([2, 1]);
    expect(few.at(-1)).toEqual([1000, 999]);
    expect(thinned(long.slice(0, 400))).toHaveLength(400);
  });
});

describe('the page', () => {
  it('shows warnings, charts, figures and settings, all from outside escaped', async () => {
    const run = await readTrainingRun(await finished());
    const html = trainingHtml(run);
    expect(html.match(/<svg/g)!.length).toBe(trainingPlots(run).length);
    expect(html.includes('is at its prior &lt;after&gt; 2 of 4 updates.'), 'is at its prior &lt;after&gt; 2 of 4 updates.').toBe(true);
    expect(html.includes('a &lt;b&gt; &amp; c'), 'a &lt;b&gt; &amp; c').toBe(true);
    expect(['<after>', 'a <b> &'].filter(raw => html.includes(raw))).toEqual([]);
    expect(html.includes('<td>freeze</td><td>x, y</td>'), '<td>freeze</td><td>x, y</td>').toBe(true);
    expect(html.includes('Evaluation at update 2: loss <b>1.50</b>'), 'Evaluation at update 2: loss <b>1.50</b>').toBe(true);
    expect(html.includes('weights of update <b>2, the best</b>')).toBe(true);
    // Every figure is in a table.
    expect(html.includes('<th scope="col">odd figure</th>'), '<th scope="col">odd figure</th>').toBe(true);
  });

  it('says how many figures are not finite', async () => {
    const lines = [
      { step: 1, loss: 1 },
      { step: 2, loss: 'NaN' },
    ];
    const html = trainingHtml((await readTrainingRun(await folder(lines))) as TrainingRun);
    expect(
      html.includes('1 figure is not finite; the charts leave them out, the tables show them.'),
      '1 figure is not finite; the charts leave them out, the tables show them.',
    ).toBe(true);
    expect(html.includes('<td>NaN</td>'), '<td>NaN</td>').toBe(true);
  });

  it('keeps the last line where a table is cut', () => {
    const rows = spreadRows(Array.from({ length: 1001 }, (_, i) => i));
    expect([rows.length <= 200, rows.at(-1), rows[1] - rows[0]]).toEqual([true, 1000, 6]);
    expect(spreadRows([1, 2, 3])).toEqual([1, 2, 3]);
  });

  it('is written into the folder, or where it is asked for', async () => {
    const directory = await finished();
    const { path } = await writeTrainingReport(directory);
    expect(path).toBe(join(directory, 'report.html'));
    expect(await readFile(path, 'utf8')).toMatch(/^<!doctype html>/);
    const elsewhere = join(root, 'page.html');
    expect((await writeTrainingReport(directory, elsewhere)).path).toBe(elsewhere);
  });

  it('comes by the command, whose warnings are those of the run', async () => {
    const directory = await finished();
    const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
    const call = (...args: string[]) =>
      new Promise<{ out: string; err: string; code: number }>(resolve =>
        execFile(process.execPath, [...started(main), 'train', 'report', ...args], (error, out, err) =>
          resolve({ out, err, code: Number(error?.code ?? 0) }),
        ),
      );
    const { out, err, code } = await call(directory, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ report: join(directory, 'report.html'), step: 4, best_step: 2, finished: true });
    expect(err).toContain(`Warning: ${WARNING}`);
    const wrong = await call(root);
    expect([wrong.code, wrong.err.split('\n').length]).toEqual([2, 2]);
  });
});
