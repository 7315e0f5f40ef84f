import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';
import { createProgress } from './progress.ts';

/** A stream that remembers, and a clock that is set by hand. */
function stage(isTTY: boolean, columns = 200) {
  const written: string[] = [];
  const clock = { ms: 0 };
  return { stream: { isTTY, columns, write: (text: string) => written.push(text) }, written, clock, now: () => clock.ms, env: {} };
}

/** Stands for the escape sequence that erases to the end of the line. */
const ERASE = '\ue000';

/** What a terminal shows after these writes: carriage returns and "erase to the end of the line" obeyed. */
function screen(written: readonly string[]): string[] {
  const lines = [''];
  let column = 0;
  for (const token of written.join('').replaceAll('\x1b[K', ERASE)) {
    const line = lines.length - 1;
    if (token === ERASE) lines[line] = [...lines[line]].slice(0, column).join('');
    else if (token === '\r') column = 0;
    else if (token === '\n') column = lines.push('') && 0;
    else {
      const cells = [...lines[line]];
      cells[column++] = token;
      lines[line] = cells.join('');
    }
  }
  return lines;
}

describe('in a terminal', () => {
  it('draws a bar with rate, elapsed and time left, ten times a second at most', () => {
    const s = stage(true);
    const progress = createProgress({ ...s, env: { NO_COLOR: '1' }, label: 'Training', total: 200, unit: 'steps' });
    for (let i = 0; i <= 100; i++) {
      s.clock.ms = i * 50;
      progress.update(i, 'loss 0.5');
    }
    expect(s.written.length).toBe(51);
    expect(screen(s.written)).toEqual([
      'Training ▕████████████            ▏  50 %  100 of 200 steps  20.0 steps/s  5.0 s, 5.0 s left  loss 0.5',
    ]);
    progress.done();
    progress.update(7);
    progress.fail();
    expect(screen(s.written)).toEqual(['Training: 100 steps in 5.0 s (20.0 steps/s)  loss 0.5', '']);
  });

  it('lets log lines pass above the bar', () => {
    const s = stage(true);
    const log = createLogger({ stream: s.stream, env: { NO_COLOR: '1' } });
    const progress = createProgress({ ...s, env: { NO_COLOR: '1' }, label: 'Images', total: 4 });
    progress.update(1);
    log.warn('one is odd', 'odd');
    log.warn('two is odd', 'odd');
    s.clock.ms = 1000;
    progress.update(3);
    expect(screen(s.written)).toEqual([
      'Warning: one is odd',
      'Images ▕██████████████████      ▏  75 %  3 of 4  3.00 /s  1.0 s, 333 ms left',
    ]);
    progress.fail();
    expect(screen(s.written)).toEqual(['Warning: one is odd', 'Images: stopped at 3 of 4 after 1.0 s', '']);
  });

  it('never wraps in a narrow terminal, and the rate follows a change of speed', () => {
    const s = stage(true, 30);
    const progress = createProgress({ ...s, label: 'Downloading weights', total: 1e9, unit: 'bytes', start: 5e8 });
    progress.update(5e8);
    expect([...stripVTControlCharacters(screen(s.written)[0])].length).toBeLessThan(30);
    const middling = stage(true, 70);
    createProgress({ ...middling, env: { NO_COLOR: '1' }, label: 'Training', total: 100, unit: 'steps' }).update(50, 'loss 0.25');
    expect(screen(middling.written)).toEqual(['Training ▕█████████         ▏  50 %  50 of 100 steps  0 ms  loss 0.25']);
    const wide = stage(true);
    const download = createProgress({ ...wide, env: { NO_COLOR: '1' }, label: 'Weights', total: 1e9, unit: 'bytes', start: 5e8 });
    const rates: number[] = [];
    for (let second = 1; second <= 90; second++) {
      wide.clock.ms = second * 1000;
      download.update(5e8 + (second <= 45 ? second * 1e6 : 45e6 + (second - 45) * 4e6));
      rates.push(Number(/([\d.]+) MB\/s/.exec(screen(wide.written)[0])![1]));
    }
    expect(rates[44]).toBe(1);
    expect(rates[45]).toBeLessThan(1.5);
    expect(rates[89]).toBeGreaterThan(3.7);
    expect(screen(wide.written)[0]).toMatch(/^Weights ▕.*▏ {2}72 % {2}725.0 MB of 1.0 GB {2}3.9 MB\/s {2}1 min 30 s, 1 min 1\d s left$/);
  });
});

describe('elsewhere', () => {
  it('prints a plain line every ten seconds and one at the end', () => {
    const s = stage(false);
    const progress = createProgress({ ...s, label: 'Pairs', total: 100, unit: 'pairs' });
    for (let i = 1; i <= 25; i++) {
      s.clock.ms = i * 1000;
      progress.update(i);
    }
    progress.done();
    expect(s.written).toEqual([
      'Pairs: 10 %  10 of 100 pairs  1.00 pairs/s  10 s, 1 min 30 s left\n',
      'Pairs: 20 %  20 of 100 pairs  1.00 pairs/s  20 s, 1 min 20 s left\n',
      'Pairs: 25 pairs in 25 s (1.00 pairs/s)\n',
    ]);
  });

  it('a dumb terminal counts as no terminal; without a total there is no share', () => {
    const s = stage(true);
    const progress = createProgress({ ...s, env: { TERM: 'dumb' }, label: 'Scenes' });
    s.clock.ms = 12_000;
    progress.update(24);
    expect(s.written).toEqual(['Scenes: 24  2.00 /s  12 s\n']);
  });

  it('says nothing when quiet', () => {
    const s = stage(true);
    const progress = createProgress({ ...s, quiet: true, label: 'Pairs', total: 3 });
    progress.update(1);
    progress.done();
    expect(s.written).toEqual([]);
  });
});

describe('createLogger', () => {
  it('prints by level; warnings even when quiet, and once per key or text', () => {
    const say = (options: { quiet?: boolean; debug?: boolean }) => {
      const s = stage(false);
      const log = createLogger({ stream: s.stream, ...options });
      log.info('i');
      log.debug('d');
      log.warn('w', 'k');
      log.warn('w', 'k');
      log.warn('x');
      log.warn('x');
      log.warn('w', 'x');
      return s.written.join('');
    };
    expect(say({})).toBe('i\nWarning: w\nWarning: x\n');
    expect(say({ quiet: true })).toBe('Warning: w\nWarning: x\n');
    expect(say({ debug: true })).toBe('i\ndebug: d\nWarning: w\nWarning: x\n');
  });
});
