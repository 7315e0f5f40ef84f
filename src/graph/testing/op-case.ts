/** @file One row of the op test table, and the check that every row goes through on a runtime. */
import { expect } from 'vitest';
import type { Runtime } from '../../runtime/runtime.ts';
import type { DType } from '../../tensor/dtype.ts';
import { DTYPES } from '../../tensor/dtype.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { expectClose } from '../../testing/close.ts';
import { centralDifferences, type Plain, total, uniform } from '../../testing/plain.ts';
import { cast, compile, grad, input, mul, sum, type Value } from '../index.ts';

/** What an op case computes and how it is judged. */
export interface OpCase {
  /** The op of the registry that the case is for. */
  readonly op: string;
  readonly name?: string;
  /** Input values by name; integers and booleans are named in `types`. */
  readonly inputs: Readonly<Record<string, Plain>>;
  /** Types of inputs that are not of the case's float type. */
  readonly types?: Readonly<Record<string, DType>>;
  /** Float type of the graph; float64 unless a kernel is missing. */
  readonly dtype?: 'float32' | 'float64';
  readonly build: (inputs: Readonly<Record<string, Value>>) => Value;
  readonly reference: (inputs: Readonly<Record<string, Plain>>) => Plain;
  /** Inputs whose gradients are compared with central differences of the reference; all float inputs unless given. */
  readonly wrt?: readonly string[];
  /** What the gradients should be where they are not the derivative of the reference (straight-through estimators, `stopGradient`). */
  readonly gradientOf?: (inputs: Readonly<Record<string, Plain>>) => Plain;
  readonly tolerance?: number;
}

/** A host tensor of any type from numbers. */
export function host(dtype: DType, x: Plain): Tensor {
  const data = dtype === 'int64' ? BigInt64Array.from(x.data.map(BigInt)) : new DTYPES[dtype].array(x.data as never);
  return { dtype, shape: x.shape, data };
}

/** Compares forward result, its shape and type, and all gradients of one case. */
export async function checkCase(runtime: Runtime, row: OpCase): Promise<void> {
  const dtype = row.dtype ?? 'float64';
  const types = Object.fromEntries(Object.keys(row.inputs).map(name => [name, row.types?.[name] ?? dtype]));
  const values = Object.fromEntries(Object.entries(row.inputs).map(([name, x]) => [name, input(name, x.shape, types[name])]));
  const y = row.build(values);
  const expected = row.reference(row.inputs);
  const wrt = row.wrt ?? Object.keys(row.inputs).filter(name => types[name] === dtype);
  const cotangent = uniform(expected.shape, -1, 1, 7);
  const v = input('cotangent', expected.shape, dtype);
  const loss = sum(mul(y.dtype === dtype ? y : cast(y, dtype), v));
  const gradients = grad(
    loss,
    wrt.map(name => values[name]),
  );
  await using compiled = await compile(runtime, { y, ...Object.fromEntries(wrt.map((name, i) => [`grad.${name}`, gradients[i]])) });
  const feeds = Object.fromEntries(Object.entries(row.inputs).map(([name, x]) => [name, host(types[name], x)]));
  const results = await compiled.run({ ...feeds, cotangent: host(dtype, cotangent) });

  const tolerance = row.tolerance ?? (dtype === 'float32' ? 1e-5 : 1e-10);
  expect(y.shape, 'inferred shape').toEqual(results.y.shape);
  expect(y.dtype, 'inferred type').toBe(results.y.dtype);
  expect(results.y.shape).toEqual(expected.shape);
  expectClose(results.y.data, expected.data, { rtol: tolerance, atol: tolerance, label: 'forward' });

  const formula = row.gradientOf ?? row.reference;
  for (const name of wrt) {
    const weighted = (x: Plain): number => total(formula({ ...row.inputs, [name]: x }).data.map((value, i) => value * cotangent.data[i]));
    const g = results[`grad.${name}`];
    expect(g.shape).toEqual(row.inputs[name].shape);
    const close = dtype === 'float32' ? 1e-4 : 1e-7;
    expectClose(g.data, centralDifferences(weighted, row.inputs[name]), { rtol: close, atol: close, label: `gradient of ${name}` });
  }
}

/** A short title for a test. */
export const titleOf = (row: OpCase): string => (row.name ? `${row.op}: ${row.name}` : row.op);
