/** An audit by several processes: the maps and tables of one; what was finished outlives a rank that is killed, and with ULFM the run does too. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killRank, rankArguments, run, ulfm, ulfmEnvironment, withoutMpi } from '../../node/mpi/testing/mpirun.ts';
import { started } from '../../testing/compiled.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const PAIRS = 4;
/** What a clock says in a result. */
const CLOCK = /"createdAt": "[^"]*"|"timings": \{[^}]*\}|"seconds": [\d.e-]+/g;

describe.skipIf(withoutMpi && !ulfm)('narrows attribute --pairs by several processes', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'narrows-audit-ranks-'));
    const noise = { type: 'gaussian', mean: 120, sigma: 60 } as const;
    for (let i = 0; i < PAIRS; i++)
      await sharp({ create: { width: 96, height: 96, channels: 3, noise } as never })
        .png()
        .toFile(join(root, `${i}.png`));
    const rows = Array.from({ length: PAIRS }, (_, i) => JSON.stringify({ image: `${i}.png`, caption: i % 2 ? 'a dog' : 'a red apple' }));
    await writeFile(join(root, 'pairs.jsonl'), `${rows.join('\n')}\n`);
    await mkdir(join(root, 'one'));
    const one = await run(process.execPath, [...started(MAIN), ...args('one')]);
    expect(one.code, one.stderr).toBe(0);
  });
  afterAll(() => rm(root, { recursive: true }));

  const args = (output: string): string[] =>
    ['attribute', '--pairs', join(root, 'pairs.jsonl'), '--output', join(root, output), '--method', 'grad-cam', '--formats', 'json'].concat(
      ['--workers', '1'],
    );
  const many = (output: string) => run('mpirun', rankArguments(2, MAIN, args(output)));

  /** Every file's text, without what a clock measured and the order in which pairs were finished. */
  async function contents(output: string): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const folder of ['', 'pairs'])
      for (const name of await readdir(join(root, output, folder)))
        if (/\.(json|jsonl|csv)$/.test(name) && name !== 'cells.jsonl')
          found[join(folder, name)] = (await readFile(join(root, output, folder, name), 'utf8')).replace(CLOCK, '');
    return found;
  }

  const finished = async (output: string): Promise<number> =>
    (await readFile(join(root, output, 'cells.jsonl'), 'utf8').catch(() => '')).split('\n').filter(line => line.includes('"result"'))
      .length;

  /** Starts ranks, and kills one of them when a pair is finished. */
  async function killed(
    output: string,
    launcher: string,
    words: readonly string[],
    more: Readonly<Record<string, string>>,
    victim: number,
  ) {
    await mkdir(join(root, output));
    const when = async (): Promise<boolean> => (await finished(output)) > 0;
    return killRank(launcher, words, { more, victim, named: join(root, output), when });
  }

  describe.skipIf(withoutMpi)(`under mpirun${withoutMpi ? ` (left out: ${withoutMpi})` : ''}`, () => {
    it('gives the maps and tables of one process', async () => {
      const two = await many('two');
      expect(two.code, two.stderr).toBe(0);
      expect(two.stdout).toContain(`${PAIRS} of ${PAIRS} pairs attributed.`);
      const wanted = await contents('one');
      expect(Object.keys(wanted)).toHaveLength(PAIRS + 2);
      expect(await contents('two')).toEqual(wanted);
    });

    it('keeps what was finished when a rank is killed, and goes on from it', async () => {
      const { code } = await killed('killed', 'mpirun', rankArguments(2, MAIN, args('killed')), {}, 1);
      expect(code).not.toBe(0);
      const kept = await finished('killed');
      expect(kept).toBeLessThan(PAIRS);
      const again = await many('killed');
      expect(again.code, again.stderr).toBe(0);
      expect(again.stderr).toMatch(new RegExp(`${kept} of ${PAIRS} pairs are already finished`));
      expect(await contents('killed')).toEqual(await contents('one'));
    });
  });

  describe.skipIf(!ulfm)(`under mpirun --with-ft ulfm${ulfm ? '' : ' (left out: NARROWS_TEST_ULFM names no mpirun)'}`, () => {
    const words = (output: string): string[] => ['--with-ft', 'ulfm', ...rankArguments(3, MAIN, args(output))];

    it('goes on without a rank that is killed: a warning, and the maps and tables of one process', async () => {
      const { code, stdout, stderr } = await killed('outlived', ulfm!, words('outlived'), ulfmEnvironment(), 1);
      expect(code, stderr).toBe(0);
      expect(stdout).toContain(`${PAIRS} of ${PAIRS} pairs attributed.`);
      expect(stderr.match(/Warning: Rank 1 died; what it had in hand is done again by the others\./g)).toHaveLength(1);
      expect(await contents('outlived')).toEqual(await contents('one'));
    });

    it('ends in one sentence when rank 0 is killed, and the same command goes on', async () => {
      const { code, stderr } = await killed('headless', ulfm!, words('headless'), ulfmEnvironment(), 0);
      expect(code).not.toBe(0);
      expect(stderr.match(/narrows: .*/g)).toEqual([expect.stringMatching(/^narrows: Rank 0 died .*the same command goes on/)]);
      const again = await run(process.execPath, [...started(MAIN), ...args('headless')]);
      expect(again.code, again.stderr).toBe(0);
      expect(await contents('headless')).toEqual(await contents('one'));
    });
  });
});
