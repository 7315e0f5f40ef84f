import { describe, expect, it } from 'vitest';
import type { Scenario } from '../../evaluation/run/scenario.ts';
import { cellText, matrixOf, shadeOf } from './matrix.ts';
import { exampleRun, exampleScenarios } from './testing/example-run.ts';
import { scenarioTitle, severityName, shiftName } from './view.ts';

describe('the matrix', () => {
  const { results } = exampleRun();
  const matrix = matrixOf(results)!;

  it('has every compared scenario of every set in one cell, and no other', () => {
    const columns = matrix.sets.flatMap(({ set, severities }) => severities.map(severity => ({ set, severity })));
    const seen = matrix.groups.flatMap(({ kind, rows }) =>
      rows.flatMap(({ name, cells }) => {
        expect(cells).toHaveLength(columns.length);
        return cells.flatMap((cell, i) => {
          if (!cell) return [];
          const { scenario } = cell.result;
          expect([kind, name, columns[i].severity]).toEqual([cell.result.kind, shiftName(scenario), severityName(scenario)]);
          expect(columns[i].set.scenarios.find(s => s.scenario.name === scenario.name)!.againstClean).toBe(cell.change);
          return [`${columns[i].set.benchmark}/${scenario.name}`];
        });
      }),
    );
    const wanted = results.sets.flatMap(set => set.scenarios.slice(1).map(({ scenario }) => `${set.benchmark}/${scenario.name}`));
    expect(seen.sort()).toEqual(wanted.sort());
  });

  it('writes the drop in points and a dagger exactly where the corrected test is not below 0.05', () => {
    const [set] = results.sets;
    const one = set.scenarios[1];
    const change = (difference: number, adjusted: number) => ({ ...one.againstClean!, difference, adjusted });
    const of = (difference: number, adjusted: number) => {
      const scenarios = [{ ...one, againstClean: change(difference, adjusted) }];
      return cellText(matrixOf({ ...results, sets: [{ ...set, scenarios }] })!.groups[0].rows[0].cells[0]!);
    };
    expect(of(-0.125, 0.0499)).toBe('−12.5');
    expect(of(-0.125, 0.05)).toBe('−12.5†');
    expect(of(0.031, 0.2)).toBe('+3.1†');
    expect(of(0, Number.NaN)).toBe('0.0†');
  });

  it('keeps scenarios apart that differ in options only', () => {
    const scenarios: Scenario[] = [1, 2].map(size => ({
      name: `blur:3 size ${size}`,
      image: { shift: 'blur', severity: 3, options: { size } as never },
    }));
    const rows = matrixOf(exampleRun({ scenarios: [exampleScenarios[0], ...scenarios], sets: ['pope'] }).results)!.groups[0].rows;
    expect(rows.map(row => row.cells.filter(Boolean).length)).toEqual([1, 1]);
    const same: Scenario[] = ['a', 'b'].map(name => ({ name, image: { shift: 'blur', severity: 3 } }));
    const named = matrixOf(exampleRun({ scenarios: [exampleScenarios[0], ...same], sets: ['pope'] }).results)!.groups[0].rows;
    expect(named.map(row => row.name)).toEqual(['a', 'b']);
  });

  it('is not there without a clean set', () => {
    expect(matrixOf(exampleRun({ scenarios: exampleScenarios.slice(1, 3) }).results)).toBeUndefined();
  });

  it('colours drops and gains by their size, and nothing strongly where nothing moves', () => {
    expect([shadeOf(-0.2, 0.2), shadeOf(0.2, 0.2), shadeOf(-0.1, 0.2), shadeOf(0, 0.2)]).toEqual([-10, 10, -5, 0]);
    expect(shadeOf(-0.01, 0.01)).toBe(-2);
  });

  it('names severities of pairs', () => {
    const [picture, words] = [
      { shift: 'fog', severity: 4 },
      { shift: 'ocr', severity: 2 },
    ];
    expect(scenarioTitle({ name: 'x', image: picture, text: words })).toBe('fog + ocr, severity 4+2');
    expect(scenarioTitle({ name: 'x', image: picture, text: { ...words, severity: 4 } })).toBe('fog + ocr, severity 4');
    expect(scenarioTitle({ name: 'clean' })).toBe('clean');
  });
});
