import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchedBy } from './environment.ts';
import { openRanks } from './open-ranks.ts';
import { orderedAllReduce, slices, sumInOrder } from './ordered-sum.ts';
import type { Ranks } from './ranks.ts';
import { awkward } from './testing/awkward.ts';
import { mpirun, withoutMpi } from './testing/mpirun.ts';

const script = fileURLToPath(new URL('./testing/collectives.ts', import.meta.url));
const hash = (data: Float32Array): string => createHash('sha256').update(new Uint8Array(data.buffer)).digest('hex');

describe('the environment of a launcher', () => {
  it('is read for mpirun, PMIx under Slurm, and PMI', () => {
    expect(launchedBy({ OMPI_COMM_WORLD_RANK: '2', OMPI_COMM_WORLD_SIZE: '4', PMIX_RANK: '2' })).toEqual({
      launcher: 'mpirun',
      rank: 2,
      size: 4,
    });
    expect(launchedBy({ PMIX_RANK: '1', SLURM_STEP_NUM_TASKS: '8', SLURM_NTASKS: '16' })).toMatchObject({ rank: 1, size: 8 });
    expect(launchedBy({ PMI_RANK: '0', PMI_SIZE: '3' })).toMatchObject({ rank: 0, size: 3 });
  });

  it('of a batch script, of plain srun and of a shell says that the process stands alone', () => {
    expect(launchedBy({ SLURM_PROCID: '0', SLURM_NTASKS: '4' })).toBeUndefined();
    expect(launchedBy({})).toBeUndefined();
    expect(launchedBy({ OMPI_COMM_WORLD_RANK: 'x' })).toBeUndefined();
  });

  it('of one process loads no library, and of several says in one sentence what is missing', async () => {
    expect(await openRanks({})).toBeUndefined();
    expect(await openRanks({ OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: '1', NARROWS_MPI: '/nowhere/libmpi.so' })).toBeUndefined();
    const several = { OMPI_COMM_WORLD_RANK: '0', OMPI_COMM_WORLD_SIZE: '2' };
    await expect(openRanks({ ...several, NARROWS_MPI: '/nowhere/libmpi.so' })).rejects.toThrow(
      /Open MPI's library cannot be loaded .*NARROWS_MPI\.$/,
    );
  });
});

describe('a sum over ranks', () => {
  it('cuts any length into slices that cover it', () => {
    for (const [length, size] of [
      [10, 3],
      [2, 4],
      [0, 2],
    ]) {
      const bounds = slices(length, size);
      expect([bounds[0], bounds.at(-1), bounds.length]).toEqual([0, length, size + 1]);
      expect(bounds).toEqual(bounds.toSorted((a, b) => a - b));
    }
  });

  it('hands a failure of the transport on', async () => {
    const broken: Pick<Ranks, 'size' | 'exchange' | 'allGather'> = {
      size: 2,
      exchange: () => Promise.reject(new Error('cut')),
      allGather: () => Promise.reject(new Error('cut')),
    };
    await expect(orderedAllReduce(broken, new Float32Array(4))).rejects.toThrow('cut');
  });
});

describe.skipIf(withoutMpi)(`three ranks of Open MPI${withoutMpi ? ` (left out: ${withoutMpi})` : ''}`, () => {
  let lines: Record<string, unknown>[];
  beforeAll(async () => {
    const { stdout, stderr, code } = await mpirun(3, script);
    expect(code, stderr).toBe(0);
    lines = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>);
    lines.sort((a, b) => Number(a.rank) - Number(b.rank));
  });

  it('know each other', () =>
    expect(lines.map(({ rank, size }) => [rank, size])).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
    ]));

  it('broadcast, gather and exchange', () => {
    for (const [r, line] of lines.entries()) {
      expect(line.told).toEqual([1, 2, 3]);
      expect(line.gathered).toEqual([[], [1], [2, 2]]);
      expect(line.exchanged).toEqual([0, 1, 2].map(from => [from, r]));
    }
  });

  it('sum in the order of the ranks, to the bit', () => {
    const parts = [0, 1, 2].map(r => awkward(r, 100_003));
    const backwards = hash(sumInOrder(parts.toReversed()));
    const wanted = hash(sumInOrder(parts));
    expect(wanted).not.toBe(backwards);
    for (const line of lines) expect(line.sums).toBe(wanted);
    for (const line of lines) expect(line.doubles).toEqual([6, 0.1 + 0.1 + 0.1]);
    for (const line of lines) expect(line.last).toBe(hash(awkward(2, 17)));
  });

  it('take messages of any rank, and stop waiting when told to', () => {
    expect(lines[0].received).toEqual([
      [1, 300_001, 1],
      [2, 300_002, 2],
    ]);
    for (const line of lines) expect(line.nothing).toBe('enough');
  });

  it('go on with other work while they wait for one', () => {
    for (const line of lines.slice(1)) expect(Number(line.ticks)).toBeGreaterThan(3);
  });
});

describe.skipIf(withoutMpi)('a library that is none', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'narrows-mpi-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('is refused by its name', async () => {
    const path = join(directory, 'libmpi.so');
    await writeFile(path, 'no library');
    await expect(openRanks({ PMI_RANK: '0', PMI_SIZE: '2', NARROWS_MPI: path })).rejects.toThrow(path);
    // A library that can be loaded, but of something else.
    await expect(openRanks({ PMI_RANK: '0', PMI_SIZE: '2', NARROWS_MPI: 'libc.so.6' })).rejects.toThrow(
      "libc.so.6 is not Open MPI's library",
    );
  });
});
