import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { reachable } from './import-graph.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

it('a test reaches what it imports, directly and through others, and itself; nothing above it', () => {
  const seen = reachable(root, 'src/evaluation/metrics/ranking.test.ts');
  for (const file of ['ranking.test.ts', 'ranking.ts']) expect(seen).toContain(`src/evaluation/metrics/${file}`);
  expect(seen).toContain('src/attribution/game.ts');
  expect([...seen].filter(file => file.startsWith('src/report/'))).toEqual([]);
});
