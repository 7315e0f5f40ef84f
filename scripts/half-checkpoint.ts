/** @file `node --import tsx scripts/half-checkpoint.ts FROM TO`: a trained CLIP with its weights as float16, half the size, as the shipped chest-clip is stored. */
import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint, readConfig } from '../src/checkpoints/disk.ts';
import { floatsToHalves } from '../src/checkpoints/half.ts';
import { readFloats } from '../src/checkpoints/safetensors.ts';
import { saveCheckpoint } from '../src/checkpoints/save.ts';
import { makeDirectory } from '../src/node/files.ts';
import type { Tensor } from '../src/tensor/tensor.ts';

const [from, to] = process.argv.slice(2);
await makeDirectory(to);
for (const name of await readdir(from))
  if (/^(?!config|trainer_state).*\.json$/.test(name)) await copyFile(join(from, name), join(to, name));
const { entries } = await openCheckpoint(from);
const tensors: [string, Tensor][] = [];
for (const [name, entry] of entries)
  tensors.push([name, { dtype: 'float16', shape: entry.shape, data: floatsToHalves(await readFloats(entry)) }]);
await saveCheckpoint(to, tensors, { config: { ...((await readConfig(from)) as object), dtype: 'float16' } });
