/** @file This package's version. */
import { readFileSync } from 'node:fs';

/** From package.json, two levels above both `src/system` and `dist/system`. */
export const version: string = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
  .version;
