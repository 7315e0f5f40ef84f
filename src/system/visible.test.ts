import { describe, expect, it } from 'vitest';
import { visible } from './visible.ts';

describe('visible', () => {
  it.each([
    ['\u001b[2J\u001b]0;title\u0007x', '\\u001b[2J\\u001b]0;title\\u0007x'],
    ['\u009b31mred', '\\u009b31mred'],
    ['a\rb\r\nc\td\n', 'a\\u000db\r\nc\td\n'],
    ['\u202egnp.exe', '\\u202egnp.exe'],
    ['\u0000\u0008\u007f', '\\u0000\\u0008\\u007f'],
    ['naïve 🐱 日本 \u200d', 'naïve 🐱 日本 \u200d'],
  ])('writes out what a terminal would obey: %j', (text, expected) => {
    expect(visible(text)).toBe(expected);
  });

  it('lets colours pass where text was styled, but nothing that hides, moves or clears', () => {
    const styled = '\u001b[33mWarning:\u001b[39m \u001b[48;2;1;2;3;38;5;16mx\u001b[0m\u001b[1m\u001b[22m\u001b[m';
    expect(visible(styled, true)).toBe(styled);
    for (const bad of ['\u001b[8m', '\u001b[5m', '\u001b[2J', '\u001b[1;8m', '\u001b[10A', '\u001b]8;;http://x\u0007', '\u001b[?25l'])
      expect(visible(bad, true)).not.toContain('\u001b');
    expect(visible(styled)).not.toContain('\u001b');
  });

  it('keeps JSON what it is', () => {
    const value = { a: '\u001b[31m\u0085\u202e\u007f' };
    expect(JSON.parse(visible(JSON.stringify(value)))).toEqual(value);
  });
});
