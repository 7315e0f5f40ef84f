import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { nodeRuntime } from '../../runtime/node.ts';
import { loadSprites } from '../../scenes/sprites.ts';
import { twoSidedP } from '../../tensor/statistics/equivalence.ts';
import { trainingArgumentsSchema } from '../../tuning/arguments.ts';
import { scenePretrainTask } from '../../tuning/llava/scene-pretrain.ts';
import { sceneLlavaSource } from '../../tuning/llava/scene-source.ts';
import { analyse, COLUMNS, contrasts, explain, movements, verdict } from './analyse.ts';
import { differenceChart } from './chart.ts';
import { conditionsOf, titleOf } from './conditions.ts';
import type { ExamFacts, RunOutcome } from './outcome.ts';
import { POSTERIOR_FIGURES } from './posterior.ts';
import { experimentMarkdown } from './report.ts';
import { runExperiment, writeReport } from './run.ts';
import { type ExperimentSettings, experimentSchema } from './settings.ts';

const runtime = nodeRuntime({ threads: 1 });
const TINY = { hidden_size: 32, intermediate_size: 48, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1 };
let root: string;
let settings: ExperimentSettings;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-experiment-'));
  const start = join(root, 'start');
  const task = await scenePretrainTask(runtime, trainingArgumentsSchema.parse({ output_dir: root, per_device_train_batch_size: 2 }), {
    source: await sceneLlavaSource('scene-clip', TINY),
    world: await loadSprites(),
    chat: { curriculumSteps: 0, maxObjects: 2, spelled: 0, extra: 0, patchWords: true },
    evalScenes: 1,
  });
  await task.save(start);
  await task.close();
  settings = experimentSchema.parse({
    ...{ start, tune_steps: 2, seeds: 1, batch_size: 2, max_turns: 2, bottleneck_layer: 1, choose: false, scenes: 3 },
    ...{ severities: [3], corruptions: ['contrast'], text_shifts: ['word_swap'] },
  });
});
afterAll(async () => {
  await runtime.release();
  await rm(root, { recursive: true });
});

const results = async (directory: string): Promise<{ runs: RunOutcome[] }> =>
  JSON.parse(await readFile(join(directory, 'results.json'), 'utf8')) as { runs: RunOutcome[] };

