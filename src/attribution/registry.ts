/** @file All attribution methods. The command line, reports, docs and tests read this table; nothing is listed twice. */
import type { DualEncoder } from '../models/dual-encoder.ts';
import { Attributor } from './attributor.ts';
import type { MethodEntry } from './method.ts';
import { chefer } from './methods/chefer.ts';
import { clipSurgery } from './methods/clip-surgery.ts';
import { gradEclip } from './methods/grad-eclip.ts';
import { legrad } from './methods/legrad.ts';
import { m2ibEntry } from './methods/m2ib.ts';
import { rawAttention } from './methods/raw-attention.ts';
import { rollout } from './methods/rollout.ts';

// Entries differ in their options; the table sees them as records, which each entry's schema checks.
const entry = <O>(one: MethodEntry<O>): MethodEntry => one as unknown as MethodEntry;

/** The table, family by family. */
export const methods: readonly MethodEntry[] = [
  entry(rawAttention),
  entry(rollout),
  entry(chefer),
  entry(gradEclip),
  entry(legrad),
  entry(clipSurgery),
  entry(m2ibEntry()),
];

/** What `auto` means: the method that docs/evidence recommends. */
export const AUTO_METHOD = 'm2ib';

/** The entry called `name` (or the recommended one for `auto`), or undefined. */
export const findMethod = (name: string): MethodEntry | undefined => methods.find(m => m.name === (name === 'auto' ? AUTO_METHOD : name));

/** A method ready to run on a model. @throws NarrowsError for an option that is unknown or out of range */
export const createMethod = (found: MethodEntry, model: DualEncoder, options: Record<string, unknown> = {}): Attributor =>
  new Attributor(found, model, options);
