/** @file What holds for every long run: one process per output, nothing believed without looking, signals that end it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { command, narrows, scratch, writePicture, writeTinyModel } from './support.ts';

const root = scratch();
const at = (path: string): string => join(root, path);
const call = (...args: string[]) => narrows(args, { cwd: root });
beforeAll(async () => {
  await writeTinyModel(at('model'));
  await writePicture(at('a.png'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Starts a call and waits until something holds. */
async function started(
  args: readonly string[],
  until: () => boolean,
): Promise<{ child: ChildProcess; ended: Promise<number | string | null> }> {
  const { file, args: words } = command(args);
  const child = spawn(file, words, { cwd: root, stdio: 'ignore', env: { ...process.env, NO_COLOR: '1' } });
  const ended = new Promise<number | string | null>(done => child.on('exit', (code, signal) => done(signal ?? code)));
  while (!until() && child.exitCode === null) await new Promise(done => setTimeout(done, 20));
  return { child, ended };
}

const train = (directory: string, steps: number): string[] => [
  ...['train', 'clip', '--output-dir', directory, '--model', 'model', '--train-file', 'pairs.jsonl', '--max-steps', `${steps}`],
  ...['--per-device-train-batch-size', '2', '--save-steps', '1', '--logging-steps', '1', '--num-threads', '1', '--quiet'],
];

describe('one output', () => {
  it('has one process at a time, which others name; a killed one is taken over, and the run ends as it should', async () => {
    const pairs = Array.from({ length: 6 }, (_, i) => `${JSON.stringify({ image: 'a.png', caption: `a cat ${i}` })}\n`);
    await writeFile(at('pairs.jsonl'), pairs.join(''));
    const first = await started(train('run', 4000), () => existsSync(at('run/checkpoint-2')));
    const second = await call(...train('run', 4000));
    expect([second.code, second.stderr]).toEqual([
      1,
      expect.stringMatching(
        new RegExp(`^narrows: run is in use by narrows train clip, process ${first.child.pid} on .*; wait until it has ended, or`),
      ),
    ]);
    first.child.kill('SIGKILL');
    expect(await first.ended).toBe('SIGKILL');
    const steps = async (): Promise<number[]> =>
      (await readFile(at('run/metrics.jsonl'), 'utf8'))
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).step);
    const done = (await steps()).at(-1)! + 3;
    const third = await call(...train('run', done).filter(word => word !== '--quiet'));
    expect(third.stderr).toContain(`process ${first.child.pid} on`);
    expect(third.code).toBe(0);
    expect(await steps()).toEqual(Array.from({ length: done }, (_, i) => i + 1));
  });
});

const rows = Array.from({ length: 24 }, (_, i) => `a.png,a cat ${'and a dog '.repeat(i % 5)}${i}\n`);
const audit = (list: string, output: string): string[] => [
  ...['attribute', '--pairs', list, '--output', output, '--model', 'model', '--method', 'grad-cam', '--formats', 'json', '--quiet'],
];

