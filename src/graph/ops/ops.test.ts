/** @file Every op against a plain reference, its gradient against central differences, its inferred shape and type against the runtime's. */
import { afterAll, describe, expect, it } from 'vitest';
import { nodeRuntime } from '../../runtime/node.ts';
import { ops } from '../index.ts';
import { families } from '../testing/cases.ts';
import { checkCase, titleOf } from '../testing/op-case.ts';

const runtime = nodeRuntime({ threads: 1 });
afterAll(() => runtime.release());

describe.each(Object.entries(families))('%s', (_, rows) => {
  it.each(rows.map(row => [titleOf(row), row] as const))('%s', (_, row) => checkCase(runtime, row));
});

it('has a case for every op of the registry', () => {
  // Every case feeds inputs; weights need files: compile-weights.test.ts.
  const covered = new Set([...Object.values(families).flatMap(rows => rows.map(row => row.op)), 'input', 'weight']);
  expect([...ops.keys()].filter(op => !covered.has(op))).toEqual([]);
  expect([...covered].filter(op => !ops.has(op))).toEqual([]);
});
