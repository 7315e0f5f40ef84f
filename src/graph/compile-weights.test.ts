/** @file Frozen weights read by the runtime from files: any offset, type, folder and name; on every runtime. */

import { mkdir, mkdtemp, realpath, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRange } from '../node/files.ts';
import { nodeRuntime } from '../runtime/node.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { webRuntime } from '../runtime/web.ts';
import { workerRuntime } from '../runtime/worker.ts';
import { RandomStream } from '../tensor/random.ts';
import { floats } from '../tensor/tensor.ts';
import { expectClose } from '../testing/close.ts';
import { add, compile, type ExternalData, grad, input, linear, lower, matmul, mul, scope, sum, type Value, weight } from './index.ts';

const [OUT, IN] = [24, 32];
let folder: string;
const normals = (sample: number, size: number): Float32Array => new RandomStream(3, 'test').normals(0, sample, new Float32Array(size));
/** Values that 16-bit types hold exactly: eighths up to ±15. */
const coarse = (sample: number, size: number): Float32Array =>
  normals(sample, size).map(v => Math.max(-15, Math.min(15, Math.round(v * 8) / 8)));
const W = normals(1, OUT * IN);
const H = coarse(2, OUT * IN);
const B = coarse(3, OUT);
const X = floats([5, IN], normals(4, 5 * IN));

const bfloatBytes = (values: Float32Array): Uint8Array => {
  const words = new Uint32Array(values.buffer);
  return new Uint8Array(Uint16Array.from(words, w => w >>> 16).buffer);
};
/** IEEE half of a normal number that has ten bits of fraction at most. */
const halfBytes = (values: Float32Array): Uint8Array => {
  const half = (v: number): number => {
    if (v === 0) return 0;
    const exponent = Math.floor(Math.log2(Math.abs(v)));
    return (v < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | ((Math.abs(v) / 2 ** exponent - 1) * 1024);
  };
  return new Uint8Array(Uint16Array.from(values, half).buffer);
};

/** Writes pieces one after another behind a header of odd length, as in a safetensors file, and says where each stands. */
async function write(file: string, pieces: readonly Uint8Array[], header = 235): Promise<ExternalData[]> {
  const parts: Uint8Array[] = [new Uint8Array(header).fill(0x20)];
  let offset = header;
  const where = pieces.map(piece => {
    const data = { file, offset, length: piece.length };
    parts.push(piece, Uint8Array.of(1));
    offset += piece.length + 1;
    return data;
  });
  await writeFile(file, Buffer.concat(parts));
  return where;
}

let places: { w: ExternalData; h: ExternalData; b: ExternalData };
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'narrows weights é ')));
  for (const name of ['blobs', 'snap shots', 'other/模型 ß']) await mkdir(join(folder, name), { recursive: true });
  const [w, b] = await write(join(folder, 'blobs', '0a1b'), [new Uint8Array(W.buffer), bfloatBytes(B)]);
  const [h] = await write(join(folder, 'other/模型 ß', 'part 2 – ü.safetensors'), [halfBytes(H)], 4097);
  await symlink('../blobs/0a1b', join(folder, 'snap shots', 'model.safetensors'));
  places = { w, h, b };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const x = input('x', ['n', IN]);
/** x(W + H)ᵀ + b, its sum's gradient, from float32, float16 and bfloat16 weights in two folders. */
function model({ w, h, b } = places): Record<string, Value> {
  const f32 = weight('layer.w', 'float32', [OUT, IN], w);
  const f16 = weight('layer.h', 'float16', [OUT, IN], h);
  const bf16 = weight('layer.b', 'bfloat16', [OUT], b);
  const y = add(linear(x, f32, bf16), matmul(x, f16, { transB: true }));
  return { y, g: grad(sum(mul(y, y)), [x])[0] };
}
function reference(): { y: Float64Array; g: Float64Array } {
  const [y, g] = [new Float64Array(5 * OUT), new Float64Array(5 * IN)];
  for (let n = 0; n < 5; n++)
    for (let o = 0; o < OUT; o++) {
      y[n * OUT + o] = B[o];
      for (let i = 0; i < IN; i++) y[n * OUT + o] += X.data[n * IN + i] * (W[o * IN + i] + H[o * IN + i]);
      for (let i = 0; i < IN; i++) g[n * IN + i] += 2 * y[n * OUT + o] * (W[o * IN + i] + H[o * IN + i]);
    }
  return { y, g };
}

const runtimes: Record<string, Runtime> = {
  node: nodeRuntime({ threads: 1 }),
  worker: workerRuntime({ threads: 1 }),
  web: webRuntime({ readExternal: readRange }),
};
afterAll(async () => {
  for (const runtime of Object.values(runtimes)) await runtime.release();
});

describe.each(Object.entries(runtimes))('%s', (_, runtime) => {
  it.each([true, false])('reads three types at odd offsets in two folders with spaces and other scripts (prepack: %s)', async prepack => {
    await using compiled = await compile(runtime, model(), { prepack });
    const out = await compiled.run({ x: X });
    const expected = reference();
    expectClose(out.y.data as Float32Array, expected.y, { rtol: 1e-5, atol: 1e-4 });
    expectClose(out.g.data as Float32Array, expected.g, { rtol: 1e-5, atol: 1e-3 });
    expect(compiled.inputNames).toEqual(['x']);
  });

  it('reads through the real path of a link, as in the cache of Hugging Face', async () => {
    const file = await realpath(join(folder, 'snap shots', 'model.safetensors'));
    await using compiled = await compile(runtime, model({ ...places, w: { ...places.w, file } }));
    expectClose((await compiled.run({ x: X })).y.data as Float32Array, reference().y, { rtol: 1e-5, atol: 1e-4 });
  });

  it('reads a single weight, relative to the working directory too', async () => {
    for (const file of [places.w.file, relative(process.cwd(), places.w.file)]) {
      const only = weight('w', 'float32', [OUT, IN], { ...places.w, file });
      await using compiled = await compile(runtime, { y: mul(only, 1) });
      expect((await compiled.run({})).y.data).toEqual(W);
    }
  });

  it('says which weight a truncated or missing file lacks', async () => {
    const file = join(folder, 'short.safetensors');
    const [w] = await write(file, [new Uint8Array(W.buffer)]);
    await truncate(file, 1000);
    const build = (): Record<string, Value> => ({ y: scope('encoder', () => linear(x, weight('encoder.w', 'float32', [OUT, IN], w))) });
    await expect(compile(runtime, build())).rejects.toThrow(/short\.safetensors|encoder\.w/);
    await rm(file);
    await expect(compile(runtime, build())).rejects.toThrow(/short\.safetensors|encoder\.w/);
  });
});

it('names equal weights once and refuses two weights of one name', () => {
  const { w, h } = places;
  const again = (): Value => weight('w', 'float32', [OUT, IN], { ...w });
  expect(lower({ y: add(again(), again()) }).initializers.length).toBe(1);
  expect(() => lower({ y: add(again(), weight('w', 'float16', [OUT, IN], h)) })).toThrow(/called "w"/);
});
