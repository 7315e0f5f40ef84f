/** What a person sees of a call that several processes share: each sentence once, and an end for all. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, killRank, mpirun, rankArguments, ulfm, ulfmEnvironment, withoutMpi } from '../node/mpi/testing/mpirun.ts';
import { TINY } from '../tuning/clip/testdata/tiny.ts';
import { kebab } from './flags.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const PAIRS = 16;

describe.skipIf(withoutMpi && !ulfm)(`narrows under mpirun${withoutMpi ? ` (left out: ${withoutMpi})` : ''}`, () => {
  let root: string;
  let pairs: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'narrows-mpirun-'));
    pairs = join(root, 'pairs.jsonl');
    await mkdir(join(root, 'pictures'));
    for (let i = 0; i < PAIRS; i++)
      await sharp({ create: { width: 96, height: 96, channels: 3, background: { r: 15 * i, g: 40, b: 200 } } })
        .png()
        .toFile(join(root, `pictures/${i}.png`));
    // Every update reads all pairs, so that one of the two ranks meets it, whatever the order.
    await writeFile(join(root, 'pictures/5.png'), 'no picture');
    const rows = Array.from({ length: PAIRS }, (_, i) => JSON.stringify({ image: `pictures/${i}.png`, caption: `picture ${i}` }));
    await writeFile(pairs, `${rows.join('\n')}\n`);
  });
  afterAll(() => rm(root, { recursive: true }));

  const narrows = (...args: string[]): Promise<Ended> => mpirun(2, MAIN, args);
  const trainArguments = (output: string, args: Readonly<Record<string, string | number | true>>): string[] => {
    const { curriculum_steps: _, max_objects: __, names_per_step: ___, ...tiny } = TINY;
    const all: Readonly<Record<string, string | number | true>> = {
      ...tiny,
      ...{ max_steps: 2, save_steps: 2, eval_steps: 2, logging_steps: 1 },
      output_dir: join(root, output),
      ...args,
    };
    return ['train', 'clip'].concat(
      Object.entries(all).flatMap(([key, value]) => [`--${kebab(key)}`, ...(value === true ? [] : [String(value)])]),
    );
  };
  const train = (output: string, args: Readonly<Record<string, string | number | true>>): Promise<Ended> =>
    narrows(...trainArguments(output, args));
  const said = (text: string, sentence: RegExp): number => text.match(new RegExp(sentence, 'g'))?.length ?? 0;

  it.skipIf(withoutMpi)('says what all ranks find once', async () => {
    const { code, stderr } = await train('usage', { gradient_accumulation_steps: 1, per_device_train_batch_size: 1 });
    expect(code).toBe(2);
    expect(said(stderr, /narrows: An update has one micro-batch of 1 sample for 2 processes.*\n/)).toBe(1);
  });

  it.skipIf(withoutMpi)('ends all ranks when one of them meets a broken picture, and names it', async () => {
    const { code, stderr } = await train('broken', { train_file: pairs, per_device_train_batch_size: 8, gradient_accumulation_steps: 2 });
    expect(code).toBe(1);
    expect(said(stderr, /narrows: (Rank 1: )?.*pairs.jsonl, line 6: .*\n/)).toBe(1);
    expect(await readdir(join(root, 'broken')).catch(() => [])).not.toContain('model.safetensors');
  });

  it.skipIf(withoutMpi)('tells what other ranks leave out, once, and one result', async () => {
    const args = { train_file: pairs, per_device_train_batch_size: 6, gradient_accumulation_steps: 2, ignore_bad: true } as const;
    const { code, stdout, stderr } = await train('ignored', args);
    expect(code, stderr).toBe(0);
    expect(said(stderr, /Warning: Left out: .*line 6: .*\n/)).toBe(1);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    const lines = (await readFile(join(root, 'ignored', 'metrics.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map(line => JSON.parse(line).step)).toEqual([1, 2]);
  });

  it.skipIf(withoutMpi)('runs a command of one process once', async () => {
    const { code, stdout, stderr } = await narrows('metrics', '--json');
    expect(code).toBe(0);
    expect(() => JSON.parse(stdout)).not.toThrow();
    expect(said(stderr, /works in one process: of the 2 that were started only the first/)).toBe(1);
  });

  it.skipIf(!ulfm)(
    `with ULFM ends a training in one sentence when a rank is killed${ulfm ? '' : ' (left out: NARROWS_TEST_ULFM names no mpirun)'}`,
    async () => {
      const words = trainArguments('deserted', {
        max_steps: 100_000,
        save_steps: 5,
        gradient_accumulation_steps: 3,
        per_device_train_batch_size: 4,
      });
      const named = join(root, 'deserted');
      const metrics = (): Promise<string> => readFile(join(named, 'metrics.jsonl'), 'utf8').catch(() => '');
      const { code, stderr } = await killRank(ulfm!, ['--with-ft', 'ulfm', ...rankArguments(3, MAIN, words)], {
        ...{ more: ulfmEnvironment(), victim: 1, named },
        when: async () => (await metrics()).split('\n').length > 8,
      });
      expect(code).toBe(1);
      expect(stderr.match(/narrows: .*/g)).toEqual([
        expect.stringMatching(/^narrows: Rank 1 died .* needs all ranks; the same command goes on/),
      ]);
      expect(await readdir(named)).toContain('checkpoint-5');
    },
  );
});
