/** @file Activations of transformer MLPs, by the names Hugging Face's `hidden_act` uses. */
import { apply1, defineOp, notFloat64, type Value } from '../value.ts';
import { add, mul, sub } from './arithmetic.ts';
import { erf, exp, sigmoid, tanh } from './unary.ts';

const geluOp = defineOp({
  name: 'gelu',
  infer([x]) {
    notFloat64(x);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  lower: (node, emit) => [emit.node('Gelu', emit.inputs(node), { attributes: { approximate: 'none' } })],
  // (xΦ(x))' = Φ(x) + xφ(x)
  vjp(node, [g]) {
    const [x] = node.inputs;
    const phi = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
    const density = mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return [mul(g!, add(phi, mul(x, density)))];
  },
});

const swishOp = defineOp({
  name: 'swish',
  infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  lower: (node, emit) => {
    const [x] = node.inputs;
    const alpha = node.attributes.alpha as number;
    const scaled = alpha === 1 ? emit.of(x) : emit.node('Mul', [emit.of(x), emit.scalar(alpha, x.dtype)]);
    return [emit.node('Mul', [emit.of(x), emit.node('Sigmoid', [scaled])])];
  },
  // y = x·σ(αx), y' = σ + αy(1 − σ)
  vjp(node, [g]) {
    const [x] = node.inputs;
    const alpha = node.attributes.alpha as number;
    const s = sigmoid(alpha === 1 ? x : mul(x, alpha));
    const y = mul(x, s);
    return [mul(g!, add(s, mul(alpha === 1 ? y : mul(y, alpha), sub(1, s))))];
  },
});

const SLOPE = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

const geluTanhOp = defineOp({
  name: 'geluTanh',
  infer: ([x]) => [{ dtype: x.dtype, shape: x.shape }],
  lower: (node, emit) => [emit.node('Gelu', emit.inputs(node), { attributes: { approximate: 'tanh' } })],
  // y = x/2·(1 + t), t = tanh u, u = s(x + cx³): y' = (1 + t)/2 + x/2·(1 − t²)·s(1 + 3cx²)
  vjp(node, [g]) {
    const [x] = node.inputs;
    const x2 = mul(x, x);
    const t = tanh(mul(mul(x, add(mul(x2, CUBIC), 1)), SLOPE));
    const slope = add(mul(x2, 3 * CUBIC * SLOPE), SLOPE);
    return [mul(mul(g!, 0.5), add(add(t, 1), mul(mul(x, sub(1, mul(t, t))), slope)))];
  },
});

/** Exact GELU: x·Φ(x). */
export const gelu = (x: Value): Value => apply1(geluOp, [x]);
/** GELU by the tanh formula (`gelu_new`, `gelu_pytorch_tanh`). */
export const geluTanh = (x: Value): Value => apply1(geluTanhOp, [x]);
/** x·σ(1.702 x), OpenAI CLIP's. */
export const quickGelu = (x: Value): Value => apply1(swishOp, [x], { alpha: 1.702 });
/** x·σ(x) (SiLU, swish). */
export const silu = (x: Value): Value => apply1(swishOp, [x], { alpha: 1 });

/** silu(gate) · up: the gated MLP of Llama and Qwen2, between `gate_proj`, `up_proj` and `down_proj`. */
export const swiglu = (gate: Value, up: Value): Value => mul(silu(gate), up);

/** Activation by Hugging Face's `hidden_act`. */
export const ACTIVATIONS: Readonly<Record<string, (x: Value) => Value>> = {
  gelu,
  gelu_new: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  quick_gelu: quickGelu,
  silu,
  swish: silu,
};
