/**
 * @file Imported before anything that holds a schema: to see whether it may compile them, zod would call `new Function` once, which the page's
 * policy forbids, and the browser would report the try.
 */
import { config } from 'zod';

config({ jitless: true });
