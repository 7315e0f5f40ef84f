/**
 * @file Gradient checkpointing (Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174) inside one graph: what a
 * part computes on the way is not kept for the backward pass but computed again there, from the part's inputs.
 */
import { pullBack } from './grad.ts';
import { computeAfter } from './ops/compute-after.ts';
import { apply, apply1, defineOp, type Node, nodesOf, scope, type Value } from './value.ts';

/** Nodes between `inputs` and `output`, in order, and what else they read. */
function between(inputs: readonly Value[], output: Value): { inner: Node[]; captured: Value[] } {
  const inside = new Set<Value>(inputs);
  const inner: Node[] = [];
  const captured = new Set<Value>();
  for (const node of nodesOf([output])) {
    if (!node.inputs.some(v => inside.has(v)) || node.outputs.some(v => inside.has(v))) continue;
    inner.push(node);
    for (const v of node.outputs) inside.add(v);
    for (const v of node.inputs) if (!inside.has(v)) captured.add(v);
  }
  return { inner, captured: [...captured] };
}

// Inputs: the output as the forward pass has it, `count` inputs of the part, and everything else that the part reads.
const recomputedOp = defineOp({
  name: 'recomputed',
  infer: ([y]) => [{ dtype: y.dtype, shape: y.shape }],
  lower: (node, emit) => [emit.of(node.inputs[0])],
  vjp(node, [g], wanted) {
    const [y, ...sources] = node.inputs;
    const inputs = sources.slice(0, node.attributes.count as number);
    // The copies must not run before their gradient is there, and the next part's must not before this part is done with.
    const twins = new Map<Value, Value>(inputs.map(x => [x, computeAfter(x, [g!])]));
    for (const part of between(inputs, y).inner) {
      const outputs = scope(
        part.scope,
        () =>
          apply(
            part.op,
            part.inputs.map(v => twins.get(v) ?? v),
            part.attributes,
          ),
        true,
      );
      for (const [i, v] of part.outputs.entries()) twins.set(v, outputs[i]);
    }
    const given = sources.map(v => twins.get(v) ?? v);
    const needed = given.filter((_, i) => wanted[i + 1]);
    const found = new Map(needed.map(v => [v, undefined as Value | undefined]));
    for (const [i, gradient] of pullBack([[twins.get(y) ?? y, g!]], needed, new Set(given)).entries()) found.set(needed[i], gradient);
    const others = given.slice(inputs.length).flatMap(v => found.get(v) ?? []);
    const results = given.map((v, i) => {
      const gradient = found.get(v);
      return gradient && i < inputs.length ? computeAfter(gradient, others) : gradient;
    });
    return [undefined, ...results];
  },
});

/**
 * `part(...inputs)`, whose inside is computed a second time in the backward pass instead of being kept: memory for activations falls to
 * that of the inputs, at the price of one more forward pass. The mathematics is the same; the runtime may fuse other
 * nodes, so that last bits differ. Gradients reach the inputs and
 * whatever else the part reads (weights), but no value inside of the part: `grad` gives zeros for those.
 * @param inputs values whose descendants inside of the part are recomputed
 */
export function recompute(part: (...inputs: Value[]) => Value, inputs: readonly Value[]): Value {
  const y = part(...inputs);
  const { captured } = between(inputs, y);
  return apply1(recomputedOp, [y, ...inputs, ...captured], { count: inputs.length });
}
