/**
 * @file Copies a model's directory with its weights in half precision, as the shipped models are stored: `model.safetensors` and the `dtype` of
 * config.json; other files, a bottleneck among them, as they are.
 * usage: node --import tsx scripts/store-half.ts MODEL OUTPUT
 */
import { cp } from 'node:fs/promises';
import { writeHalfWeights } from '../src/checkpoints/testing/half-weights.ts';

const [model, output] = process.argv.slice(2);
if (!model || !output || model === output) throw new Error('usage: node --import tsx scripts/store-half.ts MODEL OUTPUT');
/** What a run keeps beside the model. */
const OF_THE_RUN = /^(checkpoint-\d+|tensorboard|metrics\.jsonl|evaluation\.jsonl|trainer_state\.json|\.narrows.*)$/;
await cp(model, output, {
  recursive: true,
  filter: path => !OF_THE_RUN.test(path.slice(model.length).replace(/^[/\\]/, '')) && !path.endsWith('model.safetensors'),
});
await writeHalfWeights(model, output);
