/** @file The backend of the static site: models and examples lie beside the page. */
import { browserBackend } from '../../browser/backend.ts';
import type { BrowserModel } from '../../browser/messages.ts';
import type { ExampleInfo } from '../../facts.ts';
import { type StudioBackend, StudioError } from '../../protocol.ts';

/** Written by scripts/build-studio.ts: models beside the page, and what the page's policy lets it ask. */
interface Site {
  readonly models: readonly (Omit<BrowserModel, 'place'> & { readonly folder: string })[];
  readonly hub: boolean;
  /** Further origins from which models may come. */
  readonly origins: readonly string[];
}

const beside = (path: string): string => new URL(path, document.baseURI).href;

async function read<T>(path: string): Promise<T> {
  const response = await fetch(beside(path)).catch(() => undefined);
  if (!response?.ok)
    throw new StudioError('offline', `${path} of this site could not be read; try again, or look whether the site was uploaded whole.`);
  return (await response.json()) as T;
}

/** @param createWorker makes the worker of a model @throws StudioError where a file of the site is missing */
export async function connectBrowser(createWorker: () => Worker): Promise<StudioBackend> {
  const [site, examples] = await Promise.all([
    read<Site>('site.json'),
    read<readonly (ExampleInfo & { readonly file: string })[]>('examples/examples.json'),
  ]);
  return browserBackend({
    createWorker,
    models: site.models.map(({ folder, ...model }) => ({ ...model, place: beside(folder) })),
    examples: examples.map(({ id, caption, picture, file }) => ({ id, caption, picture, address: beside(`examples/${file}`) })),
    hub: site.hub,
    addresses: [location.origin, ...site.origins],
    // Two threads where the host sends the headers for it; ONNX Runtime waits busily, so no more than half the cores.
    threads: crossOriginIsolated ? Math.min(2, Math.max(1, Math.floor(navigator.hardwareConcurrency / 2))) : 1,
  });
}
