/**
 * @file Imported before anything that holds a schema: to see whether it may compile them, zod would call `new Function` once, which the page's
 * policy forbids, and the browser would report the try. The value is used by launch.tsx: package.json calls all modules free of effects, and a
 * bundler drops one that is imported for nothing else.
 */
import { config } from 'zod';

/** Whether zod leaves compiling alone. */
export const withoutEval: boolean = config({ jitless: true }).jitless === true;
