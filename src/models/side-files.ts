/** @file Files of a checkpoint next to its weights. */
import { writeFileAtomic } from '../node/files.ts';
import { join } from '../node/paths.ts';
import type { ModelFiles } from '../system/model-files.ts';

/** Copies tokenizer, preprocessor and other small files; weights, indices and config.json are written by the saver. */
export async function copySideFiles(from: ModelFiles, to: string): Promise<void> {
  for (const name of await from.list()) {
    if (!/\.(json|txt|jinja)$|^(spiece|tokenizer)\.model$/.test(name) || name === 'config.json' || name.endsWith('.index.json')) continue;
    await writeFileAtomic(join(to, name), await from.read(name));
  }
}
