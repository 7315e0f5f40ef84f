/** An audit by several processes: the maps and tables of one, and what was finished outlives a rank that is killed. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, watch, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RANK_ENVIRONMENT, rankArguments, run, withoutMpi } from '../../node/mpi/testing/mpirun.ts';
import { started } from '../../testing/compiled.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const PAIRS = 4;
/** What a clock says in a result. */
const CLOCK = /"createdAt": "[^"]*"|"timings": \{[^}]*\}|"seconds": [\d.e-]+/g;

describe.skipIf(withoutMpi)(`narrows attribute --pairs under mpirun${withoutMpi ? ` (left out: ${withoutMpi})` : ''}`, () => {
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

  it('gives the maps and tables of one process', async () => {
    await mkdir(join(root, 'one'));
    const one = await run(process.execPath, [...started(MAIN), ...args('one')]);
    expect(one.code, one.stderr).toBe(0);
    const two = await many('two');
    expect(two.code, two.stderr).toBe(0);
    expect(two.stdout).toContain(`${PAIRS} of ${PAIRS} pairs attributed.`);
    const wanted = await contents('one');
    expect(Object.keys(wanted)).toHaveLength(PAIRS + 2);
    expect(await contents('two')).toEqual(wanted);
  });

  it('keeps what was finished when a rank is killed, and goes on from it', async () => {
    const directory = join(root, 'killed');
    await mkdir(directory);
    const changes = watch(directory)[Symbol.asyncIterator]();
    const next = changes.next();
    const child = spawn('mpirun', rankArguments(2, MAIN, args('killed')), {
      env: { ...process.env, ...RANK_ENVIRONMENT },
      stdio: 'ignore',
    });
    const ended = new Promise<number | null>(resolve => child.on('close', resolve));
    const finished = async (): Promise<number> =>
      (await readFile(join(directory, 'cells.jsonl'), 'utf8').catch(() => '')).split('\n').filter(line => line.includes('"result"')).length;
    for (let change = next; (await finished()) === 0; change = changes.next()) await change;
    const ranks = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).trim().split(' ').map(Number);
    process.kill(ranks.at(-1)!, 'SIGKILL');
    expect(await ended).not.toBe(0);
    await changes.return?.();
    const kept = await finished();
    expect(kept).toBeLessThan(PAIRS);
    const again = await many('killed');
    expect(again.code, again.stderr).toBe(0);
    expect(again.stderr).toMatch(new RegExp(`${kept} of ${PAIRS} pairs are already finished`));
    expect(await contents('killed')).toEqual(await contents('one'));
  });
});
