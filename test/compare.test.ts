/** @file `narrows compare` from end to end, small: every figure of its tables and its page against the values that it stores. */
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, narrows, scratch } from './support.ts';

interface Part {
  readonly modality: 'image' | 'text';
  readonly pairs: readonly { readonly id: string }[];
  /** By metric and method: [pairs][seeds]. */
  readonly values: Record<string, Record<string, readonly (readonly (number | null)[])[]>>;
  readonly cost: Record<string, { readonly seconds: number; readonly forward: number; readonly backward: number }>;
}
interface Results {
  readonly reference: string;
  readonly seeds: readonly number[];
  readonly methods: readonly { readonly name: string; readonly title: string }[];
  readonly metrics: readonly { readonly name: string; readonly title: string; readonly direction: 'higher' | 'lower' | 'none' }[];
  readonly parts: readonly Part[];
}

const root = scratch();
const output = join(root, 'compared');
const read = (name: string): Promise<string> => readFile(join(output, name), 'utf8');
let run: Ended;
let results: Results;
beforeAll(async () => {
  run = await narrows(
    [
      ...['compare', '--model', 'scene-clip', '--methods', 'm2ib,grad-cam,random', '--metrics', 'insertion,deletion,pointing-game,entropy'],
      ...['--samples', '3', '--styles', 'twemoji', '--seed', '2', '--seeds', '2', '--reference', 'm2ib', '--workers', '1'],
      ...['--modality', 'image', '--output', 'compared', '--quiet'],
    ],
    { cwd: root },
  );
  results = JSON.parse(await read('results.json'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
/** Per pair the mean over seeds that have a value. */
const byPair = (rows: readonly (readonly (number | null)[])[]): number[] =>
  rows.map(seeds => average(seeds.filter(v => v !== null))).filter(v => !Number.isNaN(v));
/** A number of a page, with its own minus sign. */
const figure = (text: string): number => Number(text.replace('−', '-').replace('$-$', '-'));
const escaped = (title: string): string => title.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** Every metric and method with its mean. */
function* judged(): Generator<{ part: Part; metric: Results['metrics'][number]; method: Results['methods'][number]; values: number[] }> {
  for (const part of results.parts)
    for (const metric of results.metrics)
      for (const method of results.methods) {
        const rows = part.values[metric.name]?.[method.name];
        if (rows) yield { part, metric, method, values: byPair(rows) };
      }
}

it('ends well, with values of every method, metric, pair and seed', () => {
  expect([run.code, run.stdout]).toEqual([0, expect.any(String)]);
  const [part] = results.parts;
  expect(results.parts).toHaveLength(1);
  expect(part.pairs).toHaveLength(3);
  expect(results.seeds).toEqual([2, 3]);
  expect(Object.keys(part.values).sort()).toEqual(['deletion', 'entropy', 'insertion', 'pointing-game']);
  for (const metric of results.metrics) {
    for (const name of ['m2ib', 'random']) expect(part.values[metric.name][name].map(seeds => seeds.length)).toEqual([2, 2, 2]);
    expect(part.values[metric.name]['grad-cam'].map(seeds => seeds.length)).toEqual([1, 1, 1]);
  }
  // The two ends of a comparison: M2IB's map of a scene is better than chance.
  expect(average(byPair(part.values.insertion.m2ib))).toBeGreaterThan(average(byPair(part.values.insertion.random)));
});

it('tables.csv: means, differences to the reference, ranks and costs are those of results.json', async () => {
  const [head, ...lines] = (await read('tables.csv'))
    .trim()
    .split('\r\n')
    .map(line => [...line.matchAll(/(?:^|,)("(?:[^"]|"")*"|[^,]*)/g)].map(m => m[1]));
  const table = lines.map(cells => Object.fromEntries(cells.map((cell, i) => [head[i], cell])));
  let seen = 0;
  for (const { part, metric, method, values } of judged()) {
    const row = table.find(r => r.modality === part.modality && r.metric === metric.name && r.method === method.name)!;
    seen++;
    expect(Number(row.pairs)).toBe(values.length);
    if (values.length === 0) {
      // The uniform control, whose players have no order.
      expect([row.mean, row.rank, row.difference_to_reference]).toEqual(['', '', '']);
      continue;
    }
    expect(Number(row.mean)).toBeCloseTo(average(values), 8);
    const reference = byPair(part.values[metric.name].m2ib);
    if (method.name === 'm2ib') expect(row.difference_to_reference).toBe('');
    else expect(Number(row.difference_to_reference)).toBeCloseTo(average(values.map((v, p) => v - reference[p])), 8);
    const means = results.methods.map(m => average(byPair(part.values[metric.name][m.name])));
    const better = (a: number, b: number): boolean => (metric.direction === 'lower' ? a < b : a > b);
    const ahead = means.filter(other => better(other, average(values))).length;
    const equal = means.filter(other => other === average(values)).length;
    if (metric.direction === 'none') expect(row.rank).toBe('');
    else expect(Number(row.rank)).toBe(ahead + (equal + 1) / 2);
    const { seconds, forward, backward } = part.cost[method.name];
    expect([row.seconds, row.forward, row.backward].map(Number)).toEqual([seconds, forward, backward]);
  }
  expect(seen).toBe(table.length);
  expect(seen).toBeGreaterThanOrEqual(12);
});

describe('what people read shows the same figures, in the place of their method and metric', () => {
  /** Shown to some digits: within half of the last one. */
  const shows = (text: string, value: number, label: string): void => {
    if (Number.isNaN(value)) {
      expect(text, label).toMatch(/^(not defined|--|–|$)/);
      return;
    }
    const shown = /[−$-]*\d+(?:\.\d+)?/.exec(text)![0];
    const digits = /\.(\d+)/.exec(shown)?.[1].length ?? 0;
    expect(Math.abs(figure(shown) - value), `${label}: ${shown} for ${value}`).toBeLessThanOrEqual(0.5001 * 10 ** -digits);
  };

  it('tables.md', async () => {
    const text = await read('tables.md');
    const tables = text
      .split('\n\n')
      .map(block => block.split('\n').map(line => line.split(' | ').map(cell => cell.replace(/^\| | \|$/g, ''))));
    for (const { metric, method, values } of judged()) {
      const table = tables.find(([[first, ...heads]]) => first === 'method' && heads.some(h => h.startsWith(metric.title)))!;
      const column = table[0].findIndex(h => h.startsWith(metric.title));
      const row = table.find(([name]) => name === method.title)!;
      shows(row[column].replace(/\*\*/g, ''), average(values), `${metric.name} ${method.name}`);
    }
  });

  it('tables.tex', async () => {
    const tables = (await read('tables.tex')).split('\\begin{tabular}').slice(1);
    for (const { metric, method, values } of judged()) {
      const table = tables.find(t => t.includes(`& ${metric.title}`))!;
      const lines = table.split('\n').map(line => line.replace(/ \\\\$/, '').split(' & '));
      const column = lines.find(([first]) => first === 'Method')!.findIndex(h => h.startsWith(metric.title));
      const row = lines.find(([name]) => name === method.title)!;
      shows(row[column].replace('\\textbf{', ''), average(values), `${metric.name} ${method.name}`);
    }
  });

  it('report.html', async () => {
    const page = await read('report.html');
    for (const { metric, method, values } of judged()) {
      const from = page.indexOf(`<summary><b>${escaped(metric.title)}</b>`);
      expect(from, metric.title).toBeGreaterThan(0);
      const details = page.slice(from, page.indexOf('</details>', from));
      const row = details.split('<tr').find(r => r.includes(`<th scope="row" data-value="${escaped(method.title)}"`))!;
      const [cell] = /<td[^>]*data-value="[^"]*"[^>]*>.*?<\/td>/.exec(row)!;
      if (values.length > 0) expect(Number(/data-value="([^"]*)"/.exec(cell)![1])).toBeCloseTo(average(values), 6);
      shows(cell.replace(/<[^>]*>/g, ''), average(values), `${metric.name} ${method.name}`);
    }
  });
});

it('the same call goes on from what is there, and --report-only writes the same tables', async () => {
  const before = await Promise.all(['tables.csv', 'tables.md', 'tables.tex'].map(read));
  await rm(join(output, 'tables.csv'));
  const again = await narrows(['compare', '--report-only', '--reference', 'm2ib', '--output', 'compared', '--quiet'], { cwd: root });
  expect([again.code, again.stderr]).toEqual([0, expect.not.stringContaining('failed')]);
  expect(await Promise.all(['tables.csv', 'tables.md', 'tables.tex'].map(read))).toEqual(before);
  expect(existsSync(join(output, 'figures'))).toBe(true);
});
