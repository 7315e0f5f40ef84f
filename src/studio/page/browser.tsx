/** @file The page of the static site: its backend is in the page, each model in a worker. */
import { launch } from './launch.tsx';

// The page is there before its backend, which is far larger.
launch(async () => (await import('./state/connect-browser.ts')).connectBrowser());
