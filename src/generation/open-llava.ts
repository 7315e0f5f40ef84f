/** @file Opens a model that answers by its name or directory: Node's way into open-llava-files.ts. */
import type { BottleneckLlavaOptions } from '../bottleneck/gaussian/pretrained.ts';
import { sandboxTemplates } from '../inputs/chat/templates/jinja-sandbox.ts';
import { bundledModels, DEFAULT_CHAT_MODEL, findModel } from '../models/bundled.ts';
import { boundLlava } from '../models/pretrained.ts';
import { access } from '../node/disk.ts';
import { diskFiles } from '../node/disk-files.ts';
import { join } from '../node/paths.ts';
import { NarrowsError } from '../system/errors.ts';
import { type AnsweringModel, openLlavaFrom } from './open-llava-files.ts';

sandboxTemplates();

/** @throws NarrowsError where the shipped model was asked for and this copy of Narrows lacks it */
async function requireShipped(reference: string): Promise<void> {
  if (reference !== DEFAULT_CHAT_MODEL || (await bundledModels()).includes(reference)) return;
  const elsewhere = await access(join(reference, 'config.json')).then(
    () => true,
    () => false,
  );
  if (!elsewhere)
    throw new NarrowsError(
      `This copy of Narrows lacks the shipped model ${reference} (models/${reference}); name another LLaVA with --model: a directory or org/name on the Hugging Face hub.`,
    );
}

/**
 * `openLlavaFrom` by a name, with what is free in memory; throws as it does.
 * @param reference a shipped model's name, a directory, or `org/name[@revision]`
 */
export async function openLlava(reference: string = DEFAULT_CHAT_MODEL, options: BottleneckLlavaOptions = {}): Promise<AnsweringModel> {
  await requireShipped(reference);
  const { directory, name } = await findModel(reference, options);
  return openLlavaFrom(diskFiles(directory), boundLlava(options, name));
}