describe('the Vittle experiment', () => {
  it('goes on after a stop, with the results of an uninterrupted run, and refuses other settings', { timeout: 480_000 }, async () => {
    const [whole, parts] = [join(root, 'whole'), join(root, 'parts')];
    expect(await runExperiment(runtime, whole, settings)).toBe(true);
    const stop = new AbortController();
    let steps = 0;
    const stopped = runExperiment(runtime, parts, settings, { signal: stop.signal, onStep: () => ++steps === 5 && stop.abort() });
    expect(await stopped).toBe(false);
    expect(await runExperiment(runtime, parts, settings)).toBe(true);
    const { runs } = await results(whole);
    expect((await results(parts)).runs).toEqual(runs);
    expect(runs.map(r => r.condition)).toEqual(['plain', 'vittle-f', 'vittle-l', 'weight-decay', 'lora', 'vittle-official']);
    expect(Object.keys(runs[0].outcomes)).toEqual([
      'clean',
      ...['openmoji', 'fluent-emoji', 'emojione'].map(s => `style:${s}`),
      'image:contrast:3',
      'text:word_swap:3',
    ]);
    // A text shift does not touch what image tokens, which stand before it, carry.
    expect(runs[0].outcomes['text:word_swap:3'].distance.cosine_visual).toBeCloseTo(0, 6);
    expect(runs[0].outcomes['image:contrast:3'].distance.cosine_visual).toBeGreaterThan(1e-6);
    // Several processes end runs in any order: one whose plain partner is not in yet has no row in the chart, and ends nothing.
    const facts = JSON.parse(await readFile(join(whole, 'exams.json'), 'utf8')) as ExamFacts[];
    const chart = (some: readonly RunOutcome[]): string => differenceChart(some, facts);
    expect(chart(runs)).toContain(titleOf('vittle-f'));
    expect(chart(runs.slice(1, 2))).not.toContain(`>${titleOf('vittle-f')}<`);
    const report = await readFile(join(whole, 'report.md'), 'utf8');
    for (const { title } of conditionsOf({})) expect(report).toContain(`| ${title} |`);
    // Nothing was chosen: no file, no sentence and no key says that something was.
    const { beta, alpha_end, bottleneck_layer, weight_decay } = settings;
    const given = { beta, alpha_end, bottleneck_layer, weight_decay };
    expect(report).toContain(`Nothing was chosen on validation scenes; taken from the settings: ${JSON.stringify(given)}`);
    expect(await results(whole)).toMatchObject({ given });
    expect(await results(whole)).not.toHaveProperty('chosen');
    await expect(readFile(join(whole, 'chosen.json'))).rejects.toThrow('ENOENT');
    expect(runs.filter(r => r.posterior).map(r => r.condition)).toEqual(['vittle-f', 'vittle-l', 'vittle-official']);
    expect(report).toContain('## What the bottlenecks carry');
    await expect(runExperiment(runtime, whole, settings, { onlySeeds: [1] })).rejects.toThrow(
      'no seed 1: the experiment has the seeds 0 to 0',
    );
    await expect(runExperiment(runtime, whole, { ...settings, tune_steps: 3 })).rejects.toThrow('other settings');
    await expect(runExperiment({ ...runtime, device: 'webgpu' }, whole, settings)).rejects.toThrow(
      'holds an experiment on the device "cpu" and this call computes on "webgpu"',
    );
    // The remedy for a run without probabilities: it is measured again, from its checkpoint, to the same outcome.
    const { said } = runs[1].outcomes.clean;
    expect(said).toHaveLength(runs[1].outcomes.clean.correct.length);
    expect(said!.every(value => value <= 0) && new Set(said).size > 1).toBe(true);
    await rm(join(whole, 'results/vittle-f-0.json.gz'));
    expect(await runExperiment(runtime, whole, settings)).toBe(true);
    expect((await results(whole)).runs).toEqual(runs);
    expect(report).toContain('**1 of 8 seeds are in: no verdict is given');
    expect(report).toContain('open: 1 of 8');
    // Only what is small is carried elsewhere: no run is tuned again, though checkpoints and the start's folder are gone.
    const [carried, moved] = [join(root, 'carried'), join(root, 'moved-start')];
    await cp(settings.start, moved, { recursive: true });
    await rm(join(whole, 'runs'), { recursive: true });
    const tuned = vi.fn();
    const elsewhere = { ...settings, start: moved };
    expect(await runExperiment(runtime, carried, elsewhere, { resumeFrom: whole, onStep: tuned })).toBe(true);
    expect((await results(carried)).runs).toEqual(runs);
    expect(await runExperiment(runtime, whole, settings, { onStep: tuned })).toBe(true);
    expect(tuned).not.toHaveBeenCalled();
    // The report of what is there, and of nothing.
    await rm(join(carried, 'report.md'));
    expect(await runExperiment(runtime, carried, { ...elsewhere, seeds: 2 }, { onlyReport: true, onStep: tuned })).toBe(true);
    expect(await readFile(join(carried, 'report.md'), 'utf8')).toContain('6 runs: 6 conditions × 1 seeds');
    expect(tuned).not.toHaveBeenCalled();
    await expect(runExperiment(runtime, join(root, 'none'), settings, { onlyReport: true })).rejects.toThrow('nothing to report on yet');
    const fresh = join(root, 'fresh');
    await expect(runExperiment(runtime, fresh, { ...settings, tune_steps: 3 }, { resumeFrom: whole })).rejects.toThrow('other settings');
    await expect(runExperiment(runtime, fresh, settings, { resumeFrom: root })).rejects.toThrow('no settings.json');
    await writeFile(join(carried, 'start.json'), JSON.stringify({ sha256: 'f'.repeat(64) }));
    await expect(runExperiment(runtime, carried, elsewhere)).rejects.toThrow('begin from other weights (ffffffffffff…)');
    // Conditions may be added to a finished folder; what is there is not done again.
    expect(await runExperiment(runtime, whole, { ...settings, conditions: ['plain', 'noise-pass', 'lora'] })).toBe(true);
    const { runs: added } = await results(whole);
    // What decides is run first.
    expect(added.map(r => r.condition)).toEqual(['plain', 'noise-pass', 'lora']);
    expect([added[0], added[2]]).toEqual([runs[0], runs[4]]);
  });
});

