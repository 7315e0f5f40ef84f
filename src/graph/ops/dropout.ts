/** @file Masks of dropout, drawn where they are used from a seed that is fed: nothing large crosses from the host, and a run repeats to the bit. */
import { DTYPES } from '../../tensor/dtype.ts';
import { RandomStream } from '../../tensor/random.ts';
import { tensor } from '../../tensor/tensor.ts';
import { mulDims } from '../dims.ts';
import type { Emitter } from '../value.ts';
import { apply1, defineOp, type Value } from '../value.ts';

/** The largest prime below 2³¹, so that products of two residues fit into int64. */
const PRIME = 2147483647;
/** Rounds of the permutation x -> (x + key)⁵ mod p, which is one because 5 does not divide p − 1 (as in the cipher MiMC, eprint 2016/492). */
const ROUNDS = 4;

const int64 = (emit: Emitter, value: number): string => emit.constant(tensor('int64', [], BigInt64Array.of(BigInt(value))));

/** Pseudo-random residues of the integers `x`, keyed by an int64 scalar. */
function scramble(emit: Emitter, x: string, key: string): string {
  const prime = int64(emit, PRIME);
  const mod = (v: string): string => emit.node('Mod', [v, prime]);
  const times = (a: string, b: string): string => mod(emit.node('Mul', [a, b]));
  for (let round = 0; round < ROUNDS; round++) {
    const shifted = mod(emit.node('Add', [emit.node('Add', [x, key]), int64(emit, (round * 0x2545f491) % PRIME)]));
    const fourth = times(times(shifted, shifted), times(shifted, shifted));
    x = times(fourth, shifted);
  }
  return x;
}

/** One residue per column of a stream: constants of the graph. */
const columnResidues = (count: number, stream: number): number[] =>
  Array.from(new RandomStream(stream, 'dropout').words(0, 0, new Uint32Array(count)), word => word % PRIME);

const keepMaskOp = defineOp({
  name: 'keepMask',
  infer([like, seed], { probability }) {
    if (seed.dtype !== 'int32' || seed.shape.length !== 0) throw new Error('the seed must be an int32 scalar.');
    if (like.shape.length < 2 || typeof like.shape.at(-1) !== 'number')
      throw new Error('the last of two or more axes must have a known size.');
    if (!((probability as number) >= 0 && (probability as number) < 1)) throw new Error(`the probability ${probability} is not in [0, 1).`);
    return [{ dtype: like.dtype, shape: like.shape }];
  },
  lower(node, emit) {
    const [like, seed] = node.inputs;
    const { probability, stream } = node.attributes as { probability: number; stream: number };
    const { shape, dtype } = node.outputs[0];
    const key = emit.node('Cast', [emit.of(seed)], { attributes: { to: DTYPES.int64.onnx } });
    const count = emit.node('Squeeze', [emit.dim(mulDims(shape.slice(0, -1)))]);
    const range = emit.node('Range', [int64(emit, 0), count, int64(emit, 1)]);
    const rows = scramble(emit, emit.node('Unsqueeze', [range, emit.int64([1])]), key);
    const columns = emit.int64(columnResidues(shape.at(-1) as number, stream));
    const residues = emit.node('Mod', [emit.node('Mul', [rows, columns]), int64(emit, PRIME)]);
    const kept = emit.node('GreaterOrEqual', [residues, int64(emit, Math.round(probability * PRIME))]);
    const mask = emit.node('Where', [kept, emit.scalar(1 / (1 - probability), dtype), emit.scalar(0, dtype)]);
    return [emit.node('Reshape', [mask, emit.node('Shape', [emit.of(like)])])];
  },
  constant: true,
});

/**
 * 0 with the given probability, else 1/(1 − probability), in the shape of `like` (two axes or more). An entry is the product of a random
 * residue of its row (all axes but the last; by the seed) and one of its column (by the stream) modulo 2³¹ − 1, compared with a threshold:
 * entries are uniform and any two independent, for the price of one division each.
 * @param seed int32 scalar, at least 0: another one, another mask
 * @param stream tells masks of one seed apart, a non-negative integer
 */
export const keepMask = (like: Value, seed: Value, probability: number, stream: number): Value =>
  apply1(keepMaskOp, [like, seed], { probability, stream });
