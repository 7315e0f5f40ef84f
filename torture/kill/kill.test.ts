/** The short forms of `npm run torture -- kill` and `-- disk`, and that differences of two outputs would be seen. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { disk } from '../disk/run.ts';
import { differences } from '../shared/same.ts';
import { kill } from './run.ts';

const root = mkdtempSync(join(tmpdir(), 'narrows-torture-kill-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const said: string[] = [];
const bounds = { seed: 5, until: Date.now() + 400_000, output: root, say: (text: string) => said.push(text) };

it('a run that is killed goes on to the same bits', { timeout: 480_000 }, async () => {
  const entries = await kill({ ...bounds, cases: 1, only: 'attribute' });
  expect(said).toEqual([]);
  expect(entries[0]).toMatchObject({ command: 'attribute --pairs', differences: [], failed: undefined });
  expect(entries[0].hit).toBeGreaterThan(0);
});

it.each(['a quota (injected)', 'two processes'])('%s: a sentence, and nothing is lost', { timeout: 480_000 }, async fault => {
  const output = join(root, fault.slice(0, 3));
  mkdirSync(output);
  const [entry] = await disk({ ...bounds, output, cases: 1, only: `scenes ${fault}` });
  expect(entry).toEqual({ index: 0, fault, command: 'scenes', findings: [] });
});

it('sees what differs between two outputs, and not what a clock says', () => {
  const [a, b] = ['a', 'b'].map(name => join(root, 'same', name));
  for (const folder of [a, b]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'x.png'), 'same');
    writeFileSync(join(folder, 'metrics.jsonl'), `{"loss":1,"tokens_per_second":${folder === a ? 1 : 2}}\n`);
  }
  expect(differences(a, b)).toEqual([]);
  writeFileSync(join(b, 'x.png'), 'samf');
  writeFileSync(join(b, 'metrics.jsonl'), '{"loss":2,"tokens_per_second":1}\n');
  writeFileSync(join(b, 'more.json'), '{}');
  writeFileSync(join(a, 'less.json'), '{}');
  const line = (loss: number): string => JSON.stringify(`{"loss":${loss},"tokens_per_second":0}`);
  expect(differences(a, b)).toEqual([
    'less.json is missing',
    'more.json is there in addition',
    `metrics.jsonl differs: ${line(1)} and ${line(2)}`,
    'x.png differs: "same" and "samf"',
  ]);
});
