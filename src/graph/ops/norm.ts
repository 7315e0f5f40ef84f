/** @file Layer normalisation (with its mean and inverse deviation kept for the backward pass) and root-mean-square normalisation. */
import type { Emitter } from '../value.ts';
import { apply, defineOp, type Node, type Value } from '../value.ts';
import { add, mul, rsqrt, sub, unbroadcast } from './arithmetic.ts';
import { mean } from './reduce.ts';
import { broadcastTo } from './shape.ts';
import { neg } from './unary.ts';

const layerNormOp = defineOp({
  name: 'layerNorm',
  infer([x, w, b]) {
    const width = x.shape.at(-1);
    if ([w, b].some(v => v.shape.length !== 1 || v.shape[0] !== width || v.dtype !== x.dtype))
      throw new Error(`weight and bias must have the size of the last axis, ${width}.`);
    const rows = [...x.shape.slice(0, -1), 1];
    return [
      { dtype: x.dtype, shape: x.shape },
      { dtype: x.dtype, shape: rows },
      { dtype: x.dtype, shape: rows },
    ];
  },
  lower(node, emit) {
    if (node.inputs[0].dtype !== 'float32') return inSteps(node, emit);
    const outputs = node.outputs.map(() => emit.fresh('v'));
    emit.node('LayerNormalization', emit.inputs(node), {
      outputs,
      attributes: { axis: -1, epsilon: { float: node.attributes.epsilon as number } },
    });
    return outputs;
  },
  /**
   * x̂ = (x − μ)r, y = wx̂ + b. With u = g·w:  dx = r(u − mean u − x̂·mean(u·x̂)).
   * The outputs μ and r have gradients too (they appear in this very rule, which may be differentiated again):
   * dx += gμ/D and, since ∂r/∂x = −r²·x̂/D:  dx −= gr·r²·x̂/D.
   */
  vjp(node, [g, gMean, gInverse], wanted) {
    const [x, w, b] = node.inputs;
    const [, mu, inverse] = node.outputs;
    const width = x.shape.at(-1) as number;
    const standard = mul(sub(x, mu), inverse);
    let dx: Value | undefined;
    if (wanted[0]) {
      if (g) {
        const u = mul(g, w);
        dx = mul(inverse, sub(sub(u, mean(u, -1, true)), mul(standard, mean(mul(u, standard), -1, true))));
      }
      if (gMean) dx = plus(dx, broadcastTo(mul(gMean, 1 / width), x.shape, x));
      if (gInverse) dx = plus(dx, neg(mul(mul(gInverse, mul(inverse, inverse)), mul(standard, 1 / width))));
    }
    return [dx, wanted[1] && g ? unbroadcast(mul(g, standard), w.shape) : undefined, wanted[2] && g ? unbroadcast(g, b.shape) : undefined];
  },
});

/** The runtime gives mean and inverse deviation of other types in float32; these steps keep the type (float64, used in checks). */
function inSteps(node: Node, emit: Emitter): string[] {
  const [x, w, b] = emit.inputs(node);
  const { dtype } = node.inputs[0];
  const average = (t: string): string => emit.node('ReduceMean', [t, emit.int64([-1])], { attributes: { keepdims: 1 } });
  const centre = average(x);
  const centred = emit.node('Sub', [x, centre]);
  const variance = average(emit.node('Mul', [centred, centred]));
  const deviation = emit.node('Sqrt', [emit.node('Add', [variance, emit.scalar(node.attributes.epsilon as number, dtype)])]);
  const inverse = emit.node('Reciprocal', [deviation]);
  const y = emit.node('Add', [emit.node('Mul', [emit.node('Mul', [centred, inverse]), w]), b]);
  return [y, centre, inverse];
}

const plus = (a: Value | undefined, b: Value): Value => (a ? add(a, b) : b);

/**
 * Layer normalisation over the last axis, as torch.nn.LayerNorm.
 * @param x [..., D]
 * @param w [D]
 * @param b [D]
 */
export const layerNorm = (x: Value, w: Value, b: Value, epsilon = 1e-5): Value => apply(layerNormOp, [x, w, b], { epsilon })[0];

/** x / √(mean x² + ε) · w over the last axis (Llama, Qwen2). */
export const rmsNorm = (x: Value, w: Value, epsilon = 1e-6): Value => mul(mul(x, rsqrt(add(mean(mul(x, x), -1, true), epsilon))), w);
