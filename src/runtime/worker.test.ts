/** @file The worker runtime: free event loop, untouched inputs, errors, aborts, release; from sources and from compiled JavaScript. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile, gather, grad, input, matmul, mul, scope, square, sum, type Value } from '../graph/index.ts';
import { floats, ints } from '../tensor/tensor.ts';
import { nodeRuntime } from './node.ts';
import { workerRuntime } from './worker.ts';

const runtime = workerRuntime({ threads: 1 });
afterAll(() => runtime.release());

const x = input('x', ['n', 2]);
const doubled = { y: mul(x, 2), g: grad(sum(square(x)), [x])[0] };

/** A chain of matrix products. */
function chain(length: number): Record<string, Value> {
  const a = input('a', [400, 400]);
  let y = a;
  for (let i = 0; i < length; i++) y = matmul(mul(y, 0.01), a);
  return { y: sum(y) };
}
let perProduct = Number.POSITIVE_INFINITY;
/** A graph that takes about that many milliseconds on this machine. */
const heavy = (milliseconds: number): Record<string, Value> => chain(Math.ceil(milliseconds / perProduct));
beforeAll(async () => {
  await using compiled = await compile(runtime, chain(20));
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    await compiled.run({ a: matrix });
    perProduct = Math.min(perProduct, (performance.now() - start) / 20);
  }
});
const matrix = floats([400, 400], new Float32Array(160_000).fill(0.1));

describe('workerRuntime', () => {
  it('gives what the runtime of this thread gives, and leaves the inputs unchanged', async () => {
    await using there = await compile(runtime, doubled);
    await using here = await compile(nodeRuntime({ threads: 1 }), doubled);
    const buffer = Float32Array.from({ length: 100 }, (_, i) => i);
    const view = floats([3, 2], buffer.subarray(10, 16));
    const [a, b] = [await there.run({ x: view }), await here.run({ x: view })];
    expect(a).toEqual(b);
    expect(buffer.length).toBe(100);
    expect([...view.data]).toEqual([10, 11, 12, 13, 14, 15]);
    expect(a.y.data.buffer.byteLength).toBe(24);
    const mine = floats([3, 2], new Float32Array(6));
    expect((await there.run({ x: view }, { into: { y: mine }, outputs: ['y'] })).y).toBe(mine);
    expect(mine.data).toEqual(b.y.data);
    // Shared memory, which the binding itself refuses.
    const shared = floats([1, 2], new Float32Array(new SharedArrayBuffer(8)).fill(3));
    expect([...(await there.run({ x: shared })).y.data]).toEqual([6, 6]);
  });

  it('takes the inputs as they are at the call', async () => {
    await using compiled = await compile(runtime, doubled);
    const mine = floats([1, 2], [1, 2]);
    const runs = [];
    for (let i = 0; i < 10; i++) {
      mine.data.fill(i);
      runs.push(compiled.run({ x: mine }));
    }
    expect((await Promise.all(runs)).map(r => r.y.data[0])).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
  });

  it('keeps the event loop free', async () => {
    await using compiled = await compile(runtime, heavy(300));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await compiled.run({ a: matrix });
    clearInterval(timer);
    // In this thread there would be none before the end; how many there are is the machine's business.
    expect(ticks).toBeGreaterThan(2);
  });

  it('passes errors on with their message, and goes on', async () => {
    const [table, ids] = [input('table', [2, 2]), input('ids', ['n'], 'int32')];
    await using compiled = await compile(
      runtime,
      scope('embeddings', () => ({ y: gather(table, ids) })),
    );
    const feeds = { table: floats([2, 2], [1, 2, 3, 4]) };
    await expect(compiled.run({ ...feeds, ids: ints([1], [5]) })).rejects.toThrow(/embeddings\/Gather.*out of data bounds/);
    expect([...(await compiled.run({ ...feeds, ids: ints([1], [1]) })).y.data]).toEqual([3, 4]);
    await expect(runtime.compile(new Uint8Array([1, 2, 3]))).rejects.toThrow(/protobuf/i);
  });

  it('stops a run at once when it is aborted; others go on', async () => {
    const pool = workerRuntime({ threads: 1 });
    const slow = await compile(pool, heavy(700));
    const quick = await compile(pool, doubled);
    const controller = new AbortController();
    const running = slow.run({ a: matrix }, { signal: controller.signal });
    const waiting = slow.run({ a: matrix }, { signal: controller.signal });
    const after = quick.run({ x: floats([1, 2], [1, 2]) });
    setTimeout(() => controller.abort(new Error('not wanted any more')), 50);
    const start = performance.now();
    const afterwards = after.then(() => performance.now() - start);
    await expect(running).rejects.toThrow('not wanted any more');
    await expect(waiting).rejects.toThrow('not wanted any more');
    const rejected = performance.now() - start;
    expect([...(await after).y.data]).toEqual([2, 4]);
    // The worker was still at it when the caller was told.
    expect(rejected).toBeLessThan((await afterwards) / 2);
    await expect(quick.run({ x: floats([1, 2], [1, 2]) }, { signal: controller.signal })).rejects.toThrow('not wanted any more');
    await pool.release();
  });

  it('`release` rejects what has not ended, and everything after it', async () => {
    const pool = workerRuntime({ threads: 1 });
    const slow = await compile(pool, heavy(300));
    const runs = [slow.run({ a: matrix }), slow.run({ a: matrix })];
    const outcomes = Promise.allSettled(runs);
    await new Promise(resolve => setTimeout(resolve, 30));
    let notified = false;
    void outcomes.then(() => {
      notified = true;
    });
    await Promise.all([pool.release().then(() => expect(notified).toBe(true)), pool.release()]);
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: { message: /released before/ } });
    await expect(slow.run({ a: matrix })).rejects.toThrow(/already released/);
    await expect(compile(pool, doubled)).rejects.toThrow(/already released/);
    await slow.release();
  });

  it('spreads runs over several workers', async () => {
    const pool = workerRuntime({ threads: 1, size: 2 });
    const slow = await compile(pool, heavy(500));
    const quick = await compile(pool, doubled);
    const two = { x: floats([1, 2], [1, 1]) };
    // Both workers awake.
    await Promise.all([quick.run(two), quick.run(two)]);
    const order: string[] = [];
    await Promise.all([
      slow.run({ a: matrix }).then(() => order.push('slow')),
      ...[1, 2, 3].map(i => quick.run({ x: floats([1, 2], [i, i]) }).then(r => order.push(`quick ${r.y.data[0]}`))),
    ]);
    expect(order).toEqual(['quick 2', 'quick 4', 'quick 6', 'slow']);
    await slow.release();
    await expect(slow.run({ a: matrix })).rejects.toThrow(/already released/);
    await pool.release();
  });
});