describe('an audit', () => {
  /** Lines of results.jsonl by caption. */
  const results = async (output: string): Promise<string[]> =>
    (await readFile(at(`${output}/results.jsonl`), 'utf8')).trim().split('\n').sort();
  const records = (output: string): number =>
    existsSync(at(`${output}/cells.jsonl`)) ? readFileSync(at(`${output}/cells.jsonl`), 'utf8').split('\n').length : 0;

  it('is the same to the last digit, killed and gone on with, in another order, or with only some of the pairs', async () => {
    await writeFile(at('rows.csv'), `image,text\n${rows.join('')}`);
    await writeFile(at('reversed.csv'), `image,text\n${[...rows].reverse().join('')}`);
    await writeFile(at('few.csv'), `image,text\n${rows.slice(7, 10).join('')}`);
    expect((await call(...audit('rows.csv', 'whole'))).stderr).not.toContain('failed');
    const killed = await started(audit('rows.csv', 'parts'), () => records('parts') > 6);
    killed.child.kill('SIGKILL');
    await killed.ended;
    const before = records('parts');
    expect(before).toBeLessThan(rows.length);
    expect((await call(...audit('rows.csv', 'parts'))).code).toBe(0);
    await call(...audit('reversed.csv', 'back'));
    await call(...audit('few.csv', 'few'));
    const whole = await results('whole');
    expect(await results('parts')).toEqual(whole);
    expect(await results('back')).toEqual(whole);
    expect((await results('few')).every(line => whole.includes(line))).toBe(true);
  });

  it('looks at what it finished: files that are gone or changed, and damaged records, are made again', async () => {
    const files = await readdir(at('few/pairs'));
    const contents = () => Promise.all(files.map(name => readFile(at(`few/pairs/${name}`), 'utf8').then(text => JSON.parse(text).cosine)));
    const [there, table] = [await contents(), await results('few')];
    await rm(at(`few/pairs/${files[0]}`));
    await writeFile(at(`few/pairs/${files[1]}`), '{}');
    const again = await call(...audit('few.csv', 'few').slice(0, -1));
    expect(again.stderr).toMatch(/1 of 3 pairs are already finished/);
    expect(again.stderr).toMatch(/Warning: Files of 2 finished pairs are missing or were changed in few; they are attributed again/);
    expect([await contents(), await results('few')]).toEqual([there, table]);
    const cells = await readFile(at('few/cells.jsonl'), 'utf8');
    await writeFile(
      at('few/cells.jsonl'),
      cells.replace(/"cosine":0\.(\d)/, (_, digit) => `"cosine":0.${(Number(digit) + 1) % 10}`).replace(/"cosine":-0\./, '"cosine":-1.'),
    );
    const mended = await call(...audit('few.csv', 'few'));
    expect([mended.code, mended.stderr]).toEqual([0, expect.stringMatching(/damaged records? of few.cells\.jsonl cannot be believed/)]);
    expect(await results('few')).toEqual(table);
    await mkdir(at('old/.done'), { recursive: true });
    const old = await call(...audit('few.csv', 'old'));
    expect([old.code, old.stderr]).toEqual([2, expect.stringMatching(/^narrows: old holds an audit of an older version/)]);
  });
});

describe('an audit in threads', () => {
  it('writes the same tables, byte for byte, and the same maps as one in a single thread', async () => {
    await writeFile(at('threads.csv'), `image,text\n${rows.join('')}`);
    const calls = ['0', '2'].map(workers => call(...audit('threads.csv', `threads-${workers}`), '--workers', workers));
    for (const { code, stderr } of await Promise.all(calls)) expect([code, stderr]).toEqual([0, expect.not.stringContaining('failed')]);
    const names = (await readdir(at('threads-0/pairs'))).sort();
    expect(names).toHaveLength(24);
    expect((await readdir(at('threads-2/pairs'))).sort()).toEqual(names);
    // What a clock says is in the files of single pairs only.
    const withoutClock = async (path: string): Promise<string> =>
      JSON.stringify(JSON.parse(await readFile(at(path), 'utf8')), (key, value) => (['createdAt', 'timings'].includes(key) ? null : value));
    for (const name of names) expect(await withoutClock(`threads-2/pairs/${name}`)).toBe(await withoutClock(`threads-0/pairs/${name}`));
    for (const name of ['results.jsonl', 'summary.csv'])
      expect((await readFile(at(`threads-2/${name}`))).equals(await readFile(at(`threads-0/${name}`))), name).toBe(true);
    const refused = await call('attribute', 'a.png', 'a cat', '--model', 'model', '--workers', '2');
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/--workers belongs to --pairs/)]);
  }, 240_000);
});

describe('signals', () => {
  it.each([
    ['SIGINT', 'SIGINT'],
    ['SIGINT', 'SIGTERM'],
    ['SIGTERM', 'SIGINT'],
  ] as const)(
    '%s and then %s end the process, whatever it is doing',
    async (one, two) => {
      const run = await started(train(`run-${one}-${two}`, 4000), () => existsSync(at(`run-${one}-${two}/checkpoint-1`)));
      run.child.kill(one);
      run.child.kill(two);
      // The system may deliver them the other way round; where one was enough, the run has ended in order.
      expect([one, two, 130, 143]).toContain(await run.ended);
    },
    120_000,
  );
});

describe.skipIf(!existsSync('/dev/full'))('a standard output that cannot be written', () => {
  it.each([['methods'], ['attribute', 'a.png', 'a cat', '--model', 'model', '--method', 'random', '--json', '--quiet']])(
    'fails: %s',
    async (...args) => {
      const full = openSync('/dev/full', 'w');
      const { file, args: words } = command(args);
      const child = spawn(file, words, { cwd: root, stdio: ['ignore', full, 'pipe'] });
      let said = '';
      child.stderr!.setEncoding('utf8').on('data', text => {
        said += text;
      });
      const code = await new Promise(done => child.on('close', done));
      closeSync(full);
      expect([code, said]).toEqual([
        1,
        'narrows: Cannot write the standard output: the disk is full; free some space or choose another directory.\n',
      ]);
    },
  );
});