describe('the start before tuning', () => {
  it('sits the same exams, and is what a run that learns nothing ends as', { timeout: 240_000 }, async () => {
    const directory = join(root, 'untuned');
    const idle = { ...settings, learning_rate: 1e-30, tune_steps: 1, conditions: ['plain' as const] };
    expect(await runExperiment(runtime, directory, idle)).toBe(true);
    const { runs, untuned } = (await results(directory)) as { runs: RunOutcome[]; untuned?: RunOutcome };
    expect(untuned!.outcomes).toEqual(runs[0].outcomes);
    const other = ((await results(join(root, 'whole'))) as { untuned?: RunOutcome }).untuned!;
    expect(other).toEqual(untuned);
    const whole = (await results(join(root, 'whole'))).runs[0];
    expect(whole.outcomes.clean.log_likelihood).not.toBeCloseTo(other.outcomes.clean.log_likelihood, 4);
    const report = await readFile(join(directory, 'report.md'), 'utf8');
    const [start, plain] = ['*the start, before tuning*', 'plain'].map(name => report.split('\n').filter(l => l.startsWith(`| ${name} |`)));
    // Accuracy, and that by task; no further exams were sat.
    expect(start).toHaveLength(2);
    expect(start.map(line => line.split(' | ').slice(1))).toEqual(plain.slice(0, 2).map(line => line.split(' | ').slice(1)));
  });
});

describe('its choice', () => {
  it('keeps what an earlier call chose, and adds that of conditions that came later', { timeout: 240_000 }, async () => {
    const directory = join(root, 'chosen-before');
    await mkdir(directory);
    const before = { beta: 0.2, alpha_end: 0.3, bottleneck_layer: 0, weight_decay: 3 };
    const score = { condition: 'vittle-f', ...before, accuracy: 0.5 };
    await writeFile(join(directory, 'chosen.json'), JSON.stringify({ chosen: before, scores: [score] }));
    const asked: ExperimentSettings = { ...settings, choose: true, tune_steps: 20, scenes: 1, conditions: ['plain', 'vittle-f-pass'] };
    expect(await runExperiment(runtime, directory, asked)).toBe(true);
    const read = async () => JSON.parse(await readFile(join(directory, 'chosen.json'), 'utf8'));
    const { chosen, scores } = await read();
    expect(chosen).toEqual({ ...before, beta_pass: expect.any(Number) });
    expect(scores).toEqual([
      score,
      ...[0.001, 0.01, 0.1].map(beta_pass => ({ condition: 'vittle-f-pass', ...before, beta_pass, accuracy: expect.any(Number) })),
    ]);
    const best = Math.max(...scores.slice(1).map((s: { accuracy: number }) => s.accuracy));
    expect(scores.find((s: { beta_pass?: number }) => s.beta_pass === chosen.beta_pass).accuracy).toBe(best);
    expect((await results(directory)).runs.map(r => r.condition)).toEqual(['plain', 'vittle-f-pass']);
    expect(Object.keys((await results(directory)).runs[1].posterior!.figures)).toEqual([...POSTERIOR_FIGURES]);
    // Nothing is chosen twice.
    expect(await runExperiment(runtime, directory, { ...asked, conditions: ['plain'] })).toBe(true);
    expect(await read()).toEqual({ chosen, scores });
  });
});

