/** @file The machine and its clock: memory, names, waiting. */
import { freemem } from 'node:os';

export { homedir, hostname } from 'node:os';
export { setTimeout } from 'node:timers/promises';

/** Bytes that this process may still take (limits of a container included, where Node tells them). */
export function freeMemory(): number {
  const { availableMemory } = process as { availableMemory?: () => number };
  return availableMemory?.call(process) || freemem();
}
