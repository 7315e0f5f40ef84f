/** @file The machine and its clock: memory, names, waiting. */
export { freemem, homedir, hostname } from 'node:os';
export { setTimeout } from 'node:timers/promises';
