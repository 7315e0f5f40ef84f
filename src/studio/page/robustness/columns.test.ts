import { describe, expect, it } from 'vitest';
import { exampleRun } from '../../../report/evaluation/testing/example-run.ts';
import { severityName, shiftName } from '../../../report/evaluation/view.ts';
import type { RobustnessView } from '../../evidence.ts';
import { jointMatrix, runName } from './columns.ts';

const view = (model: string, options: Parameters<typeof exampleRun>[0] = {}, name = 'results.json'): RobustnessView => ({
  name,
  results: exampleRun({ model, ...options }).results,
  pictures: [],
});

describe('jointMatrix', () => {
  it('puts every change of every run below its own model, set and severity', () => {
    const [one, other] = [view('one', { seed: 1 }), view('other', { seed: 2 })];
    // A run that was not asked all: its cells stay empty.
    const part = {
      ...other,
      results: { ...other.results, sets: other.results.sets.map(set => ({ ...set, scenarios: set.scenarios.slice(0, 6) })) },
    };
    const runs = [one, part];
    const { blocks, groups, largest } = jointMatrix(runs)!;
    const columns = blocks.flatMap(({ key, model, severities }) => severities.map(severity => ({ key, model, severity })));
    // Models stand side by side within a set.
    expect(blocks.map(({ key }) => key)).toEqual(
      blocks.map(({ key }) => key).toSorted((a, b) => blocks.findIndex(x => x.key === a) - blocks.findIndex(x => x.key === b)),
    );
    let cells = 0;
    for (const { kind, rows } of groups)
      for (const { name, cells: row } of rows) {
        expect(row.length).toBe(columns.length);
        row.forEach((cell, i) => {
          const { key, model, severity } = columns[i];
          const { results } = runs.find(run => run.results.model === model)!;
          const set = results.sets.find(each => `${each.benchmark} ${each.prompt}` === key)!;
          const found = set.scenarios.find(
            ({ scenario, kind: mine, againstClean }) =>
              againstClean && mine === kind && [shiftName(scenario), scenario.name].includes(name) && severityName(scenario) === severity,
          );
          expect(cell?.change).toBe(found?.againstClean);
          if (cell) cells++;
        });
      }
    const changes = runs.flatMap(({ results }) =>
      results.sets.flatMap(set => set.scenarios.flatMap(({ againstClean: c }) => (c ? [c] : []))),
    );
    expect(cells).toBe(changes.length);
    expect(largest).toBe(Math.max(...changes.map(({ difference }) => Math.abs(difference))));
    expect(new Set(changes.map(({ difference }) => difference)).size).toBeGreaterThan(5);
  });

  it('tells two runs of one model apart by their files', () => {
    const runs = [view('one', {}, 'a/results.json'), view('one', {}, 'b/results.json'), view('two')];
    expect(runs.map(run => runName(run, runs))).toEqual(['one (a/results.json)', 'one (b/results.json)', 'two']);
    expect(jointMatrix([])).toBeUndefined();
  });
});
