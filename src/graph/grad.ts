/** @file Reverse-mode differentiation: walks the graph backwards and applies each op's vector–Jacobian product, which is graph again. */
import { showShape } from './dims.ts';
import { add } from './ops/arithmetic.ts';
import { fill } from './ops/constants.ts';
import { GraphError, type Node, nodesOf, scope, type Value, whereIs } from './value.ts';

/**
 * Gradients of a scalar with regard to any values of its graph (inputs, weights, hidden states, attention maps).
 * Only what lies between `wrt` and `loss` is visited, so a frozen weight costs nothing. The result can be differentiated again.
 * A value that `loss` does not depend on gets zeros.
 *
 * @param loss scalar (shape `[]`), float.
 * @throws GraphError when `loss` is not a scalar, or when a gradient must pass an op that has none.
 * @example
 * const x = input('x', [3]);
 * const loss = sum(mul(x, x)); // x², whose gradient is 2x
 * await using graph = await compile(nodeRuntime(), { gradient: grad(loss, [x])[0] });
 * const { gradient } = await graph.run({ x: floats([3], [1, 2, 3]) });
 * console.log(gradient.data);
 */
export function grad(loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.shape.length !== 0) throw new GraphError(`grad needs a scalar, got shape ${showShape(loss.shape)}; reduce it first.`);
  if (!isFloat(loss)) throw new GraphError(`grad needs a float scalar, got ${loss.dtype}; cast it first.`);
  const gradients = pullBack([[loss, fill([], 1, loss.dtype)]], wrt);
  return wrt.map((value, i) => gradients[i] ?? fill(value.shape, 0, value.dtype, value));
}

/**
 * Carries gradients of any values back to others: the product with the Jacobian, summed over the seeds.
 * @param seeds values and their gradients (of the same shape); @param boundary values that are taken as given: nothing passes to
 *   what they are computed from
 * @returns per entry of `wrt` its gradient, undefined where no seed depends on it. @throws GraphError where an op has no gradient
 */
export function pullBack(
  seeds: readonly (readonly [value: Value, gradient: Value])[],
  wrt: readonly Value[],
  boundary: ReadonlySet<Value> = new Set(),
): (Value | undefined)[] {
  const given = (node: Node): boolean => node.outputs.some(output => boundary.has(output));
  const nodes = nodesOf(seeds.map(([value]) => value));
  const targets = new Set(wrt);
  const reached = new Set<Value>(wrt);
  for (const node of nodes) {
    if (node.op.constant || given(node)) continue;
    if (node.inputs.some(input => reached.has(input))) for (const output of node.outputs) if (isFloat(output)) reached.add(output);
  }
  const gradients = new Map<Value, Value>();
  const receive = (value: Value, g: Value): void => {
    const before = gradients.get(value);
    gradients.set(value, before ? add(before, g) : g);
  };
  for (const [value, gradient] of seeds) receive(value, gradient);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i];
    const incoming = node.outputs.map(output => gradients.get(output));
    if (!incoming.some(g => g) || given(node)) continue;
    const wanted = node.inputs.map(input => reached.has(input));
    if (node.op.constant || !wanted.some(w => w)) continue;
    if (!node.op.vjp)
      throw new GraphError(`The op ${whereIs(node)} has no gradient rule; wrap its input in stopGradient where none is meant to pass.`);
    const results = scope(backward(node.scope), () => node.op.vjp!(node, incoming, wanted), true);
    node.inputs.forEach((input, j) => {
      const g = results[j];
      if (wanted[j] && g) receive(input, g);
    });
    for (const output of node.outputs) if (!targets.has(output)) gradients.delete(output);
  }
  return wrt.map(value => gradients.get(value));
}

/** Nodes of a backward pass stand where the node they come from stands: `grad(vision_model.encoder.layers.8)`. */
const backward = (name: string): string => (name ? `grad(${name})` : '');

const isFloat = (value: Value): boolean => value.dtype.startsWith('float') || value.dtype === 'bfloat16';
