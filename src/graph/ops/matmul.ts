/** @file Matrix products. Transposed operands use ONNX Runtime's FusedMatMul, so backward passes move no data. */
import { broadcastShapes, type Dim, mulDims, showShape } from '../dims.ts';
import { apply1, defineOp, type Value } from '../value.ts';
import { unbroadcast } from './arithmetic.ts';
import { sum } from './reduce.ts';
import { reshape } from './shape.ts';

const matmulOp = defineOp({
  name: 'matmul',
  infer([a, b], { transA, transB }) {
    if (a.shape.length < 2 || b.shape.length < 2) throw new Error('both operands need at least two axes.');
    const [m, k] = transA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
    const [k2, n] = transB ? [b.shape.at(-1)!, b.shape.at(-2)!] : [b.shape.at(-2)!, b.shape.at(-1)!];
    const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
    if (a.dtype !== b.dtype) throw new Error(`the types ${a.dtype} and ${b.dtype} differ; cast one.`);
    if (k !== k2) throw new Error(`the inner sizes ${k} and ${k2} differ.`);
    if (!batch) throw new Error('the leading axes do not broadcast.');
    return [{ dtype: a.dtype, shape: [...batch, m, n] }];
  },
  lower(node, emit) {
    const { transA, transB, alpha } = node.attributes as { transA: boolean; transB: boolean; alpha: number };
    if (!transA && !transB && alpha === 1) return [emit.node('MatMul', emit.inputs(node))];
    if (node.inputs[0].dtype !== 'float32' || emit.webgpu) {
      // FusedMatMul exists in float32 only, and not on WebGPU; elsewhere transposes stand by themselves.
      const [a, b] = node.inputs.map((x, i) =>
        (i === 0 ? transA : transB) ? emit.node('Transpose', [emit.of(x)], { attributes: { perm: swapLast(x.shape.length) } }) : emit.of(x),
      );
      const product = emit.node('MatMul', [a, b]);
      return [alpha === 1 ? product : emit.node('Mul', [product, emit.scalar(alpha, node.inputs[0].dtype)])];
    }
    return [
      emit.node('FusedMatMul', emit.inputs(node), {
        domain: 'com.microsoft',
        attributes: { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha: { float: alpha } },
      }),
    ];
  },
  // Y = αAB: dA = α·dY·Bᵀ, dB = α·Aᵀ·dY, and the same with the transposes moved
  vjp(node, [g], wanted) {
    const [a, b] = node.inputs;
    const { transA, transB, alpha } = node.attributes as { transA: boolean; transB: boolean; alpha: number };
    const product = (x: Value, y: Value, tx: boolean, ty: boolean): Value => matmul(x, y, { transA: tx, transB: ty, alpha });
    let da: Value | undefined;
    let db: Value | undefined;
    if (wanted[0]) da = unbroadcast(transA ? product(b, g!, transB, true) : product(g!, b, false, !transB), a.shape);
    if (wanted[1]) {
      if (b.shape.length === 2 && a.shape.length > 2 && !transA) {
        const [x, y] = [flatten(a), flatten(g!)];
        db = transB ? product(y, x, true, false) : product(x, y, true, false);
      } else db = unbroadcast(transB ? product(g!, a, true, transA) : product(a, g!, !transA, false), b.shape);
    }
    return [da, db];
  },
});

const swapLast = (rank: number): number[] => [...Array(rank).keys()].map(i => (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));

/** [..., n] as a matrix [rows, n]. */
const flatten = (x: Value): Value => reshape(x, [mulDims(x.shape.slice(0, -1)), x.shape.at(-1)!]);

/**
 * α · A · B over the last two axes, leading axes broadcast; `transA` and `transB` take an operand transposed.
 * @param a [..., m, k]
 * @param b [..., k, n]
 */
export function matmul(a: Value, b: Value, options: { transA?: boolean; transB?: boolean; alpha?: number } = {}): Value {
  return apply1(matmulOp, [a, b], { transA: options.transA ?? false, transB: options.transB ?? false, alpha: options.alpha ?? 1 });
}

const linearOp = defineOp({
  name: 'linear',
  infer([x, w, b]) {
    if (w.shape.length !== 2 || x.shape.at(-1) !== w.shape[1] || (b && (b.shape.length !== 1 || b.shape[0] !== w.shape[0])))
      throw new Error(`a weight of shape ${showShape(w.shape)} does not fit an input whose last axis is ${x.shape.at(-1)}.`);
    if (x.dtype !== w.dtype || (b && b.dtype !== w.dtype)) throw new Error('the types differ; cast them to one.');
    return [{ dtype: x.dtype, shape: [...x.shape.slice(0, -1), w.shape[0]] }];
  },
  // Gemm adds the bias while it multiplies; it wants matrices.
  lower(node, emit) {
    const [x, w, b] = node.inputs;
    const names = emit.inputs(node);
    const flat = x.shape.length !== 2;
    const rows: Dim[] = [-1 as Dim, x.shape.at(-1)!];
    const matrix = flat ? emit.node('Reshape', [names[0], emit.int64(rows as number[])]) : names[0];
    const product = emit.node('Gemm', b ? [matrix, names[1], names[2]] : [matrix, names[1]], { attributes: { transB: 1 } });
    if (!flat) return [product];
    const lead = x.shape.slice(0, -1);
    const open = lead.filter(d => typeof d === 'string').length;
    const shape =
      open <= 1
        ? emit.int64([...lead.map(d => (typeof d === 'string' ? -1 : d)), w.shape[0] as number])
        : emit.shape([...lead, w.shape[0]]);
    return [emit.node('Reshape', [product, shape])];
  },
  // y = xWᵀ + b: dx = dy·W, dW = dyᵀ·x, db = Σ dy
  vjp(node, [g], wanted) {
    const [x, w] = node.inputs;
    const rows = flatten(g!);
    return [
      wanted[0] ? (x.shape.length === 1 ? reshape(matmul(rows, w), x.shape) : matmul(g!, w)) : undefined,
      wanted[1] ? matmul(rows, flatten(x), { transA: true }) : undefined,
      wanted[2] ? sum(rows, 0) : undefined,
    ];
  },
});

/**
 * x·Wᵀ + b, as torch.nn.Linear.
 * @param x [..., in]
 * @param w [out, in]
 * @param b [out]
 */
export const linear = (x: Value, w: Value, b?: Value): Value => apply1(linearOp, b ? [x, w, b] : [x, w]);
