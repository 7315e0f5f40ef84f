/** Long work by two processes of Open MPI: the files of one process, for every command that hands out cells. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { mpirun, run, withoutMpi } from '../src/node/mpi/testing/mpirun.ts';
import { sharp } from '../src/node/sharp.ts';
import { started } from '../src/testing/compiled.ts';
import { differences } from '../torture/shared/same.ts';

const MAIN = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'narrows-shared-runs-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A dark picture with a bright square. */
const picture = (name: string, left: number): Promise<unknown> =>
  sharp({ create: { width: 96, height: 64, channels: 3, background: '#222' } })
    .composite([{ input: { create: { width: 16, height: 16, channels: 3, background: '#dd3' } }, left, top: 20 }])
    .png()
    .toFile(join(root, name));

/** A call without its output. */
interface Case {
  readonly words: readonly string[];
  prepare?(): Promise<void>;
}

const CASES: Readonly<Record<string, Case>> = {
  audit: {
    words: ['audit', '--pairs', 'reports.csv', '--boxes', 'boxes.csv', '--model', 'scene-clip', '--method', 'grad-cam'],
    async prepare() {
      for (const [i, name] of ['one', 'two', 'three', 'four'].entries()) await picture(`${name}.png`, 10 + 15 * i);
      writeFileSync(
        join(root, 'reports.csv'),
        'image,text\none.png,a cat on the left\ntwo.png,a red apple\nthree.png,a dog\nfour.png,a hat\n',
      );
      writeFileSync(
        join(root, 'boxes.csv'),
        'dicom_id,category_name,label_text,x,y,w,h\none,Cat,a cat on the left,20,16,24,24\ntwo,Apple,a red apple,25,20,16,16\nthree,Dog,a dog,40,20,16,16\nfour,Hat,a hat,55,20,16,16\n',
      );
    },
  },
  compare: { words: ['compare', '--methods', 'grad-cam,uniform', '--metrics', 'pointing-game', '--samples', '8'] },
  roar: {
    words: ['roar', '--methods', 'grad-cam', '--samples', '64', '--validation-samples', '50', '--max-steps', '2', '--seeds', '1'].concat([
      '--batch-size',
      '8',
      // Trainings round with the number of threads.
      ...['--num-threads', '1'],
    ]),
  },
  evaluate: { words: ['evaluate', '--limit', '24', '--shifts', 'gaussian_noise:3', '--batch-size', '4'] },
  experiment: {
    words: ['experiment', 'vittle-scenes', '--start', 'scene-llava', '--tune-steps', '1', '--seeds', '1', '--batch-size', '2'].concat(
      [
        '--max-turns',
        '2',
        '--num-threads',
        '1',
        '--bottleneck-layer',
        '1',
        '--no-choose',
        '--scenes',
        '2',
        '--severities',
        '3',
        '--corruptions',
        'contrast',
      ],
      ['--text-shifts', 'word_swap', '--conditions', 'plain,vittle-f'],
    ),
  },
};

describe.skipIf(withoutMpi)(`long work under mpirun${withoutMpi ? ` (left out: ${withoutMpi})` : ''}`, () => {
  it.each(Object.keys(CASES))('%s', { timeout: 600_000 }, async name => {
    const { words, prepare } = CASES[name];
    await prepare?.();
    const paths = words.map(word => (/\.csv$/.test(word) ? join(root, word) : word));
    const args = [...paths, '--output', 'out', '--json'];
    // Paths of outputs stand in results: both have the same.
    const [alone, shared] = ['alone', 'shared'].map(who => join(root, who, name));
    for (const folder of [alone, shared]) mkdirSync(folder, { recursive: true });
    const [one, two] = await Promise.all([run(process.execPath, [...started(MAIN), ...args], alone), mpirun(2, MAIN, args, shared)]);
    expect([one.code, two.code], `${one.stderr}${two.stderr}`).toEqual([0, 0]);
    // The second process had its share: else it would be said.
    expect(two.stderr).not.toContain('works in one process');
    expect(readdirSync(join(alone, 'out')).length).toBeGreaterThan(1);
    expect(differences(join(alone, 'out'), join(shared, 'out'))).toEqual([]);
    expect(two.stdout).toBe(one.stdout);
  });
});
