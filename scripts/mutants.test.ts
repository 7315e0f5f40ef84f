import { expect, it } from 'vitest';
import { mutantsOf } from './mutants.ts';

const apply = (code: string): string[] => mutantsOf('a.ts', code).map(m => code.slice(0, m.start) + m.text + code.slice(m.end));

it('errors are small, and leave types and texts alone', () => {
  expect(apply('const y = a + b;')).toEqual(['const y = a - b;']);
  expect(apply('const y = a < 0 ? low : -b;')).toEqual([
    'const y = a < 0 ? -b : low;',
    'const y = a >= 0 ? low : -b;',
    'const y = a < 1 ? low : -b;',
    'const y = a < 0 ? low : b;',
  ]);
  expect(apply("f(model.image, 'insertion', 1.5);")).toEqual([
    "f(model.text, 'insertion', 1.5);",
    "f(model.image, 'deletion', 1.5);",
    "f(model.image, 'insertion', 1.6500000000000001);",
  ]);
  expect(apply("type A = 1 | 'image'; interface B { x: 2 }")).toEqual([]);
  expect(apply('if (x) throw new NarrowsError("no");')).toEqual([]);
  expect(apply('for (;;) if (done) break;')).toEqual([]);
  expect(apply('if (done) { go(); }')).toEqual(['if (false) { go(); }']);
  expect(apply('s += `a` + b;')).toEqual(['s -= `a` + b;']);
});
