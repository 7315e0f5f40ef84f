import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileJinja } from './jinja-engine.ts';

const golden = JSON.parse(readFileSync(new URL('./testdata/jinja-printing.json', import.meta.url), 'utf8')) as {
  variables: Record<string, unknown>;
  rows: readonly (readonly [string, string])[];
};

describe('compileJinja', () => {
  it.each(golden.rows)('renders %j as Jinja2 does', (template, expected) => {
    expect(compileJinja(template)(golden.variables)).toBe(expected);
  });

  it('renders again and again, with other variables', () => {
    const render = compileJinja(
      '{% set out = namespace(n=0) %}{% for x in list %}{% set out.n = out.n + 1 %}{{ x }}{% endfor %}{{ out.n }}',
    );
    expect([render({ list: [true] }), render({ list: [null, 2.5] }), render({ list: [] })]).toEqual(['True1', 'None2.52', '0']);
  });

  it.each([
    ['range(3)', '0 1 2'],
    ['range(1, 4)', '1 2 3'],
    ['range(5, 0, -2)', '5 3 1'],
    ['range(0, 5, 2)', '0 2 4'],
    ['range(4, 1)', ''],
    ['[range(100000)|length]', '100000'],
  ])('counts by %s as Python does', (expression, expected) => {
    expect(compileJinja(`{{ ${expression} | join(' ') }}`)({})).toBe(expected);
  });

  it("counts no further than Jinja2's sandbox", () => {
    expect(() => compileJinja('{% for i in range(100001) %}{% endfor %}')({})).toThrow('Range too big: 100001 numbers');
    expect(() => compileJinja('{% set r = range %}{{ r(1000000000) }}')({})).toThrow('Range too big');
    expect(() => compileJinja('{% for i in range(1, 0, 0) %}{% endfor %}')({})).toThrow('must not be zero');
    // The word is no function everywhere.
    const words =
      "{% set range = 2 %}{{ range }}{{ m.range }}{{ m['range'] }}{% macro f(range=1) %}{{ range }}{% endmacro %}{{ f(range=4) }}";
    expect(compileJinja(words)({ m: { range: 3 } })).toBe('2334');
  });

  it('passes on what a template raises', () => {
    expect(() => compileJinja("{{ raise_exception('no ' ~ true) }}")({})).toThrow('no True');
    expect(() => compileJinja('{{ 1|join }}')({})).toThrow('join');
    expect(() => compileJinja('{% if %}')).toThrow();
  });
});