describe('its outputs', () => {
  it('says what was chosen where something was', async () => {
    const directory = join(root, 'chosen');
    await mkdir(directory);
    const exams: ExamFacts[] = [{ id: 'clean', group: 'clean', items: [{ scene: 0, task: 'count', question: 'q', answer: 'a' }] }];
    const distance = { rjsd_visual: 0, rjsd_text: 0 };
    const outcomes = { clean: { correct: '1', tokens: [1000], log_likelihood: -1, distance } } as unknown as RunOutcome['outcomes'];
    const runs: RunOutcome[] = [{ condition: 'plain', seed: 0, outcomes }];
    const chosen = { beta: 1, alpha_end: 0.25, bottleneck_layer: 1, weight_decay: 10 };
    await writeReport(directory, { ...settings, choose: true }, chosen, runs, exams);
    expect(await readFile(join(directory, 'report.md'), 'utf8')).toContain(`Chosen on validation scenes: ${JSON.stringify(chosen)}`);
    expect(await results(directory)).toMatchObject({ chosen });
  });

  it.each([
    ['settings.json', '{"start": ', /settings.json is damaged or was not written by this experiment; choose another directory/],
    ['settings.json', '[1]', /settings.json is damaged/],
    ['chosen.json', '{"chosen": {"beta": "much"}}', /chosen.json is damaged .*; delete it to have the choice made again/],
  ])('%s that is %s is named', { timeout: 240_000 }, async (name, content, sentence) => {
    const directory = await mkdtemp(join(root, 'damaged-'));
    await writeFile(join(directory, name), content);
    await expect(runExperiment(runtime, directory, { ...settings, choose: true })).rejects.toThrow(sentence);
  });
});

