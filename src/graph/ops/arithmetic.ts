/** @file Elementwise arithmetic of two values, with NumPy's broadcasting, and comparisons. Gradients are summed back to each input's shape. */
import { broadcastShapes, type Shape, sameShape, showShape } from '../dims.ts';
import { apply1, defineOp, type OpDefinition, type Signature, type Value } from '../value.ts';
import { cast, scalar } from './constants.ts';
import { sum } from './reduce.ts';
import { reshape } from './shape.ts';
import { neg, sqrt } from './unary.ts';

/** Sums `g` down to `shape`: the transpose of broadcasting. */
export function unbroadcast(g: Value, shape: Shape): Value {
  if (sameShape(g.shape, shape)) return g;
  const lead = g.shape.length - shape.length;
  const axes = g.shape.map((_, i) => i).filter(i => i < lead || (shape[i - lead] === 1 && g.shape[i] !== 1));
  return reshape(axes.length ? sum(g, axes, true) : g, shape);
}

function inferBinary(inputs: readonly Value[]): Signature[] {
  const [a, b] = inputs;
  if (a.dtype !== b.dtype) throw new Error(`the types ${a.dtype} and ${b.dtype} differ; cast one.`);
  const shape = broadcastShapes(a.shape, b.shape);
  if (!shape) throw new Error(`${showShape(a.shape)} and ${showShape(b.shape)} do not broadcast.`);
  return [{ dtype: a.dtype, shape }];
}

type Rule = (g: Value, a: Value, b: Value, y: Value) => Value;

function binary(name: string, onnx: string, da: Rule, db: Rule): OpDefinition {
  return defineOp({
    name,
    infer: inferBinary,
    lower: (node, emit) => [emit.node(onnx, emit.inputs(node))],
    vjp(node, [g], wanted) {
      const [a, b] = node.inputs;
      const y = node.outputs[0];
      return [wanted[0] ? unbroadcast(da(g!, a, b, y), a.shape) : undefined, wanted[1] ? unbroadcast(db(g!, a, b, y), b.shape) : undefined];
    },
  });
}

function comparison(name: string, onnx: string): OpDefinition {
  return defineOp({
    name,
    infer: inputs => [{ dtype: 'bool', shape: inferBinary(inputs)[0].shape }],
    lower: (node, emit) => [emit.node(onnx, emit.inputs(node))],
    constant: true,
  });
}

const addOp = binary(
  'add',
  'Add',
  g => g,
  g => g,
);
const subOp = binary(
  'sub',
  'Sub',
  g => g,
  g => neg(g),
);
const mulOp = binary(
  'mul',
  'Mul',
  (g, _, b) => mul(g, b),
  (g, a) => mul(g, a),
);
const divOp = binary(
  'div',
  'Div',
  (g, _, b) => div(g, b),
  (g, _, b, y) => neg(div(mul(g, y), b)),
);
// The larger side takes the gradient; where both are equal each takes half, as PyTorch does.
const toLarger = (g: Value, a: Value, b: Value): Value => mul(g, add(cast(greater(a, b), g.dtype), mul(cast(equal(a, b), g.dtype), 0.5)));
const maximumOp = binary(
  'maximum',
  'Max',
  (g, a, b) => toLarger(g, a, b),
  (g, a, b) => toLarger(g, b, a),
);
const minimumOp = binary(
  'minimum',
  'Min',
  (g, a, b) => toLarger(g, b, a),
  (g, a, b) => toLarger(g, a, b),
);
const equalOp = comparison('equal', 'Equal');
const lessOp = comparison('less', 'Less');
const greaterOp = comparison('greater', 'Greater');

/** A value, or a number that takes the other operand's type. */
export type Operand = Value | number;

function operands(a: Operand, b: Operand): [Value, Value] {
  const dtype = typeof a === 'object' ? a.dtype : typeof b === 'object' ? b.dtype : 'float32';
  const lift = (x: Operand): Value => (typeof x === 'number' ? scalar(x, dtype) : x);
  return [lift(a), lift(b)];
}

/** a + b */
export const add = (a: Operand, b: Operand): Value => apply1(addOp, operands(a, b));
/** a − b */
export const sub = (a: Operand, b: Operand): Value => apply1(subOp, operands(a, b));
/** a · b, elementwise */
export const mul = (a: Operand, b: Operand): Value => apply1(mulOp, operands(a, b));
/** a / b */
export const div = (a: Operand, b: Operand): Value => apply1(divOp, operands(a, b));
/** Elementwise maximum; ties share the gradient. */
export const maximum = (a: Operand, b: Operand): Value => apply1(maximumOp, operands(a, b));
/** Elementwise minimum; ties share the gradient. */
export const minimum = (a: Operand, b: Operand): Value => apply1(minimumOp, operands(a, b));
/** a = b, boolean */
export const equal = (a: Operand, b: Operand): Value => apply1(equalOp, operands(a, b));
/** a < b, boolean */
export const less = (a: Operand, b: Operand): Value => apply1(lessOp, operands(a, b));
/** a > b, boolean */
export const greater = (a: Operand, b: Operand): Value => apply1(greaterOp, operands(a, b));
/** 1 / √x */
export const rsqrt = (x: Value): Value => div(1, sqrt(x));

const whereOp = defineOp({
  name: 'where',
  infer(inputs) {
    if (inputs[0].dtype !== 'bool') throw new Error('the condition must be boolean.');
    const value = inferBinary(inputs.slice(1))[0];
    const shape = broadcastShapes(inputs[0].shape, value.shape);
    if (!shape) throw new Error('the condition does not broadcast to the values.');
    return [{ dtype: value.dtype, shape }];
  },
  lower: (node, emit) => [emit.node('Where', emit.inputs(node))],
  vjp(node, [g], wanted) {
    const [condition, a, b] = node.inputs;
    const zero = scalar(0, g!.dtype);
    return [
      undefined,
      wanted[1] ? unbroadcast(apply1(whereOp, [condition, g!, zero]), a.shape) : undefined,
      wanted[2] ? unbroadcast(apply1(whereOp, [condition, zero, g!]), b.shape) : undefined,
    ];
  },
});

/** `a` where the condition holds, else `b`. */
export const where = (condition: Value, a: Operand, b: Operand): Value => apply1(whereOp, [condition, ...operands(a, b)]);
