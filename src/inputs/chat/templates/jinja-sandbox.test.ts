import { describe, expect, it } from 'vitest';
import { jinjaTemplate } from './jinja.ts';
import { sandboxedJinja, sandboxTemplates, TEMPLATE_LIMITS } from './jinja-sandbox.ts';

const question = [{ role: 'user' as const, content: 'what is it' }];

describe('a chat template', () => {
  // Limits are waited out: what runs into them gets smaller ones than other templates.
  const limited = (seconds: number) => ({ ...TEMPLATE_LIMITS, seconds });
  it.each([
    [
      'loops in loops',
      limited(0.5),
      '{% for a in range(9000) %}{% for b in range(9000) %}{% for c in range(9000) %}{% endfor %}{% endfor %}{% endfor %}',
    ],
    ['a range that would fill the memory', undefined, '{% for i in range(2000000000) %}{% endfor %}'],
    [
      'a list that fills the memory',
      limited(2),
      '{% set n = namespace(l=[1]) %}{% for i in range(60) %}{% set n.l = n.l + n.l %}{% endfor %}{{ n.l | length }}',
    ],
    [
      'a text that grows',
      limited(0.5),
      '{% set n = namespace(t="xxxxxxxx") %}{% for i in range(60) %}{% set n.t = n.t + n.t %}{% endfor %}{{ n.t }}',
    ],
    ['a macro without an end', undefined, '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}'],
  ])(
    '%s: ends with a sentence that names its file',
    (_, limits, source) => {
      sandboxTemplates(limits);
      const template = jinjaTemplate(source, { source: 'chat_template.jinja' });
      expect(() => template.render(question)).toThrow(
        /^The chat template of chat_template\.jinja refuses the conversation \(.*\); choose another with --template\.$/,
      );
    },
    120_000,
  );

  it('runs after another one was stopped, and says what is wrong with itself', () => {
    expect(sandboxedJinja('{{ a }} and {{ b }}')({ a: 'one', b: [true, null] })).toBe('one and [True, None]');
    expect(() => sandboxedJinja('{{ 1 + }}')).toThrow('Unexpected token');
    expect(() => sandboxedJinja('{{ raise_exception("no system") }}')({})).toThrow('no system');
  });
});
