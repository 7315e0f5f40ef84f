/** @file Elementwise functions of one value; each row has the derivative in its comment. */
import { apply1, defineOp, notFloat64, type OpDefinition, type Value } from '../value.ts';
import { add, div, equal, greater, less, mul, sub } from './arithmetic.ts';
import { cast } from './constants.ts';

function unary(name: string, onnx: string, derivative: (g: Value, x: Value, y: Value) => Value, domain = ''): OpDefinition {
  return defineOp({
    name,
    infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
    lower: (node, emit) => [emit.node(onnx, emit.inputs(node), { domain })],
    vjp: (node, [g]) => [derivative(g!, node.inputs[0], node.outputs[0])],
  });
}

const ops = {
  neg: unary('neg', 'Neg', g => neg(g)),
  // (eˣ)' = eˣ
  exp: unary('exp', 'Exp', (g, _, y) => mul(g, y)),
  // (ln x)' = 1/x
  log: unary('log', 'Log', (g, x) => div(g, x)),
  // (√x)' = 1 / 2√x
  sqrt: unary('sqrt', 'Sqrt', (g, _, y) => div(g, mul(y, 2))),
  // |x|' = sign x, 0 at 0
  abs: unary('abs', 'Abs', (g, x) => mul(g, sign(x))),
  // tanh' = 1 − tanh²
  tanh: unary('tanh', 'Tanh', (g, _, y) => mul(g, sub(1, mul(y, y)))),
  // σ' = σ(1 − σ)
  sigmoid: unary('sigmoid', 'Sigmoid', (g, _, y) => mul(g, mul(y, sub(1, y)))),
  sin: unary('sin', 'Sin', (g, x) => mul(g, cos(x))),
  cos: unary('cos', 'Cos', (g, x) => neg(mul(g, sin(x)))),
  // relu' = 1 where x > 0
  relu: unary('relu', 'Relu', (g, x) => mul(g, cast(greater(x, 0), g.dtype))),
};

/** −x */
export const neg = (x: Value): Value => apply1(ops.neg, [x]);
/** eˣ */
export const exp = (x: Value): Value => apply1(ops.exp, [x]);
/** Natural logarithm */
export const log = (x: Value): Value => apply1(ops.log, [x]);
/** Square root */
export const sqrt = (x: Value): Value => apply1(ops.sqrt, [x]);
/** Absolute value */
export const abs = (x: Value): Value => apply1(ops.abs, [x]);
/** Hyperbolic tangent */
export const tanh = (x: Value): Value => apply1(ops.tanh, [x]);
/** Logistic function 1 / (1 + e⁻ˣ) */
export const sigmoid = (x: Value): Value => apply1(ops.sigmoid, [x]);
/** ln(1 + eˣ), without overflow */
export const softplus = (x: Value): Value => apply1(softplusOp, [x]);
/** Error function */
export const erf = (x: Value): Value => apply1(erfOp, [x]);
/** Sine */
export const sin = (x: Value): Value => apply1(ops.sin, [x]);
/** Cosine */
export const cos = (x: Value): Value => apply1(ops.cos, [x]);
/** max(x, 0) */
export const relu = (x: Value): Value => apply1(ops.relu, [x]);
/** x² */
export const square = (x: Value): Value => mul(x, x);

const erfOp = defineOp({
  name: 'erf',
  infer([x]) {
    notFloat64(x);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  lower: (node, emit) => [emit.node('Erf', emit.inputs(node))],
  // erf' = 2/√π e^(−x²)
  vjp: (node, [g]) => {
    const [x] = node.inputs;
    return [mul(g!, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI)))];
  },
});

const softplusOp = defineOp({
  name: 'softplus',
  infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  lower(node, emit) {
    const [x] = emit.inputs(node);
    const { dtype } = node.outputs[0];
    if (dtype === 'float32') return [emit.node('Softplus', [x])];
    // Softplus exists in float32 only: max(x, 0) + ln(1 + e^−|x|)
    const small = emit.node('Exp', [emit.node('Neg', [emit.node('Abs', [x])])]);
    const log = emit.node('Log', [emit.node('Add', [small, emit.scalar(1, dtype)])]);
    return [emit.node('Add', [emit.node('Relu', [x]), log])];
  },
  // softplus' = σ
  vjp: (node, [g]) => [mul(g!, sigmoid(node.inputs[0]))],
});

const signOp = defineOp({
  name: 'sign',
  infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  lower: (node, emit) => [emit.node('Sign', emit.inputs(node))],
  constant: true,
});

/** −1, 0 or 1; no gradient. */
export const sign = (x: Value): Value => apply1(signOp, [x]);

const clipOp = defineOp({
  name: 'clip',
  infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  lower: (node, emit) => [
    emit.node('Clip', [
      ...emit.inputs(node),
      emit.scalar(node.attributes.low as number, node.inputs[0].dtype),
      emit.scalar(node.attributes.high as number, node.inputs[0].dtype),
    ]),
  ],
  // 1 inside, 0 outside (PyTorch's clamp: 1 on the border too)
  vjp(node, [g]) {
    const [x] = node.inputs;
    const { low, high } = node.attributes as { low: number; high: number };
    const outside = add(cast(less(x, low), g!.dtype), cast(greater(x, high), g!.dtype));
    return [mul(g!, cast(equal(outside, 0), g!.dtype))];
  },
});

/** x limited to [low, high]. */
export const clip = (x: Value, low: number, high: number): Value => apply1(clipOp, [x], { low, high });

const clipStraightOp = defineOp({
  name: 'clipStraightThrough',
  infer: clipOp.infer,
  lower: clipOp.lower,
  vjp: (_, [g]) => [g],
});

/** x limited to [low, high], with the gradient of x itself (straight-through estimator), so that a value on the border can come back. */
export const clipStraightThrough = (x: Value, low: number, high: number): Value => apply1(clipStraightOp, [x], { low, high });