describe('from a program of its own', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const run = promisify(execFile);
  const program = (from: string, extension: string): string => `
    import { workerRuntime } from '${from}/runtime/worker.${extension}';
    import { compile, input, mul } from '${from}/graph/index.${extension}';
    const c = await compile(workerRuntime(), { y: mul(input('x', [2]), 3) });
    console.log(String((await c.run({ x: { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } })).y.data));`;

  it('runs from TypeScript under tsx, from any directory, and ends without a release', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'narrows-worker-'));
    try {
      await writeFile(join(folder, 'main.mts'), program(join(root, 'src'), 'ts'));
      const { stdout } = await run(process.execPath, ['--import', import.meta.resolve('tsx'), 'main.mts'], { cwd: folder });
      expect(stdout.trim()).toBe('3,6');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('may exit in the middle of a run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'narrows-worker-'));
    try {
      const source = `
        import { workerRuntime } from '${join(root, 'src')}/runtime/worker.ts';
        import { compile, input, matmul } from '${join(root, 'src')}/graph/index.ts';
        let y = input('a', [500, 500]);
        for (let i = 0; i < 60; i++) y = matmul(y, input('a', [500, 500]));
        const c = await compile(workerRuntime(), { y });
        void c.run({ a: { dtype: 'float32', shape: [500, 500], data: new Float32Array(250_000) } });
        setTimeout(() => process.exit(7), 20);`;
      await writeFile(join(folder, 'main.mts'), source);
      await expect(run(process.execPath, ['--import', import.meta.resolve('tsx'), 'main.mts'], { cwd: folder })).rejects.toMatchObject({
        code: 7,
        stderr: '',
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('runs from compiled JavaScript', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'narrows-worker-'));
    try {
      const part = async (name: string): Promise<string[]> =>
        (await readdir(join(root, 'src', name), { recursive: true }))
          .filter(f => /(?<!\.test|\.cases)\.ts$/.test(f) && !f.startsWith('testing'))
          .map(f => join(root, 'src', name, f));
      const files = (await Promise.all(['runtime', 'graph', 'system', 'tensor'].map(part))).flat();
      const config = {
        extends: join(root, 'tsconfig.json'),
        compilerOptions: {
          noEmit: false,
          rootDir: join(root, 'src'),
          outDir: join(folder, 'dist'),
          types: ['node'],
          typeRoots: [join(root, 'node_modules/@types')],
        },
        include: [],
        files,
      };
      await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
      await writeFile(join(folder, 'package.json'), '{"type": "module"}');
      await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
      await run(join(root, 'node_modules/.bin/tsc'), ['-p', folder]);
      await writeFile(join(folder, 'main.js'), program('./dist', 'js'));
      const { stdout } = await run(process.execPath, ['main.js'], { cwd: folder });
      expect(stdout.trim()).toBe('3,6');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
