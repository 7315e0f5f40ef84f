/** @file Elementwise functions of one value; each row has the derivative in its comment. */
import { apply1, defineOp, type Emitter, notFloat64, type OpDefinition, type Value } from '../value.ts';
import { add, div, equal, greater, less, mul, sub } from './arithmetic.ts';
import { cast } from './constants.ts';

/** π as three float32 numbers, the first of few bits, so that multiples of it are exact. */
const PI = [3.140625, 9.675025939941406e-4, 1.509957990978376e-7];
/** Taylor's coefficients of sin r / r in r², from r¹⁰ down to r²: below 6e-8 for |r| ≤ π/2. */
const SINE = [-1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6];

/** sin x or cos x in plain arithmetic: x − k·π lies between −π/2 and π/2, and the sign changes with every k. */
function sineOf(emit: Emitter, x: string, ofCosine: boolean): string {
  const number = (value: number): string => emit.scalar(value);
  const by = (op: string, a: string, b: string): string => emit.node(op, [a, b]);
  const turns = by('Mul', x, number(1 / Math.PI));
  const whole = emit.node('Floor', [ofCosine ? turns : by('Add', turns, number(0.5))]);
  // cos x is ∓sin(x − (k + ½)π)
  const k = ofCosine ? by('Add', whole, number(0.5)) : whole;
  const r = PI.reduce((rest, part) => by('Sub', rest, by('Mul', k, number(part))), x);
  const r2 = by('Mul', r, r);
  const series = SINE.slice(1).reduce((sum, c) => by('Add', by('Mul', sum, r2), number(c)), number(SINE[0]));
  const sine = by('Add', r, by('Mul', by('Mul', r, r2), series));
  const odd = by('Sub', whole, by('Mul', emit.node('Floor', [by('Mul', whole, number(0.5))]), number(2)));
  const [even, flip] = ofCosine ? [-1, 2] : [1, -2];
  return by('Mul', sine, by('Add', by('Mul', odd, number(flip)), number(even)));
}

/** @param webgpu emits it in float32 for WebGPU, whose own kernel will not do */
function unary(
  name: string,
  onnx: string,
  derivative: (g: Value, x: Value, y: Value) => Value,
  webgpu?: (emit: Emitter, x: string) => string,
): OpDefinition {
  return defineOp({
    name,
    infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
    lower(node, emit) {
      const [x] = emit.inputs(node);
      return [webgpu && emit.webgpu && node.outputs[0].dtype === 'float32' ? webgpu(emit, x) : emit.node(onnx, [x])];
    },
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
  sin: unary(
    'sin',
    'Sin',
    (g, x) => mul(g, cos(x)),
    (emit, x) => sineOf(emit, x, false),
  ),
  cos: unary(
    'cos',
    'Cos',
    (g, x) => neg(mul(g, sin(x))),
    (emit, x) => sineOf(emit, x, true),
  ),
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
