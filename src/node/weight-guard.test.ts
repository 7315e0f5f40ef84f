/** @file A weight file that is cut while in use gets a sentence: before a run, and from outside where a run was under way. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../checkpoints/disk.ts';
import { writeSafetensors } from '../checkpoints/write.ts';
import { add, compile, input, weight } from '../graph/index.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { floats } from '../tensor/tensor.ts';
import { checkWeightFiles } from './weight-guard.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'narrows-guard-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('before a run', () => {
  it('a shorter file is refused, a removed or longer one is not', async () => {
    const path = join(root, 'a');
    await writeFile(path, new Uint8Array(100));
    expect(() =>
      checkWeightFiles([
        { file: path, bytes: 100 },
        { file: join(root, 'none'), bytes: 1 },
      ]),
    ).not.toThrow();
    expect(() => checkWeightFiles([{ file: path, bytes: 101 }])).toThrow(`${path} was cut short while its weights were in use`);
  });

  it('a session whose weights shrink says so', async () => {
    const path = join(root, 'w.safetensors');
    await writeSafetensors(path, { w: floats([50_000], new Float32Array(50_000).fill(2)) });
    const entry = (await openSafetensors(path)).tensors.get('w')!;
    const w = weight('w', entry.dtype, entry.shape, { file: entry.file, offset: entry.offset, length: entry.length });
    const runtime = nodeRuntime({ threads: 1 });
    await using graph = await compile(runtime, { y: add(input('x', [50_000]), w) }, { prepack: false });
    const x = floats([50_000], new Float32Array(50_000));
    expect((await graph.run({ x })).y.data[49_999]).toBe(2);
    await truncate(path, 1000);
    await expect(graph.run({ x })).rejects.toThrow('was cut short while its weights were in use');
  });
});

describe.skipIf(process.platform === 'win32')('from outside', () => {
  /** A process that names a file of 100 bytes, cuts it to `left`, and ends by a signal that it cannot answer. */
  const ending = async (left: number): Promise<string> => {
    const path = join(root, `b ${left}`);
    await writeFile(path, new Uint8Array(100));
    const module = pathToFileURL(join(import.meta.dirname, 'weight-guard.ts')).href;
    const code = `import { guardWeights, noteWeightFiles } from ${JSON.stringify(module)}; import { truncateSync } from 'node:fs';
      guardWeights(); noteWeightFiles([{ file: ${JSON.stringify(path)}, bytes: 100 }]); truncateSync(${JSON.stringify(path)}, ${left});
      setTimeout(() => process.kill(process.pid, 'SIGBUS'), 500);`;
    return new Promise(done => {
      execFile(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], (_error, _stdout, stderr) => done(stderr));
    });
  };
  it('says so once the process is gone, and nothing of a file that is whole', async () => {
    expect(await ending(40)).toBe(
      `narrows: ${join(root, 'b 40')} was cut short while its weights were in use; copy the file again and start anew.\n`,
    );
    expect(await ending(100)).toBe('');
  });
});
