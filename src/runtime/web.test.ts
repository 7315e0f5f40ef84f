/** @file The op table on ONNX Runtime Web, and what differs there: ranges of weights, pre-allocated outputs, one call at a time. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { compile, gather, grad, input, matmul, mul, sum, weight } from '../graph/index.ts';
import { families } from '../graph/testing/cases.ts';
import { checkCase, titleOf } from '../graph/testing/op-case.ts';
import { floats, ints } from '../tensor/tensor.ts';
import { webRuntime } from './web.ts';

const runtime = webRuntime();

describe.each(Object.entries(families))('%s', (_, rows) => {
  it.each(rows.map(row => [titleOf(row), row] as const))('%s', (_, row) => checkCase(runtime, row));
});

describe('webRuntime', () => {
  it('fills given outputs', async () => {
    const x = input('x', ['n']);
    await using compiled = await compile(runtime, { y: mul(x, 2) });
    const mine = floats([3], [0, 0, 0]);
    const out = await compiled.run({ x: floats([3], [1, 2, 3]) }, { into: { y: mine } });
    expect(out.y).toBe(mine);
    expect([...mine.data]).toEqual([2, 4, 6]);
  });

  it('runs many at once, one after another, and releases after them', async () => {
    const x = input('x', [2]);
    const [a, b] = [await compile(runtime, { y: mul(x, 2) }), await compile(runtime, { y: mul(x, 3) })];
    const runs = Array.from({ length: 20 }, (_, i) => (i % 2 ? a : b).run({ x: floats([2], [i, -i]) }));
    await Promise.all([a.release(), b.release(), a.release()]);
    const results = await Promise.all(runs);
    expect(results.map(r => r.y.data[0])).toEqual(results.map((_, i) => i * (i % 2 ? 2 : 3)));
    await expect(a.run({ x: floats([2], [0, 0]) })).rejects.toThrow(/already released/);
  });

  it('asks the loader for exactly the bytes of each weight', async () => {
    const asked: unknown[] = [];
    const stored = floats([2, 2], [1, 2, 3, 4]);
    const web = webRuntime({
      readExternal: async (file, offset, length) => {
        asked.push([file, offset, length]);
        return new Uint8Array(stored.data.buffer).slice();
      },
    });
    const w = weight('w', 'float32', [2, 2], { file: '/models/a.safetensors', offset: 123, length: 16 });
    await using compiled = await compile(web, { y: matmul(input('x', [1, 2]), w) });
    expect(asked).toEqual([['/models/a.safetensors', 123, 16]]);
    expect([...(await compiled.run({ x: floats([1, 2], [1, 10]) })).y.data]).toEqual([31, 42]);
  });

  it('says that weights cannot be read where no reader was given', async () => {
    const w = weight('w', 'float32', [2, 2], { file: '/models/a.safetensors', offset: 123, length: 16 });
    const y = matmul(input('x', [1, 2]), w);
    await expect(compile(runtime, { y })).rejects.toThrow(/^\/models\/a\.safetensors holds weights, .*readExternal/);
  });

  it('names the failing node and goes on', async () => {
    const [table, ids] = [input('table', [3, 2]), input('ids', ['n'], 'int32')];
    await using compiled = await compile(runtime, { g: grad(sum(gather(table, ids)), [table])[0], y: gather(table, ids) });
    const feeds = { table: floats([3, 2], [1, 2, 3, 4, 5, 6]) };
    await expect(compiled.run({ ...feeds, ids: ints([1], [9]) })).rejects.toThrow(/Gather_|ScatterElements_/);
    expect([...(await compiled.run({ ...feeds, ids: ints([2], [1, 1]) })).g.data]).toEqual([0, 0, 2, 2, 0, 0]);
  });

  it('says which package is missing where it is not installed', async () => {
    // A copy of the sources outside of any node_modules.
    const folder = await mkdtemp(join(tmpdir(), 'narrows-web-'));
    try {
      const source = fileURLToPath(new URL('..', import.meta.url));
      for (const part of ['runtime', 'system', 'tensor']) await cp(join(source, part), join(folder, part), { recursive: true });
      await writeFile(join(folder, 'package.json'), '{"type": "module"}');
      await writeFile(
        join(folder, 'main.ts'),
        "import { webRuntime } from './runtime/web.ts';\nawait webRuntime().compile(new Uint8Array(1)).catch(e => console.log(e.name, e.message));",
      );
      const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
      const { stdout } = await promisify(execFile)(process.execPath, ['--import', tsx, join(folder, 'main.ts')]);
      expect(stdout.trim()).toBe(
        'NarrowsError The web runtime needs the package onnxruntime-web, which is not installed: run "npm install onnxruntime-web@1.30.0".',
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
