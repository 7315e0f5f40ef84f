/** @file Checkpoints that ship inside the package, and how a name given by a person becomes a directory. */

import { type ResolveOptions, resolveModel } from '../checkpoints/hub/hub.ts';
import { access, readdir } from '../node/disk.ts';
import { fileURLToPath, join } from '../node/paths.ts';

/** The default model. */
export const DEFAULT_MODEL = 'scene-clip';
/** The default model that answers questions. */
export const DEFAULT_CHAT_MODEL = 'scene-llava';

/** The one of them that answers through a Vittle bottleneck, so that what it keeps can be drawn. */
export const DEFAULT_BOTTLENECK_MODEL = 'scene-llava-vittle';

/** `models/` at the package's root, from the sources and from `dist` alike. */
export const bundledDirectory = (): string => fileURLToPath(new URL('../../models', import.meta.url));

/** Names of the shipped checkpoints. */
export async function bundledModels(): Promise<string[]> {
  const entries = await readdir(bundledDirectory(), { withFileTypes: true }).catch(() => []);
  return entries.filter(e => e.isDirectory()).map(e => e.name);
}

/**
 * The directory of a model: a shipped checkpoint by its name, a directory by its path, or `org/name[@revision]` from the hub or its cache.
 * @throws NarrowsError in one sentence when there is none.
 */
export async function findModel(reference: string, options: ResolveOptions = {}): Promise<{ directory: string; name: string }> {
  if (/^[\w.-]+$/.test(reference)) {
    const directory = join(bundledDirectory(), reference);
    const found = await access(join(directory, 'config.json')).then(
      () => true,
      () => false,
    );
    if (found) return { directory, name: reference };
  }
  return resolveModel(reference, options);
}
