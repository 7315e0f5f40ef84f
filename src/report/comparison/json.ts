/** @file Results and their analysis as JSON, written piece by piece: the values of a large comparison do not fit into one string. */

import { type ComparisonResults, checkResults, type ResultPart } from '../../evaluation/compare/results.ts';
import { NarrowsError } from '../../system/errors.ts';
import type { Analysis } from './analyse.ts';

/** JSON with NaN and infinities as null (as JSON has it anyway). */
const json = (value: unknown): string => JSON.stringify(value);

/** The results, with the tables under `analysis`. Values keep nine significant digits: they are sums of float32 numbers. */
export function* resultsJson({ results, parts, ...settings }: Analysis): Generator<Uint8Array> {
  const { parts: _, ...head } = results;
  yield Buffer.from(`${json(head).slice(0, -1)},"parts":[`);
  for (const [p, { values, ...part }] of results.parts.entries()) {
    yield Buffer.from(`${p > 0 ? ',' : ''}\n${json(part).slice(0, -1)},"values":{`);
    for (const [m, [metric, columns]] of Object.entries(values).entries()) {
      yield Buffer.from(`${m > 0 ? ',' : ''}\n${json(metric)}:{`);
      for (const [c, [method, rows]] of Object.entries(columns).entries()) {
        const short = rows.map(row => row.map(v => (Number.isFinite(v) ? Number(v.toPrecision(9)) : null)));
        yield Buffer.from(`${c > 0 ? ',' : ''}\n${json(method)}:${json(short)}`);
      }
      yield Buffer.from('}');
    }
    yield Buffer.from('}}');
  }
  const tables = parts.map(({ part, tables: list, meanRank }) => ({
    group: part.group,
    modality: part.modality,
    meanRank,
    tables: list.map(({ metric, ...table }) => ({ metric: metric.name, ...table })),
  }));
  yield Buffer.from(`],\n"analysis":${json({ ...settings, parts: tables })}}\n`);
}

/** Results from the text of such a file: null in tables of values is NaN again. @throws NarrowsError for anything else */
export function resultsFromJson(text: string, path = 'The file'): ComparisonResults {
  let file: ComparisonResults & { analysis?: unknown };
  try {
    file = JSON.parse(text);
  } catch (error) {
    throw new NarrowsError(`${path} is not JSON.`, { cause: error });
  }
  if (file?.schemaVersion !== 1 || !Array.isArray(file.parts) || !Array.isArray(file.methods) || !Array.isArray(file.metrics))
    throw new NarrowsError(`${path} does not hold the results of a comparison (schemaVersion 1, methods, metrics, parts).`);
  const { analysis: _, ...results } = file;
  const parts = results.parts.map((part): ResultPart => ({ ...part, values: restore(part.values) }));
  checkResults({ ...results, parts });
  return { ...results, parts };
}

function restore(values: ResultPart['values']): ResultPart['values'] {
  const columns = (all: ResultPart['values'][string]) =>
    Object.fromEntries(
      Object.entries(all).map(([method, rows]) => [method, rows.map(row => row.map(v => (v as number | null) ?? Number.NaN))]),
    );
  return Object.fromEntries(Object.entries(values).map(([metric, all]) => [metric, columns(all)]));
}
