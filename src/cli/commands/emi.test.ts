/** @file `narrows emi` on small files: what it prints and writes, and what it refuses. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadClub } from '../../evaluation/emi/club-file.ts';
import { RandomStream } from '../../tensor/random.ts';
import { callCommand } from '../testing/call-command.ts';
import { emiCommand } from './emi.ts';

const folder = await mkdtemp(join(tmpdir(), 'narrows-emi-'));
afterAll(() => rm(folder, { recursive: true }));

const call = (args: readonly string[]) => callCommand(emiCommand, args, { columns: 160 });
const path = (name: string): string => join(folder, name);
const lines = (name: string, rows: readonly object[]): Promise<void> =>
  writeFile(path(name), rows.map(row => `${JSON.stringify(row)}\n`).join(''));
const COUNT = 12;

beforeAll(async () => {
  const random = new RandomStream(0, 'emi-command');
  const ids = Array.from({ length: COUNT }, (_, i) => i);
  for (const i of ids) {
    const bytes = random.words(0, i, new Uint32Array(16 * 16 * 3)).map(word => word >>> 24);
    await writeFile(path(`${i}.ppm`), Buffer.concat([Buffer.from('P6 16 16 255\n'), Buffer.from(Uint8Array.from(bytes))]));
  }
  const things = ['melon', 'dog', 'cat', 'car'];
  await lines(
    'q.jsonl',
    ids.map(i => ({ question_id: i, image: `${i}.ppm`, text: 'what is in the picture ?' })),
  );
  await lines(
    'q2.jsonl',
    ids.map(i => ({ question_id: i, image: `${i}.ppm`, text: 'what in the picture' })),
  );
  await lines(
    'right.jsonl',
    ids.map(i => ({ question_id: i, text: `a ${things[i % 4]}` })),
  );
  await lines(
    'wrong.jsonl',
    ids.map(i => ({ question_id: i, text: `a ${things[(i * 7 + 1) % 3]}` })),
  );
});

const source = () => [
  '--source-questions',
  path('q.jsonl'),
  '--source-answers',
  path('right.jsonl'),
  '--source-references',
  path('right.jsonl'),
];
const target = (answers: string) => ['--target-questions', path('q2.jsonl'), '--target-answers', path(answers)];
const fast = ['--steps', '20', '--units', '4', '--folds', '2'];

describe('narrows emi', () => {
  it('prints a table and writes JSON and CSV', async () => {
    const { stdout, stderr, code } = await call([
      ...source(),
      ...target('wrong.jsonl'),
      ...fast,
      '--entropy',
      '2',
      '--output',
      path('out'),
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Pictures: patches of scene-llava's vision tower after block 5\. .*Joined: concatenate/);
    expect(stdout).toMatch(/^wrong +12 /m);
    expect(stderr).toMatch(/source, wrong have fewer than 500/);
    expect(stderr).toMatch(/160 values and texts with 192.*concatenated/);
    const results = JSON.parse(await readFile(path('out/emi.json'), 'utf8'));
    expect(results.source.emi).toBe(0);
    expect(results.targets[0].divergences.visual).toBeLessThan(1e-9);
    expect(results.targets[0].divergences.targetOutput).toBeGreaterThan(0.01);
    expect(results.targets[0].boundWithEntropy).toBeGreaterThan(results.targets[0].bound);
    expect((await readFile(path('out/emi.csv'), 'utf8')).split('\n')).toHaveLength(4);
  });

  it('takes several targets and another encoder, saves the estimator, and takes it up again', async () => {
    const model = ['--model', 'scene-clip'];
    const saved = ['--folds', '1', '--steps', '20', '--units', '4', '--save-estimator', path('club.safetensors')];
    const both = [...target('wrong.jsonl'), ...target('right.jsonl')];
    const first = JSON.parse((await call([...source(), ...both, ...model, ...saved, '--json'])).stdout);
    expect(first.targets.map((t: { name: string }) => t.name)).toEqual(['wrong', 'right']);
    expect((await loadClub(path('club.safetensors'))).about.encoders).toContain('scene-clip');
    const again = JSON.parse((await call([...source(), ...both, ...model, '--estimator', path('club.safetensors'), '--json'])).stdout);
    expect(again.targets[0].emid).toEqual(first.targets[0].emid);
    expect(again.estimator.kind).toBe('given');
    const other = await call([...source(), ...both, '--estimator', path('club.safetensors')]);
    expect(other.stderr).toMatch(/takes embeddings of width 288, not 352/);
  });

  it.each([
    ['no source', () => target('wrong.jsonl'), /Name the clean answers/],
    ['two sources', () => ['--source', folder, ...source()], /not both/],
    [
      'half of the files',
      () => ['--source-questions', path('q.jsonl')],
      /takes --source-questions, --source-answers and --source-references/,
    ],
    ['no target', source, /Name at least one target/],
    ['a target without answers', () => [...source(), '--target-questions', path('q2.jsonl')], /takes --target-answers/],
    [
      'lists that do not fit',
      () => [...source(), ...target('a'), ...target('b'), '--target-questions', path('q.jsonl')],
      /--target-answers was given 2 times, but there are 3/,
    ],
    [
      'an estimator to save that there is not',
      () => [...source(), ...target('wrong.jsonl'), '--save-estimator', path('x')],
      /give --folds 1/,
    ],
    ['a folder without a run', () => ['--source', folder], /holds no run of narrows evaluate/],
  ])('refuses %s', async (_, args, message) => {
    const { stderr, code } = await call(args());
    expect(stderr).toMatch(message);
    expect(code).toBeGreaterThan(0);
    expect(stderr).not.toMatch(/\n {4}at /);
  });
});
