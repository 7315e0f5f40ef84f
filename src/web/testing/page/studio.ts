/** @file The studio's backend of a page that runs wholly in the browser, for tests. */
import { browserBackend } from '../../../studio/browser/backend.ts';
import type { BrowserSettings } from '../../../studio/browser/settings.ts';
import type { StudioBackend, StudioEvent } from '../../../studio/protocol.ts';

let workers = 0;
let backend: StudioBackend | undefined;

/** Makes the backend, with models and examples of the test's server. */
export const begin = async (settings: Omit<BrowserSettings, 'createWorker'>): Promise<unknown> => {
  const createWorker = (): Worker => {
    workers += 1;
    return new Worker(new URL('../../../studio/browser/worker.ts', import.meta.url), { type: 'module' });
  };
  backend = browserBackend({ ...settings, createWorker });
  return backend.info();
};

/** A file of a list: its bytes from an address, or a text. */
interface ListedFile {
  readonly path: string;
  readonly address?: string;
  readonly text?: string;
}

const chosen = async ({ path, address, text = '' }: ListedFile) => ({
  path,
  file: new File([address === undefined ? text : await (await fetch(address)).blob()], path.split('/').at(-1) as string),
});

/** A call that gives one value; files by address. */
export async function call({ name, argument }: { name: keyof StudioBackend; argument: readonly unknown[] }): Promise<unknown> {
  const given =
    name === 'addPicture'
      ? [await (await fetch(argument[0] as string)).blob(), argument[1]]
      : name === 'openList'
        ? [await Promise.all((argument[0] as readonly ListedFile[]).map(chosen))]
        : argument;
  try {
    const value = await ((backend as StudioBackend)[name] as (...given: readonly unknown[]) => Promise<unknown>)(...given);
    return value instanceof Blob ? { type: value.type, bytes: new Uint8Array(await value.arrayBuffer()) } : value;
  } catch (error) {
    return { rejected: (error as { reason?: string }).reason, message: (error as Error).message };
  }
}

/**
 * All events of a stream. @param cancelAt cancels at an event of this kind @param after which of them, from 1
 */
export async function stream({
  name,
  argument,
  cancelAt,
  after = 1,
}: {
  name: 'open' | 'attribute' | 'chat' | 'audit';
  argument: unknown;
  cancelAt?: StudioEvent['kind'];
  after?: number;
}): Promise<unknown> {
  const events: (StudioEvent & { readonly at: number })[] = [];
  let job = '';
  let cancelled: number | undefined;
  let [gap, last] = [0, performance.now()];
  // How long the page stands still at most.
  const timer = setInterval(() => {
    gap = Math.max(gap, performance.now() - last);
    last = performance.now();
  }, 5);
  for await (const event of (backend as StudioBackend)[name](argument as never)) {
    events.push({ ...event, at: performance.now() });
    if (event.kind === 'started') job = event.job;
    if (event.kind === cancelAt && events.filter(({ kind }) => kind === cancelAt).length === after) {
      cancelled = performance.now();
      await backend?.cancel(job);
    }
  }
  clearInterval(timer);
  return { events, workers, gap, cancelTook: cancelled === undefined ? undefined : performance.now() - cancelled };
}
