/**
 * @file What a run knows beyond the tables: methods and metrics of plug-ins, and maps that another tool made. Plain data (paths), so that
 * workers load the same.
 */
import { defineMethod } from '../attribution/define-method.ts';
import { registerMethod } from '../attribution/registry.ts';
import { readFile } from '../node/disk.ts';
import { createHash } from '../node/hash.ts';
import { pathToFileURL, resolve } from '../node/paths.ts';
import { messageOf, NarrowsError } from '../system/errors.ts';
import { readError } from '../system/read-error.ts';
import { loadMaps } from './external-maps.ts';
import { defineMetric } from './metrics/define-metric.ts';
import { registerMetric } from './metrics/registry.ts';

/** Where extensions lie. */
export interface Extensions {
  /** Modules that export `methods` and `metrics`, see `loadPlugin`. */
  readonly plugins?: readonly string[];
  /** Directory of maps, see `loadMaps`. */
  readonly maps?: string;
}

/** What a plug-in's module may export. */
interface PluginModule {
  readonly methods?: unknown;
  readonly metrics?: unknown;
}

const loaded = new Map<string, Promise<void>>();

/** Loads each extension once per thread. @throws NarrowsError naming the file that cannot be used, and why */
export async function loadExtensions({ plugins = [], maps }: Extensions): Promise<void> {
  for (const path of plugins) await once(`plugin ${resolve(path)}`, () => loadPlugin(path));
  if (maps !== undefined) await once(`maps ${resolve(maps)}`, () => loadMaps(maps));
}

async function once(key: string, load: () => Promise<void>): Promise<void> {
  const known = loaded.get(key) ?? load();
  loaded.set(key, known);
  try {
    await known;
  } catch (error) {
    loaded.delete(key);
    throw error;
  }
}

/**
 * Imports a module (`.mjs`, `.js`, a package's file) and registers what it exports: `methods` and `metrics`, lists of objects as
 * `defineMethod` and `defineMetric` take them. Results made with it are kept under the file's SHA-256 too: a plug-in that was edited is
 * computed anew (files that it imports itself are not looked at).
 * @throws NarrowsError for a file that cannot be read or imported, exports neither, or whose entries are wrong or have taken names
 */
export async function loadPlugin(path: string): Promise<void> {
  const bytes = await readFile(path).catch(error => {
    throw readError(path, error);
  });
  const version = createHash('sha256').update(bytes).digest('hex');
  let module: PluginModule;
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as PluginModule;
  } catch (error) {
    throw new NarrowsError(`The plug-in ${path} cannot be imported: ${messageOf(error)}.`, { cause: error });
  }
  const { methods, metrics } = module;
  if (methods === undefined && metrics === undefined)
    throw new NarrowsError(`The plug-in ${path} exports neither methods nor metrics; write "export const methods = [{ name, explain }]".`);
  const listed = (value: unknown, name: string): object[] => {
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every(each => typeof each === 'object' && each !== null)) return value;
    throw new NarrowsError(`The plug-in ${path} must export ${name} as a list of objects.`);
  };
  const naming = (error: unknown): never => {
    if (!(error instanceof NarrowsError)) throw error;
    throw new NarrowsError(`${path}: ${error.message}`, { cause: error });
  };
  try {
    for (const each of listed(methods, 'methods'))
      registerMethod(defineMethod({ version, ...(each as Parameters<typeof defineMethod>[0]) }));
    for (const each of listed(metrics, 'metrics'))
      registerMetric(defineMetric({ version, ...(each as Parameters<typeof defineMetric>[0]) }));
  } catch (error) {
    naming(error);
  }
}