describe('its analysis', () => {
  const exams: ExamFacts[] = ['clean', 'image:contrast:1', 'image:contrast:5'].map(id => ({
    id,
    group: id === 'clean' ? 'clean' : 'image',
    items: Array.from({ length: 40 }, (_, i) => ({ scene: i >> 1, task: i % 2 ? 'count' : 'existence', question: 'q', answer: 'a' })),
  }));
  /** Right in the first `share` of the items; distances grow as accuracy falls. */
  const run = (condition: string, seed: number, shares: readonly number[]): RunOutcome => ({
    condition,
    seed,
    outcomes: Object.fromEntries(
      exams.map(({ id, items }, k) => [
        id,
        {
          correct: items.map((_, i) => (i < shares[k] * 40 ? '1' : '0')).join(''),
          tokens: items.map(() => 500),
          log_likelihood: -1,
          distance: { rjsd_visual: 1 - shares[k], rjsd_text: 0, cosine_visual: 1 - shares[k] },
        },
      ]),
    ),
  });
  const runs = [0, 1, 2, 3, 4, 5, 6, 7].flatMap(seed => [run('plain', seed, [0.9, 0.7, 0.4]), run('vittle-f', seed, [0.9, 0.8, 0.6])]);

  it('finds the accuracy and the paired difference of each condition', () => {
    const table = analyse(
      runs,
      exams,
      COLUMNS.filter(c => c.name === 'clean' || c.name === 'image corruptions'),
    );
    expect(table.get('plain')!.get('clean')!.accuracy.estimate).toBeCloseTo(0.9);
    expect(table.get('vittle-f')!.get('clean')!.difference).toMatchObject({ estimate: 0, low: 0, high: 0, p: 1 });
    const shifted = table.get('vittle-f')!.get('image corruptions')!.difference!;
    expect(shifted.estimate).toBeCloseTo(0.15);
    expect(shifted.low).toBeGreaterThan(0);
    expect(shifted.p).toBeLessThan(0.05);
  });

  it('draws each difference at its place, and one far away at the edge with its number', () => {
    const wrong = runs
      .filter(({ condition }) => condition === 'plain')
      .map(run => {
        const none = Object.entries(run.outcomes).map(([id, of]) => [id, { ...of, correct: '0'.repeat(of.correct.length) }]);
        return { ...run, condition: 'lora', outcomes: Object.fromEntries(none) as RunOutcome['outcomes'] };
      });
    const near = ['weight-decay', 'dropout'].map(condition =>
      runs.filter(run => run.condition === 'plain').map(run => ({ ...run, condition })),
    );
    const chart = differenceChart([...runs, ...near.flat(), ...wrong], exams, ['image corruptions']);
    const table = analyse(
      [...runs, ...wrong],
      exams,
      COLUMNS.filter(c => c.name === 'image corruptions'),
    );
    const { estimate } = table.get('lora')!.get('image corruptions')!.difference!;
    expect(estimate).toBeLessThan(-0.3);
    expect(chart).toContain(`◂ −${Math.abs(estimate).toFixed(3).replace(/^0/, '')}<`);
    // The better one stands right of zero, the equal ones on it.
    const zero = Number(/x1="([\d.]+)"[^>]*stroke="#333"/.exec(chart)![1]);
    const places = [...chart.matchAll(/<circle cx="([\d.]+)"/g)].map(([, cx]) => Number(cx));
    expect(places.filter(at => at === zero)).toHaveLength(2);
    expect(places.filter(at => at > zero)).toHaveLength(1);
  });

  it('shows that two are equal where they are, and says what is open', () => {
    const of = (column: string, smallest: number) =>
      analyse(
        runs,
        exams,
        COLUMNS.filter(c => c.name === column),
        smallest,
      )
        .get('vittle-f')!
        .get(column)!.difference!;
    // Not one answer differs, which is no proof: there is no spread to judge by.
    expect(of('clean', 0.01)).toMatchObject({ p: 1, equivalence: Number.NaN });
    expect(verdict(of('clean', 0.01))).toBe('open');
    expect(of('image corruptions', 0.01).equivalence).toBeGreaterThan(0.9);
    expect(verdict(of('image corruptions', 0.01))).toBe('better');
    // The error is about .04: .15 is as good as shown to be below .5, and no one knows whether it is below .2.
    expect(verdict(of('image corruptions', 0.5))).toBe('differs, less than matters');
    expect(of('image corruptions', 0.2).equivalence).toBeGreaterThan(0.05);
    const open = { estimate: 0, low: -1, high: 1, level: 0.95, standardError: 0.5, p: 0.4, equivalence: 0.3, seeds: 8 };
    expect(verdict(open)).toBe('open');
    expect(verdict({ ...open, equivalence: 0.04 })).toBe('equal');
    expect(verdict({ ...open, estimate: -0.1, p: 0.04 })).toBe('worse');
    // Before all seeds are in nothing is said, however clear it looks.
    expect(verdict({ ...open, estimate: -0.1, p: 1e-9, seeds: 7 })).toBe('open: 7 of 8');
    expect(experimentMarkdown(runs, exams, 0.2)).toContain('smallest effect of interest of .200');
  });

  it('sets each condition against its controls, where those were run', () => {
    const columns = COLUMNS.filter(c => c.name === 'image corruptions');
    expect(contrasts(runs, exams, columns)).toEqual([]);
    const noise = [0, 1, 2, 3, 4, 5, 6, 7].map(seed => run('noise', seed, [0.9, 0.8, 0.4]));
    const [only, ...others] = contrasts([...runs, ...noise], exams, columns);
    expect(others).toEqual([]);
    expect(only).toMatchObject({ condition: 'vittle-f', control: 'noise' });
    // .8 and .6 less .8 and .4; no family of several.
    const found = only.differences.get('image corruptions')!;
    expect(found.estimate).toBeCloseTo(0.1);
    expect(found.p).toBeCloseTo(twoSidedP(found, 7), 12);
    expect(experimentMarkdown([...runs, ...noise], exams)).toContain('| Vittle F − noise of the prior | ');
    expect(experimentMarkdown(runs, exams)).not.toContain('Against their controls');
  });

  it('counts seeds, not questions, as what is free: with two seeds p is that of one degree of freedom', () => {
    const two = [0, 1].flatMap(seed => [run('plain', seed, [0.9, 0.7, 0.4]), run('vittle-f', seed, [0.9, 0.8, 0.6])]);
    const { estimate, standardError, p } = analyse(
      two,
      exams,
      COLUMNS.filter(c => c.name === 'image corruptions'),
    )
      .get('vittle-f')!
      .get('image corruptions')!.difference!;
    // Cauchy's tails.
    expect(p).toBeCloseTo((2 * Math.atan(standardError / estimate)) / Math.PI, 10);
  });

  it('sees that distances explain the loss where they do', () => {
    const found = explain(movements(runs, exams), 'rjsd_visual', () => true)!;
    expect(found.acrossShifts.pearson.estimate).toBeCloseTo(-1);
    expect(found.acrossConditions.pearson.estimate).toBeCloseTo(-1);
    expect(explain(movements(runs, exams), 'cosine_text', () => true)).toBeUndefined();
  });
});
