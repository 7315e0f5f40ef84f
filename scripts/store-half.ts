/**
 * @file Copies a model's directory with its weights in half precision, as the shipped models are stored: `model.safetensors` and the `dtype` of
 * config.json; other files, a bottleneck among them, as they are.
 * usage: node --import tsx scripts/store-half.ts MODEL OUTPUT
 */
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors } from '../src/checkpoints/disk.ts';
import { floatsToHalves } from '../src/checkpoints/half.ts';
import { readFloats } from '../src/checkpoints/safetensors.ts';
import { writeSafetensors } from '../src/checkpoints/write.ts';
import { writeFileAtomic } from '../src/node/files.ts';
import type { Tensor } from '../src/tensor/tensor.ts';

const [model, output] = process.argv.slice(2);
if (!model || !output || model === output) throw new Error('usage: node --import tsx scripts/store-half.ts MODEL OUTPUT');
/** What a run keeps beside the model. */
const OF_THE_RUN = /^(checkpoint-\d+|tensorboard|metrics\.jsonl|evaluation\.jsonl|trainer_state\.json|\.narrows.*)$/;
await cp(model, output, {
  recursive: true,
  filter: path => !OF_THE_RUN.test(path.slice(model.length).replace(/^[/\\]/, '')) && !path.endsWith('model.safetensors'),
});
const { tensors, metadata } = await openSafetensors(join(model, 'model.safetensors'));
const halves: [string, Tensor][] = [];
for (const [name, entry] of tensors)
  halves.push([name, { dtype: 'float16', shape: [...entry.shape], data: floatsToHalves(await readFloats(entry)) }]);
await writeSafetensors(join(output, 'model.safetensors'), halves, metadata);
const config = JSON.parse(await readFile(join(model, 'config.json'), 'utf8'));
await writeFileAtomic(join(output, 'config.json'), `${JSON.stringify({ ...config, dtype: 'float16' }, null, 2)}\n`);
