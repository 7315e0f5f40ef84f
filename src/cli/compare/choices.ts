/** @file What `--methods`, `--metrics` and `--options` choose: methods and metrics under labels of the user's choice. */

import { AUTO_METHOD, pairMethods } from '../../attribution/registry.ts';
import { readJson } from '../../checkpoints/disk.ts';
import type { Choice } from '../../evaluation/compare/settings.ts';
import { metrics } from '../../evaluation/metrics/registry.ts';
import { NarrowsError } from '../../system/errors.ts';
import { didYouMean } from '../../system/nearest-names.ts';

/** Entries of an options file by label. */
export interface OptionsFile {
  readonly methods: readonly Choice[];
  readonly metrics: readonly Choice[];
}

/** "…; did you mean x or y?", or where the names can be seen. */
const hint = (name: string, known: readonly string[], command: string): string => didYouMean(name, known) ?? `see narrows ${command}.`;

/**
 * Reads `{"m2ib@tuned": {"method": "m2ib", "beta": 0.3}, "insertion@blur": {"metric": "insertion", "removal": "blur"}}`; without `method` or
 * `metric` the label itself is the name. `pairs` and `seeds` limit what would cost too much: pairs per style and modality, and seeds.
 * @throws NarrowsError for a file of another form, or a name that is neither method nor metric
 */
export async function readOptionsFile(file: string): Promise<OptionsFile> {
  const json = await readJson(file);
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new NarrowsError(`${file} must hold a JSON object of labels, such as {"m2ib@tuned": {"method": "m2ib", "beta": 0.3}}.`, {
      kind: 'usage',
    });
  const found = { methods: [] as Choice[], metrics: [] as Choice[] };
  for (const [label, value] of Object.entries(json)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new NarrowsError(`${file}: "${label}" must be an object of options.`, { kind: 'usage' });
    if (label === 'all' || label.includes(',')) throw new NarrowsError(`${file}: "${label}" cannot be a label.`, { kind: 'usage' });
    const { method, metric, pairs, seeds, ...options } = value as Record<string, unknown>;
    const limits = { ...limit('pairs', pairs, file, label), ...limit('seeds', seeds, file, label) };
    const name = method ?? metric ?? label;
    const isMethod = metric === undefined && pairMethods().some(m => m.name === name);
    const isMetric = method === undefined && metrics.some(m => m.name === name);
    if (!isMethod && !isMetric) {
      const known = [...(metric === undefined ? pairMethods() : []), ...(method === undefined ? metrics : [])].map(e => e.name);
      throw new NarrowsError(
        `${file}: "${label}" names ${JSON.stringify(name)}, which is no ${method ? 'method' : metric ? 'metric' : 'method or metric'}; ${hint(String(name), known, 'methods')}`,
        { kind: 'usage' },
      );
    }
    (isMethod ? found.methods : found.metrics).push({ label, name: name as string, options, ...limits });
  }
  return found;
}

function limit(name: string, value: unknown, file: string, label: string): Record<string, number> {
  if (value === undefined) return {};
  if (!Number.isInteger(value) || (value as number) < 1)
    throw new NarrowsError(`${file}: ${name} of "${label}" must be a whole number of at least 1, got ${JSON.stringify(value)}.`, {
      kind: 'usage',
    });
  return { [name]: value as number };
}

function choose(wanted: readonly string[], names: readonly string[], labelled: readonly Choice[], what: 'method' | 'metric'): Choice[] {
  const plain = (name: string): Choice => labelled.find(c => c.label === name) ?? { label: name, name, options: {} };
  const everything = [...names.map(plain), ...labelled.filter(c => !names.includes(c.label))];
  if (wanted.includes('all')) return everything;
  const labels = everything.map(c => c.label);
  return [...new Set(wanted)].map(name => {
    const found = everything.find(c => c.label === name);
    if (!found) throw new NarrowsError(`There is no ${what} "${name}"; ${hint(name, labels, `${what}s`)}`, { kind: 'usage' });
    return found;
  });
}

/**
 * The methods of a comparison, controls always among them.
 * @param wanted labels or names, or `all`; @param reference is among them, too
 * @throws NarrowsError for a name that is none, with those that are near
 */
export function chooseMethods(wanted: readonly string[], reference: string, labelled: readonly Choice[] = []): Choice[] {
  const names = pairMethods().map(m => m.name);
  const named = wanted.map(name => (name === 'auto' ? AUTO_METHOD : name));
  const asked = choose([...named, ...(named.includes(reference) ? [] : [reference])], names, labelled, 'method');
  const controls = pairMethods().filter(m => m.family === 'control' && !asked.some(c => c.label === m.name));
  return [...asked, ...controls.map(m => ({ label: m.name, name: m.name, options: {} }))];
}

/**
 * The metrics of a comparison.
 * @param limits for metrics that ask the model about changed inputs and have no limits in their entries
 * @throws NarrowsError for a name that is none, with those that are near
 */
export function chooseMetrics(
  wanted: readonly string[],
  labelled: readonly Choice[] = [],
  limits: { readonly pairs?: number; readonly seeds?: number } = {},
): Choice[] {
  const names = metrics.map(m => m.name);
  return choose(wanted, names, labelled, 'metric').map(choice => {
    const { needs } = metrics.find(m => m.name === choice.name)!;
    const asks = (needs.includes('game') || needs.includes('pixels')) && !needs.includes('explain');
    return asks ? { ...limits, ...choice } : choice;
  });
}
