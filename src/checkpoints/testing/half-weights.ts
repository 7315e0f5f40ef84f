/** @file A checkpoint's weights in half precision, as the shipped models are stored. For scripts, benchmarks and tests. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../node/files.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { openSafetensors } from '../disk.ts';
import { floatsToHalves } from '../half.ts';
import { readFloats } from '../safetensors.ts';
import { writeSafetensors } from '../write.ts';

/** Writes `model.safetensors` of `from` as float16 into the directory `to`, and its config.json with that `dtype`. */
export async function writeHalfWeights(from: string, to: string): Promise<void> {
  const { tensors, metadata } = await openSafetensors(join(from, 'model.safetensors'));
  const halves: [string, Tensor][] = [];
  for (const [name, entry] of tensors)
    halves.push([name, { dtype: 'float16', shape: [...entry.shape], data: floatsToHalves(await readFloats(entry)) }]);
  await writeSafetensors(join(to, 'model.safetensors'), halves, metadata);
  const config = JSON.parse(await readFile(join(from, 'config.json'), 'utf8'));
  await writeFileAtomic(join(to, 'config.json'), `${JSON.stringify({ ...config, dtype: 'float16' }, null, 2)}\n`);
}
