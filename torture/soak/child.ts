/** @file One long job in a process of its own: `PART COUNT WORLD`. It tells its parent memory and handles on the way. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createMethod } from '../../src/attribution/registry.ts';
import { ChatSession } from '../../src/generation/chat-session.ts';
import { ChatModel } from '../../src/generation/pretrained.ts';
import { decodeImage } from '../../src/inputs/image/decode.ts';
import { loadModel } from '../../src/models/pretrained.ts';
import { workerRuntime } from '../../src/runtime/worker.ts';
import type { Sample } from './measure.ts';

const [part, count, world] = process.argv.slice(2);
const total = Number(count);
/** Samples of a job. */
const SAMPLES = 20;

function handles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

/** Does the job's steps. */
async function steps(one: (index: number) => Promise<unknown>): Promise<void> {
  const every = Math.max(1, Math.floor(total / SAMPLES));
  for (let index = 0; index < total; index++) {
    await one(index);
    if ((index + 1) % every > 0) continue;
    const sample: Sample = { done: index + 1, megabytes: process.memoryUsage().rss / 2 ** 20, handles: handles() };
    process.send!(sample);
  }
}

const runtime = workerRuntime({ threads: 1 });
try {
  if (part === 'attributions') {
    await using model = await loadModel(join(world, 'clip'), { runtime });
    const image = await decodeImage(join(world, 'disc.png'));
    await using method = createMethod('m2ib', model, { steps: 3 });
    const captions = ['a cat', 'a dog', 'a red apple', 'a hat on the left'];
    await steps(index => method.attribute({ image, text: captions[index % captions.length] }, { seed: index }));
  } else if (part === 'chat') {
    await using chat = await ChatModel.open(join(world, 'llava'), { runtime });
    const image = await decodeImage(join(world, 'images', 'red.png'));
    const session = new ChatSession(chat);
    await steps(async index => {
      // Conversations of four turns: longer ones would fill the context.
      if (index % 4 === 0) session.restart([image]);
      for await (const _ of session.ask('is there a cat ?', { maxNewTokens: 4 }));
    });
  } else throw new Error(`no part ${part}`);
} finally {
  await runtime.release();
}
process.disconnect();
