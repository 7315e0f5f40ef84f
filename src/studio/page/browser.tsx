/** @file The page of the static site: its backend is in the page, each model in a worker. */
import { launch } from './launch.tsx';

const createWorker = (): Worker => new Worker(new URL('../browser/worker.ts', import.meta.url), { type: 'module' });

// The page is there before its backend, which is far larger.
launch(async () => (await import('./state/connect-browser.ts')).connectBrowser(createWorker));
