/** @file Files of a checkpoint directory beside its weights. */
import { copyFile, readdir } from '../node/disk.ts';
import { writeError } from '../node/files.ts';
import { join } from '../node/paths.ts';

/** Tokenizer, preprocessor and other small files; weights, indices and config.json are written by the saver. */
export async function copySideFiles(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    if (!/\.(json|txt|jinja)$|^(spiece|tokenizer)\.model$/.test(name) || name === 'config.json' || name.endsWith('.index.json')) continue;
    await copyFile(join(from, name), join(to, name)).catch(error => {
      throw writeError(join(to, name), error);
    });
  }
}
