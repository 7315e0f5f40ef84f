import { describe, expect, it } from 'vitest';
import { createColours } from './colours.ts';

const tty = { isTTY: true, getColorDepth: () => 24 };
const pipe = {};

describe('createColours', () => {
  it.each([
    ['a terminal', tty, {}, true],
    ['a pipe', pipe, {}, false],
    ['a dumb terminal', tty, { TERM: 'dumb' }, false],
    ['NO_COLOR', tty, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR', tty, { NO_COLOR: '' }, true],
    ['FORCE_COLOR on a pipe', pipe, { FORCE_COLOR: '' }, true],
    ['FORCE_COLOR=0', tty, { FORCE_COLOR: '0' }, false],
    ['FORCE_COLOR over NO_COLOR', pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ])('%s', (_, stream, env, enabled) => {
    const colours = createColours(stream, env);
    expect(colours.enabled).toBe(enabled);
    expect(colours.style('red', 'x')).toBe(enabled ? '\x1b[31mx\x1b[39m' : 'x');
    if (!enabled) expect(colours.background([1, 2, 3], 'x')).toBe('x');
  });

  it('paints 24-bit backgrounds with readable ink, rounding fractions', () => {
    const { background } = createColours(tty, {});
    expect(background([253, 231, 37], 'cat')).toBe('\x1b[48;2;253;231;37;38;5;16mcat\x1b[0m');
    expect(background([68.4, 1, 84], 'cat')).toBe('\x1b[48;2;68;1;84;38;5;231mcat\x1b[0m');
  });

  it('falls back to the nearest of 256 colours', () => {
    const { background } = createColours({ isTTY: true, getColorDepth: () => 8 }, {});
    expect(background([255, 0, 0], 'x')).toContain('48;5;196;');
    expect(background([8, 8, 8], 'x')).toContain('48;5;232;');
    expect(background([255, 255, 255], 'x')).toContain('48;5;231;');
    expect(background([95, 135, 175], 'x')).toContain('48;5;67;');
  });
});
